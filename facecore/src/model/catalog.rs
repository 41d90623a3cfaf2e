//! The known kinds of models: their usual settings, and how a bare file is recognised.

use super::onnx::OnnxModel;
use super::spec::{ColorOrder, DetectorKind, DetectorSpec, EmbedderKind, EmbedderSpec, Normalization, Template, names};
use super::{ModelSource, PortInfo};
use crate::error::{Result, fail};

pub(super) fn detector(kind: DetectorKind) -> DetectorSpec {
    let spec = DetectorSpec {
        kind,
        normalization: Normalization::uniform(ColorOrder::Rgb, 127.5, 128.0),
        score_threshold: 0.5,
        nms_iou: 0.4,
        // Estimates: the finest cells are 8 pixels wide, and faces of two cells are found.
        smallest_face: 16.0,
        input: None,
        outputs: Vec::new(),
        size: None,
    };
    match kind {
        // insightface, model_zoo/scrfd.py.
        DetectorKind::Scrfd => spec,
        // OpenCV, face_detect.cpp, takes raw BGR; its samples use 0.6 (or 0.9) and 0.3.
        DetectorKind::YuNet => DetectorSpec {
            normalization: Normalization::uniform(ColorOrder::Bgr, 0.0, 1.0),
            score_threshold: 0.6,
            nms_iou: 0.3,
            smallest_face: 12.0,
            ..spec
        },
    }
}

pub(super) fn embedder(kind: EmbedderKind) -> EmbedderSpec {
    let spec = EmbedderSpec {
        kind,
        normalization: Normalization::uniform(ColorOrder::Rgb, 127.5, 127.5),
        template: Template::arcface_112(),
        // A convention of ArcFace users, not a calibration: measure your own with `evaluate`.
        threshold: 0.35,
        dimension: None,
        space: None,
        input: None,
        output: None,
    };
    match kind {
        // insightface, model_zoo/arcface_onnx.py.
        EmbedderKind::ArcFace => spec,
        // AdaFace, inference.py: (x / 255 - 0.5) / 0.5 on BGR.
        EmbedderKind::AdaFace => {
            EmbedderSpec { normalization: Normalization::uniform(ColorOrder::Bgr, 127.5, 127.5), ..spec }
        }
        // OpenCV, face_recognize.cpp: raw RGB; 0.363 is the threshold of its documentation.
        EmbedderKind::SFace => {
            EmbedderSpec { normalization: Normalization::uniform(ColorOrder::Rgb, 0.0, 1.0), threshold: 0.363, ..spec }
        }
        // Measured on a 128-d MobileFaceNet and the 3,811 LFW photographs of folds 1 to 5, every photo with
        // every other: 1.6 of 10,000 pairs of different people reach it, 93.7 % of pairs of one person.
        EmbedderKind::MobileFaceNet => EmbedderSpec { threshold: 0.4, ..spec },
    }
}

/// The kind of a bare detector file, by its ports.
pub(super) fn evident_detector(model: &OnnxModel, source: &ModelSource) -> Result<DetectorKind> {
    let outputs = model.outputs();
    let named = |name: &str| outputs.iter().any(|port| port.name == name);
    if outputs.len() == 12 && ["cls_8", "obj_8", "bbox_8", "kps_8"].iter().all(|name| named(name)) {
        return Ok(DetectorKind::YuNet);
    }
    let with_channels =
        |channels: usize| outputs.iter().filter(|port| port.shape.last() == Some(&Some(channels))).count();
    let levels = with_channels(1);
    let per_level = if with_channels(10) == levels { 3 } else { 2 };
    if matches!(levels, 3 | 5) && with_channels(4) == levels && outputs.len() == levels * per_level {
        return Ok(DetectorKind::Scrfd);
    }
    if let Some(kind) = evident_embedder_shape(model) {
        fail!(ModelMismatch, "{} looks like an embedder ({kind}), not like a detector", source.name());
    }
    fail!(
        ModelKindUnknown,
        "{}: its outputs ({}) are those of no known detector; if it is one of {}, name its kind",
        source.name(),
        list(&outputs),
        names(DetectorKind::ALL, DetectorKind::name)
    );
}

/// The spec of a bare embedder file: kind by its name, normalisation by its graph.
pub(super) fn evident_embedder(model: &OnnxModel, source: &ModelSource) -> Result<EmbedderSpec> {
    if evident_embedder_shape(model).is_none() {
        fail!(
            ModelMismatch,
            "{} does not look like a face embedder, which has an image input and an output [batch, dimension]; it has {} -> {}",
            source.name(),
            list(&model.inputs()),
            list(&model.outputs())
        );
    }
    // Shapes cannot tell RGB from BGR, so the name decides; a wrong guess would silently cost accuracy.
    let name = source.name().to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let kind = if has(&["adaface"]) {
        EmbedderKind::AdaFace
    } else if has(&["sface", "face_recognition_sface"]) {
        EmbedderKind::SFace
    } else if has(&["mobilefacenet", "mfn"]) {
        EmbedderKind::MobileFaceNet
    } else if has(&["arcface", "w600k", "glintr", "glint360k", "webface"]) {
        EmbedderKind::ArcFace
    } else {
        fail!(
            ModelKindUnknown,
            "{}: the file does not tell what kind of embedder it is (colour order and scale differ); name one of {}",
            source.name(),
            names(EmbedderKind::ALL, EmbedderKind::name)
        );
    };
    Ok(embedder_of_file(kind, model))
}

/// The usual spec of `kind`, adapted to a graph that normalises its input itself.
pub(super) fn embedder_of_file(kind: EmbedderKind, model: &OnnxModel) -> EmbedderSpec {
    let mut spec = embedder(kind);
    if matches!(kind, EmbedderKind::ArcFace | EmbedderKind::MobileFaceNet) && model.starts_with_normalisation() {
        spec.normalization = Normalization::uniform(spec.normalization.color, 0.0, 1.0);
    }
    spec
}

fn evident_embedder_shape(model: &OnnxModel) -> Option<String> {
    let (inputs, outputs) = (model.inputs(), model.outputs());
    let [input] = inputs.as_slice() else { return None };
    let output = outputs.iter().find(|port| port.is_embedding())?;
    (input.shape.len() == 4).then(|| format!("{input} -> {output}"))
}

fn list(ports: &[PortInfo]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
