//! What models could run on here.

use std::ffi::c_char;

use facecore::backend;
use serde_json::json;

use crate::handle::Out;
use crate::models::{facecore_runtime_options, runtime_options};
use crate::status::guard;
use crate::text::c_string;

/// What runtimes there are, where ONNX Runtime was looked for, and which providers it has or what they lack, as a JSON
/// object (its form is in docs/c-abi.md): for logs, and for whoever has to find out why something does not run. Loads
/// ONNX Runtime if there is one. `options` may be NULL. Free the text with `facecore_text_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_runtime_report(
    options: *const facecore_runtime_options,
    report: *mut *mut c_char,
) -> i32 {
    guard(|| {
        let out = Out::new(report, "report")?;
        let report = backend::report(&runtime_options(options)?);
        let (found, missing) = (report.onnxruntime.as_ref().ok(), report.onnxruntime.as_ref().err());
        let looked = report.looked.iter().map(|place| {
            let found: Vec<_> = place.found.iter().map(|path| path.display().to_string()).collect();
            json!({ "place": place.place, "found": found, "missing": place.missing })
        });
        let providers = report
            .providers
            .iter()
            .map(|(name, here)| json!({ "name": name, "available": here.is_ok(), "missing": here.as_ref().err() }));
        let text = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "onnxruntime": { "found": found, "missing": missing },
            "looked": looked.collect::<Vec<_>>(),
            "providers": providers.collect::<Vec<_>>(),
            "builtin": report.builtin,
        });
        out.write(c_string(&text.to_string()).into_raw());
        Ok(())
    })
}
