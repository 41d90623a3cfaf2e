//! Which runtimes tests may use.

use facecore::backend::report;
use facecore::{Precision, Provider, ProviderRequest, Runtime, RuntimeOptions};

use crate::skip;

/// The built-in runtime.
pub fn builtin() -> RuntimeOptions {
    RuntimeOptions { runtime: Runtime::Rten, ..RuntimeOptions::default() }
}

/// ONNX Runtime with this provider alone, or `None` after saying that `what` is skipped.
///
/// # Panics
///
/// If there is no such provider although `FACECORE_REQUIRE_TEST_DATA=1`.
pub fn onnxruntime_or_skip(what: &str, provider: &str, precision: Precision) -> Option<RuntimeOptions> {
    let provider = Provider::from_name(provider).expect("a provider's name");
    let mut options = RuntimeOptions { runtime: Runtime::OnnxRuntime, ..RuntimeOptions::default() };
    let found = report(&options);
    if found.onnxruntime.is_err() {
        skip(
            what,
            "no ONNX Runtime that works (`make runtime` fetches one; `facecore doctor` tells where it was looked for)",
        );
        return None;
    }
    if let Some((name, Err(missing))) = found.providers.iter().find(|(name, _)| name == provider.name()) {
        skip(what, &format!("no provider {name}: {missing}"));
        return None;
    }
    options.session.provider = ProviderRequest::Strict(provider);
    options.session.precision = precision;
    Some(options)
}

/// The runtimes at hand to be measured, by name.
pub fn at_hand() -> Vec<(&'static str, RuntimeOptions)> {
    let candidates = [
        ("rten", Some(builtin())),
        ("onnxruntime", onnxruntime_or_skip("benches of ONNX Runtime", "cpu", Precision::Full)),
        ("openvino-fast", onnxruntime_or_skip("benches of OpenVINO", "openvino", Precision::Fast)),
    ];
    candidates.into_iter().filter_map(|(name, runtime)| Some((name, runtime?))).collect()
}
