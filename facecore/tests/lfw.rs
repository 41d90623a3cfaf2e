//! `facecore evaluate` on the LFW pairs at hand (folds 1 to 5): the accuracy of each detector, and of 16 bits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::ffi::OsStr;
use std::process::Command;

use facecore::Precision;
use facecore_testkit::TestData;
use facecore_testkit::runtimes::onnxruntime_or_skip;
use serde_json::Value;

const PAIRS: u64 = 3000;
/// What MODEL_CARD.md says of the built-in pack, less what another machine's arithmetic may change.
const LITE: f64 = 0.97;

/// The accuracy with a detector of the test data and MobileFaceNet; a face is found in every photo.
fn accuracy(data: &TestData, detector: &str, provider: &str, precision: &str) -> f64 {
    let (detector, embedder) = (data.model(detector), data.model("mobilefacenet_128"));
    let models = ["--detector".as_ref(), detector.as_os_str(), "--embedder".as_ref(), embedder.as_os_str()];
    let (accuracy, failures) = evaluate(data, &models, provider, precision);
    assert_eq!(failures, Vec::<Value>::new());
    accuracy
}

/// The accuracy that the command reports, and the photos that give no face: their pairs count as told wrong.
fn evaluate(data: &TestData, models: &[&OsStr], provider: &str, precision: &str) -> (f64, Vec<Value>) {
    let images = data.lfw("");
    let list = images.parent().unwrap().join("pairs_folds_1_5.txt");
    let mut command = Command::new(env!("CARGO_BIN_EXE_facecore"));
    command.arg("evaluate").arg(list).arg("--root").arg(images);
    command.args(models);
    command.args(["--runtime", "onnxruntime", "--provider", provider, "--precision", precision, "--json"]);
    let output = command.env_remove("RUST_LOG").env_remove("FACECORE_PACK").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let accuracy = line["accuracy"].as_f64().unwrap();
    println!(
        "LFW folds 1-5, {models:?}, {provider} {precision}: {accuracy:.4}, {} of {} pairs failed, {} photos in {} s",
        line["failed"], line["pairs"], line["photos"], line["seconds"]
    );
    assert_eq!(line["pairs"], PAIRS);
    (accuracy, line["failures"].as_array().unwrap().clone())
}

#[test]
fn the_built_in_pack_is_as_good_as_its_card_says() {
    let what = "LFW accuracy of the built-in pack";
    let Some(data) = TestData::or_skip(what) else { return };
    if onnxruntime_or_skip(what, "cpu", Precision::Full).is_none() {
        return;
    }
    let (accuracy, failures) = evaluate(&data, &[], "cpu", "full");
    assert!(accuracy >= LITE, "{accuracy}");
    assert!(failures.len() <= 3, "{failures:?}");
}

#[test]
fn accuracy_is_the_references_with_every_detector_and_precision() {
    let Some(data) = TestData::or_skip("LFW accuracy") else { return };
    if onnxruntime_or_skip("LFW accuracy", "cpu", Precision::Full).is_none() {
        return;
    }
    let yunet = accuracy(&data, "yunet_n_dynamic", "cpu", "full");
    let scrfd = accuracy(&data, "scrfd_2.5g_bnkps", "cpu", "full");
    assert!(yunet >= 0.989, "YuNet: {yunet}");
    assert!(scrfd >= 0.989, "SCRFD: {scrfd}");

    if onnxruntime_or_skip("LFW accuracy with OpenVINO in 16 bits", "openvino", Precision::Fast).is_none() {
        return;
    }
    let bf16 = accuracy(&data, "yunet_n_dynamic", "openvino", "fast");
    assert!((bf16 - yunet).abs() <= 0.001, "OpenVINO {bf16}, f32 {yunet}");
}
