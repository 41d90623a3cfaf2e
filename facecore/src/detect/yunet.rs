//! YuNet (libfacedetection.train, OpenCV's FaceDetectorYN): centre, logarithmic size and five points
//! from every cell; the score joins a classification and an objectness.

use super::anchors::{Level, Output, list, named_ports};
use super::{Decoder, Face};
use crate::backend::Tensor;
use crate::error::{Result, fail};
use crate::geometry::{Landmarks, Point, Rect};
use crate::model::PortInfo;

const FAMILY: &str = "a YuNet detector";
const STRIDES: [usize; 3] = [8, 16, 32];

/// The outputs of one pyramid level.
struct LevelOutputs {
    level: Level,
    class: Output,
    object: Output,
    boxes: Output,
    points: Output,
}

/// The outputs of each pyramid level.
pub(super) struct YuNet {
    levels: Vec<LevelOutputs>,
}

impl YuNet {
    /// Finds the twelve outputs by their names (`cls_8`, `obj_8`, `bbox_8`, `kps_8`, …), or takes them in
    /// the order `names` gives.
    pub(super) fn bind(ports: &[PortInfo], names: &[String], size: Option<(usize, usize)>) -> Result<Self> {
        let usual: Vec<String> = ["cls", "obj", "bbox", "kps"]
            .iter()
            .flat_map(|part| STRIDES.map(|stride| format!("{part}_{stride}")))
            .collect();
        let names = if names.is_empty() { &usual } else { names };
        let chosen = named_ports(ports, names)?;
        if chosen.len() != 12 {
            fail!(ModelMismatch, "{FAMILY} has 12 outputs, not {}: {}", chosen.len(), list(ports));
        }
        let bind = |group: usize, channels: usize, level: Level, at: usize| {
            Output::bind(ports, chosen[group * 3 + at], channels, level, size, FAMILY)
        };
        let levels = STRIDES.iter().enumerate().map(|(at, &stride)| {
            let level = Level { stride, anchors: 1 };
            Ok(LevelOutputs {
                level,
                class: bind(0, 1, level, at)?,
                object: bind(1, 1, level, at)?,
                boxes: bind(2, 4, level, at)?,
                points: bind(3, 10, level, at)?,
            })
        });
        Ok(YuNet { levels: levels.collect::<Result<_>>()? })
    }
}

impl Decoder for YuNet {
    fn stride(&self) -> usize {
        32
    }

    fn decode(&self, outputs: &[Tensor], canvas: (usize, usize), threshold: f32, faces: &mut Vec<Face>) -> Result<()> {
        let squared_threshold = threshold * threshold;
        for LevelOutputs { level, class, object, boxes, points } in &self.levels {
            let count = level.predictions(canvas);
            let (class_rows, object_rows) = (class.rows(outputs, count)?, object.rows(outputs, count)?);
            let box_rows = boxes.rows(outputs, count)?.as_chunks::<4>().0;
            let point_rows = points.rows(outputs, count)?.as_chunks::<10>().0;
            let stride = level.stride as f32;
            for (index, (&class_score, &object_score)) in class_rows.iter().zip(object_rows).enumerate() {
                // Clamping keeps NaN, so that it is found below.
                let product = class_score.clamp(0.0, 1.0) * object_score.clamp(0.0, 1.0);
                if product < squared_threshold {
                    continue;
                }
                if product.is_nan() {
                    return if class_score.is_nan() { class.not_finite() } else { object.not_finite() };
                }
                let (column, row) = level.cell(index, canvas);
                let [dx, dy, log_width, log_height] = box_rows[index];
                let (x, y) = ((column + dx) * stride, (row + dy) * stride);
                let (width, height) = (log_width.exp() * stride, log_height.exp() * stride);
                let rect = Rect::new(x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0);
                if !(rect.x1 + rect.y1 + rect.x2 + rect.y2).is_finite() {
                    return boxes.not_finite();
                }
                let offsets = &point_rows[index];
                if offsets.iter().any(|offset| !offset.is_finite()) {
                    return points.not_finite();
                }
                let place =
                    |at: usize| Point::new((column + offsets[2 * at]) * stride, (row + offsets[2 * at + 1]) * stride);
                let landmarks = Some(Landmarks(std::array::from_fn(place)));
                faces.push(Face { rect, score: product.sqrt(), landmarks });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::model::ElementType;

    fn ports() -> Vec<PortInfo> {
        let port = |part: &str, stride: usize, width: usize| PortInfo {
            name: format!("{part}_{stride}"),
            element: ElementType::F32,
            shape: vec![None, None, Some(width)],
        };
        let parts = [("kps", 10), ("cls", 1), ("bbox", 4), ("obj", 1)];
        parts.iter().flat_map(|&(part, width)| STRIDES.map(|stride| port(part, stride, width))).collect()
    }

    /// Outputs for a 32 x 64 input in the order of `ports`: one face in column 1, row 3 of stride 16.
    fn outputs(class: f32, log_width: f32) -> Vec<Tensor> {
        let mut outputs = Vec::new();
        for width in [10, 1, 4, 1] {
            for stride in STRIDES {
                let count = (32 / stride) * (64 / stride);
                outputs.push(Tensor { shape: vec![1, count, width], data: vec![0.0; count * width] });
            }
        }
        let index = 3 * 2 + 1;
        outputs[4].data[index] = class;
        outputs[10].data[index] = 1.5;
        outputs[7].data[index * 4..index * 4 + 4].copy_from_slice(&[0.5, 0.25, log_width, 0.0]);
        outputs[1].data[index * 10 + 9] = 2.0;
        outputs
    }

    #[test]
    fn a_prediction_becomes_a_face() {
        let yunet = YuNet::bind(&ports(), &[], None).unwrap();
        let mut faces = Vec::new();
        yunet.decode(&outputs(0.81, 2.0f32.ln()), (32, 64), 0.6, &mut faces).unwrap();
        let [face] = faces.as_slice() else { panic!("{faces:?}") };
        // Centre (24, 52), width 32, height 16; objectness is clamped to 1.
        assert_eq!(face.rect.center(), Point::new(24.0, 52.0));
        assert!((face.rect.width() - 32.0).abs() < 1e-4 && (face.rect.height() - 16.0).abs() < 1e-4);
        assert!((face.score - 0.9).abs() < 1e-6);
        assert_eq!(face.landmarks.unwrap().0[4], Point::new(16.0, 80.0));
    }

    #[test]
    fn missing_and_wrong_ports_are_named() {
        let mut missing = ports();
        missing.retain(|port| port.name != "obj_16");
        assert!(YuNet::bind(&missing, &[], None).err().unwrap().to_string().contains("obj_16"));
        let mut wrong = ports();
        wrong[7].shape[2] = Some(5);
        let error = YuNet::bind(&wrong, &[], None).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::ModelMismatch);
        assert!(error.to_string().contains("bbox_16"), "{error}");
    }

    #[test]
    fn numbers_that_are_none_are_errors() {
        let yunet = YuNet::bind(&ports(), &[], None).unwrap();
        for (class, log_width) in [(f32::NAN, 0.0), (0.9, f32::NAN), (0.9, 1000.0)] {
            let error = yunet.decode(&outputs(class, log_width), (32, 64), 0.6, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ModelOutput);
        }
    }
}
