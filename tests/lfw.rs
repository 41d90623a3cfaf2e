//! Verification accuracy on the LFW pairs at hand (folds 1 to 5), by LFW's protocol: the threshold of a
//! fold is the one that is best on the other folds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use facecore::{Embedding, FaceChoice, Precision, Recognizer, RuntimeOptions};
use facecore_testkit::TestData;
use facecore_testkit::data::LfwPair;
use facecore_testkit::runtimes::onnxruntime_or_skip;
use rayon::prelude::*;

const MODEL: &str = "mobilefacenet_128";

/// The cosine of each pair; -1 where a photo shows no face, so that pairs of one person count as wrong.
fn scores(data: &TestData, detector: &str, runtime: RuntimeOptions, pairs: &[LfwPair]) -> Vec<f32> {
    let recognizer = Recognizer::builder()
        .detector(data.model(detector))
        .embedder(data.model(MODEL))
        .runtime(runtime)
        .for_many_photos()
        .build()
        .unwrap();
    let mut photos: Vec<&PathBuf> = pairs.iter().flat_map(|pair| [&pair.first, &pair.second]).collect();
    photos.sort();
    photos.dedup();
    let embed = |photo: &&PathBuf| Some(recognizer.recognize_one_file(photo, FaceChoice::Central).ok()?.embedding);
    let embeddings: Vec<Option<Embedding>> = photos.par_iter().map(embed).collect();
    let by_photo: BTreeMap<&PathBuf, Option<Embedding>> = photos.into_iter().zip(embeddings).collect();
    let score = |pair: &LfwPair| match (&by_photo[&pair.first], &by_photo[&pair.second]) {
        (Some(first), Some(second)) => first.cosine(second).unwrap(),
        _ => -1.0,
    };
    pairs.iter().map(score).collect()
}

fn accuracy(pairs: &[LfwPair], scores: &[f32]) -> f64 {
    let share_right = |threshold: f32, wanted: &dyn Fn(u32) -> bool| {
        let chosen: Vec<bool> = pairs
            .iter()
            .zip(scores)
            .filter(|(pair, _)| wanted(pair.fold))
            .map(|(pair, score)| (*score >= threshold) == pair.same)
            .collect();
        chosen.iter().filter(|right| **right).count() as f64 / chosen.len() as f64
    };
    let mut folds: Vec<u32> = pairs.iter().map(|pair| pair.fold).collect();
    folds.dedup();
    let of_fold = |&fold: &u32| {
        let thresholds = (0..1000).map(|step| step as f32 / 1000.0);
        let best = thresholds
            .max_by(|a, b| share_right(*a, &|other| other != fold).total_cmp(&share_right(*b, &|other| other != fold)));
        share_right(best.unwrap(), &|other| other == fold)
    };
    folds.iter().map(of_fold).sum::<f64>() / folds.len() as f64
}

#[test]
fn accuracy_is_the_references_with_every_detector_and_precision() {
    let Some(data) = TestData::or_skip("LFW accuracy") else { return };
    let Some(full) = onnxruntime_or_skip("LFW accuracy", "cpu", Precision::Full) else { return };
    let pairs = data.lfw_pairs();
    let run = |detector: &str, runtime: &RuntimeOptions| accuracy(&pairs, &scores(&data, detector, runtime.clone(), &pairs));

    let yunet = run("yunet_n_dynamic", &full);
    let scrfd = run("scrfd_2.5g_bnkps", &full);
    println!("LFW folds 1-5: YuNet {:.4}, SCRFD 2.5G {:.4}", yunet, scrfd);
    assert!(yunet >= 0.989, "YuNet: {yunet}");
    assert!(scrfd >= 0.989, "SCRFD: {scrfd}");

    let Some(fast) = onnxruntime_or_skip("LFW accuracy with OpenVINO in 16 bits", "openvino", Precision::Fast) else {
        return;
    };
    let bf16 = run("yunet_n_dynamic", &fast);
    println!("LFW folds 1-5: YuNet, OpenVINO {:.4}", bf16);
    assert!((bf16 - yunet).abs() <= 0.001, "OpenVINO {bf16}, f32 {yunet}");
}
