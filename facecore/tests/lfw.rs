//! `facecore evaluate` on the LFW pairs at hand (folds 1 to 5): the accuracy of each detector, and of 16 bits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::process::Command;

use facecore::Precision;
use facecore_testkit::TestData;
use facecore_testkit::runtimes::onnxruntime_or_skip;
use serde_json::Value;

const PAIRS: u64 = 3000;

/// The accuracy that the command reports. A pair with a photo that gives no face counts as told wrong.
fn accuracy(data: &TestData, detector: &str, provider: &str, precision: &str) -> f64 {
    let images = data.lfw("");
    let list = images.parent().unwrap().join("pairs_folds_1_5.txt");
    let mut command = Command::new(env!("CARGO_BIN_EXE_facecore"));
    command.arg("evaluate").arg(list).arg("--root").arg(images);
    command.arg("--detector").arg(data.model(detector)).arg("--embedder").arg(data.model("mobilefacenet_128"));
    command.args(["--runtime", "onnxruntime", "--provider", provider, "--precision", precision, "--json"]);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let accuracy = line["accuracy"].as_f64().unwrap();
    println!(
        "LFW folds 1-5, {detector}, {provider} {precision}: {accuracy:.4}, {} of {} pairs failed, {} photos in {} s",
        line["failed"], line["pairs"], line["photos"], line["seconds"]
    );
    assert_eq!((&line["pairs"], &line["failed"]), (&PAIRS.into(), &0.into()), "{}", line["failures"]);
    accuracy
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
