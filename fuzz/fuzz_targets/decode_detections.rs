//! Detection decoders fed with any numbers a model could give, at any image size and option: typed errors or
//! faces, never a panic, and never a face that is not finite.

#![no_main]

use std::sync::Arc;

use facecore::backend::fake::FakeBackend;
use facecore::model::{ElementType, PortInfo};
use facecore::{
    Detector, DetectorKind, DetectorOptions, DetectorSpec, Image, InputSize, ModelSource, Runtime, RuntimeOptions,
};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Case {
    yunet: bool,
    /// Widths of the declared ports; 0 declares none.
    widths: Vec<u8>,
    fixed: Option<(u8, u8)>,
    /// Values that the outputs repeat, as bits: every NaN and infinity occurs.
    values: Vec<u32>,
    /// Rows left out of, or added to, each output.
    wrong_rows: u8,
    width: u8,
    height: u8,
    letterbox: Option<(u8, u8)>,
    native: bool,
    score_threshold: Option<f32>,
    nms_iou: Option<f32>,
    max_faces: Option<u8>,
    smallest_face: Option<f32>,
    close_ups: bool,
}

fn ports(case: &Case) -> Vec<PortInfo> {
    let port = |name: String, width: Option<usize>| PortInfo { name, element: ElementType::F32, shape: vec![None, width] };
    if case.yunet {
        let parts = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
        return parts
            .iter()
            .flat_map(|(part, width)| [8, 16, 32].map(|stride| port(format!("{part}_{stride}"), Some(*width))))
            .collect();
    }
    if case.widths.is_empty() {
        return (0..9).map(|at| port(format!("out{at}"), Some([1, 4, 10][at / 3]))).collect();
    }
    let width = |width: u8| (width > 0).then_some(usize::from(width));
    case.widths.iter().take(16).enumerate().map(|(at, w)| port(format!("out{at}"), width(*w))).collect()
}

fuzz_target!(|case: Case| {
    let outputs = ports(&case);
    let side = |side: u8| (usize::from(side) % 8 + 1) * 32;
    let (input_width, input_height) = match case.fixed {
        Some((width, height)) => (Some(side(width)), Some(side(height))),
        None => (None, None),
    };
    let input = PortInfo {
        name: "input".into(),
        element: ElementType::F32,
        shape: vec![Some(1), Some(3), input_height, input_width],
    };
    let widths: Vec<usize> = outputs.iter().map(|port| port.shape[1].unwrap_or(1)).collect();
    let (values, anchors) = (case.values.clone(), if case.yunet || widths.len() > 9 { 1 } else { 2 });
    let levels = if widths.len() > 9 && !case.yunet { 5 } else { 3 };
    let wrong_rows = usize::from(case.wrong_rows) % 4;
    let backend = FakeBackend::new(vec![input], outputs, move |inputs, outputs| {
        let (height, width) = (inputs[0].shape[2], inputs[0].shape[3]);
        let mut next = values.iter().cycle();
        for (at, (tensor, width_of_row)) in outputs.prepare(widths.len()).iter_mut().zip(&widths).enumerate() {
            let stride = 8 << (at % levels);
            let rows = (width / stride) * (height / stride) * anchors + wrong_rows;
            tensor.data.clear();
            tensor.data.extend((0..rows * width_of_row).map(|_| next.next().map_or(0.5, |bits| f32::from_bits(*bits))));
        }
        Ok(())
    });
    let options = DetectorOptions {
        score_threshold: case.score_threshold,
        nms_iou: case.nms_iou,
        max_faces: case.max_faces.map(usize::from),
        smallest_face: case.smallest_face,
        input_size: match case.letterbox {
            Some((width, height)) => InputSize::Letterbox(side(width), side(height)),
            None if case.native => InputSize::Native,
            None => InputSize::Auto,
        },
        close_ups: case.close_ups,
    };
    let kind = if case.yunet { DetectorKind::YuNet } else { DetectorKind::Scrfd };
    let runtime = RuntimeOptions { runtime: Runtime::Custom(Arc::new(backend)), ..RuntimeOptions::default() };
    let source = ModelSource::from_bytes("fuzz", Vec::new());
    let Ok(detector) = Detector::load(&source, DetectorSpec::of(kind), &runtime, options) else { return };
    let (width, height) = (usize::from(case.width) + 1, usize::from(case.height) + 1);
    let Ok(image) = Image::from_rgb(width, height, vec![128; width * height * 3]) else { return };
    if let Ok(faces) = detector.detect(&image) {
        assert!(faces.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for face in faces {
            let points = face.landmarks.map_or([[0.0; 2]; 5], |landmarks| landmarks.to_pairs());
            assert!(points.iter().flatten().all(|value| value.is_finite()));
            assert!(face.score.is_finite() && (face.rect.x1 + face.rect.y1 + face.rect.x2 + face.rect.y2).is_finite());
        }
    }
});
