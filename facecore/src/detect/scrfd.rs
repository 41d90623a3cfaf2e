//! SCRFD (insightface): distances from cell corners to the box's sides, offsets to five points.

use super::anchors::{Level, Output, list, named_ports};
use super::{Decoder, Face};
use crate::backend::Tensor;
use crate::error::{Result, fail};
use crate::geometry::{Landmarks, Point, Rect};
use crate::model::PortInfo;

const FAMILY: &str = "an SCRFD detector";

/// The outputs of each pyramid level.
pub(super) struct Scrfd {
    levels: Vec<(Level, Output, Output, Option<Output>)>,
}

impl Scrfd {
    /// Finds scores, boxes and points among the outputs: 6 or 9 of three levels with two anchors a
    /// cell, 10 or 15 of five levels with one; the larger numbers have points.
    pub(super) fn bind(ports: &[PortInfo], names: &[String], size: Option<(usize, usize)>) -> Result<Self> {
        let chosen = named_ports(ports, names)?;
        let (levels, with_points) = match chosen.len() {
            6 => (3, false),
            9 => (3, true),
            10 => (5, false),
            15 => (5, true),
            count => {
                fail!(ModelMismatch, "{FAMILY} has 6, 9, 10 or 15 outputs, this model has {count}: {}", list(ports))
            }
        };
        let anchors = if levels == 3 { 2 } else { 1 };
        let groups = grouped(&chosen, levels);
        let bind = |group: usize, channels: usize, level: Level, at: usize| {
            Output::bind(ports, groups[group * levels + at], channels, level, size, FAMILY)
        };
        let levels = (0..levels)
            .map(|at| {
                let level = Level { stride: 8 << at, anchors };
                let points = if with_points { Some(bind(2, 10, level, at)?) } else { None };
                Ok((level, bind(0, 1, level, at)?, bind(1, 4, level, at)?, points))
            })
            .collect::<Result<_>>()?;
        Ok(Scrfd { levels })
    }
}

/// All scores, then all boxes, then all points, each by rising stride. Files list them so; where every
/// width is declared, the widths decide, so that other orders of the groups work too.
fn grouped<'p>(ports: &[&'p PortInfo], levels: usize) -> Vec<&'p PortInfo> {
    let width = |port: &PortInfo| port.shape.last().copied().flatten();
    let mut sorted = ports.to_vec();
    sorted.sort_by_key(|port| width(port));
    let widths: Vec<_> = sorted.iter().map(|port| width(port)).collect();
    let regular =
        widths.chunks(levels).zip([1, 4, 10]).all(|(group, wide)| group.iter().all(|width| *width == Some(wide)));
    if regular { sorted } else { ports.to_vec() }
}

impl Decoder for Scrfd {
    fn stride(&self) -> usize {
        self.levels.iter().map(|(level, ..)| level.stride).max().unwrap_or(32)
    }

    fn decode(&self, outputs: &[Tensor], canvas: (usize, usize), threshold: f32, faces: &mut Vec<Face>) -> Result<()> {
        for (level, scores, boxes, points) in &self.levels {
            let count = level.predictions(canvas);
            let score_rows = scores.rows(outputs, count)?;
            let box_rows = boxes.rows(outputs, count)?.as_chunks::<4>().0;
            let point_rows = match points {
                Some(points) => points.rows(outputs, count)?.as_chunks::<10>().0,
                None => &[],
            };
            let stride = level.stride as f32;
            for (index, &score) in score_rows.iter().enumerate() {
                if score < threshold {
                    continue;
                }
                if !score.is_finite() {
                    return scores.not_finite();
                }
                let (column, row) = level.cell(index, canvas);
                let (x, y) = (column * stride, row * stride);
                let [left, top, right, bottom] = box_rows[index].map(|distance| distance * stride);
                let rect = Rect::new(x - left, y - top, x + right, y + bottom);
                if !(rect.x1 + rect.y1 + rect.x2 + rect.y2).is_finite() {
                    return boxes.not_finite();
                }
                let landmarks = match (points, point_rows.get(index)) {
                    (Some(points), Some(offsets)) => {
                        let place =
                            |at: usize| Point::new(x + offsets[2 * at] * stride, y + offsets[2 * at + 1] * stride);
                        if offsets.iter().any(|offset| !offset.is_finite()) {
                            return points.not_finite();
                        }
                        Some(Landmarks(std::array::from_fn(place)))
                    }
                    _ => None,
                };
                faces.push(Face { rect, score, landmarks });
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

    fn ports(widths: &[usize]) -> Vec<PortInfo> {
        let port = |(index, &width): (usize, &usize)| PortInfo {
            name: format!("out{index}"),
            element: ElementType::F32,
            shape: vec![None, Some(width)],
        };
        widths.iter().enumerate().map(port).collect()
    }

    /// Outputs for a 64 x 32 input: nothing but one face in column 3, row 1 of stride 8, second anchor.
    fn outputs(score: f32, distance: f32) -> Vec<Tensor> {
        let mut outputs = Vec::new();
        for width in [1, 4, 10] {
            for stride in [8, 16, 32] {
                let count = (64 / stride) * (32 / stride) * 2;
                outputs.push(Tensor { shape: vec![count, width], data: vec![0.0; count * width] });
            }
        }
        let index = (8 + 3) * 2 + 1;
        outputs[0].data[index] = score;
        outputs[3].data[index * 4..index * 4 + 4].copy_from_slice(&[distance, 1.0, 2.0, 3.0]);
        outputs[6].data[index * 10] = 0.5;
        outputs
    }

    #[test]
    fn a_prediction_becomes_a_face() {
        let scrfd = Scrfd::bind(&ports(&[1, 1, 1, 4, 4, 4, 10, 10, 10]), &[], None).unwrap();
        let mut faces = Vec::new();
        scrfd.decode(&outputs(0.9, 1.0), (64, 32), 0.5, &mut faces).unwrap();
        let [face] = faces.as_slice() else { panic!("{faces:?}") };
        assert_eq!(face.rect, Rect::new(24.0 - 8.0, 8.0 - 8.0, 24.0 + 16.0, 8.0 + 24.0));
        assert_eq!(face.score, 0.9);
        assert_eq!(face.landmarks.unwrap().0[0], Point::new(28.0, 8.0));
        assert_eq!(scrfd.stride(), 32);
    }

    #[test]
    fn groups_may_come_in_another_order() {
        let by_level = Scrfd::bind(&ports(&[1, 4, 1, 4, 1, 4]), &[], None).unwrap();
        assert_eq!(
            by_level.levels[1].2.rows(&vec![Tensor { shape: vec![], data: vec![0.0; 8] }; 6], 2).unwrap().len(),
            8
        );
        assert!(by_level.levels[0].3.is_none());
    }

    #[test]
    fn five_levels_reach_stride_128() {
        let widths = [1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 10, 10, 10, 10, 10];
        let scrfd = Scrfd::bind(&ports(&widths), &[], None).unwrap();
        assert_eq!((scrfd.stride(), scrfd.levels[4].0.anchors), (128, 1));
    }

    #[test]
    fn ports_that_differ_are_named() {
        let error = |widths: &[usize]| Scrfd::bind(&ports(widths), &[], None).err().unwrap();
        let message = error(&[2, 2, 2, 4, 4, 4, 10, 10, 10]).to_string();
        assert!(message.contains("`out0`") && message.contains("RetinaFace"), "{message}");
        assert_eq!(error(&[1, 1, 1, 4, 4, 4, 10, 10]).kind(), ErrorKind::ModelMismatch);
        let mut fixed = ports(&[1, 1, 1, 4, 4, 4]);
        fixed[1].shape = vec![Some(1), Some(77), Some(1)];
        let message = Scrfd::bind(&fixed, &[], Some((640, 640))).err().unwrap().to_string();
        assert!(message.contains("77 predictions") && message.contains("3200"), "{message}");
    }

    #[test]
    fn numbers_that_are_none_are_errors() {
        let scrfd = Scrfd::bind(&ports(&[1, 1, 1, 4, 4, 4, 10, 10, 10]), &[], None).unwrap();
        for (score, distance) in [(f32::NAN, 1.0), (f32::INFINITY, 1.0), (0.9, f32::NAN), (0.9, f32::INFINITY)] {
            let error = scrfd.decode(&outputs(score, distance), (64, 32), 0.5, &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ModelOutput);
        }
        let wrong_size = scrfd.decode(&outputs(0.9, 1.0), (64, 64), 0.5, &mut Vec::new()).unwrap_err();
        assert_eq!(wrong_size.kind(), ErrorKind::ModelOutput);
    }
}
