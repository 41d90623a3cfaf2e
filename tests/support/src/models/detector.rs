//! Detectors.

use facecore::model::ElementType;
use facecore::model::onnx::Value;

use super::graph::Graph;

const STRIDES: [usize; 3] = [8, 16, 32];

/// What a generated detector looks like from outside, and what it finds.
#[derive(Debug, Clone)]
pub struct Detector {
    /// Whether there are outputs of five points.
    pub keypoints: bool,
    /// The numbers of a box: 4, unless a test wants a model that does not fit.
    pub box_values: usize,
    /// The input's channels.
    pub channels: usize,
    /// The input's type.
    pub element: ElementType,
    /// The input's height and width, multiples of 32; `None` for any.
    pub size: Option<(usize, usize)>,
    /// What it answers.
    pub scores: Scores,
    /// Where the random weights come from.
    pub seed: u64,
}

/// What a generated detector answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scores {
    /// This score (1e-6 to 1 - 1e-6) at every anchor, with boxes of two strides around the anchor and
    /// all points at the anchor.
    Constant(f32),
    /// Scores, boxes and points that depend on the pixels under the anchor.
    FromImage,
    /// NaN in every output.
    Nan,
}

impl Default for Detector {
    fn default() -> Self {
        Detector {
            keypoints: true,
            box_values: 4,
            channels: 3,
            element: ElementType::F32,
            size: None,
            scores: Scores::FromImage,
            seed: 1,
        }
    }
}

/// A detector with SCRFD's ports: `input.1` [1, channels, height, width]; `score_8` [anchors, 1],
/// `bbox_8` [anchors, 4], `kps_8` [anchors, 10] and the same for strides 16 and 32, two anchors a cell.
pub fn scrfd_like(options: &Detector) -> Vec<u8> {
    let mut heads = vec![("score", 1, 0.0), ("bbox", options.box_values, 1.0)];
    if options.keypoints {
        heads.push(("kps", 10, 0.0));
    }
    single_shot(options, &Layout { input: "input.1", batched: false, anchors: 2, limit: 0.5, heads })
}

/// A detector with YuNet's ports: `input` [batch, channels, height, width]; `cls_8` [batch, cells, 1],
/// `obj_8` [batch, cells, 1], `bbox_8` [batch, cells, 4], `kps_8` [batch, cells, 10] and the same for
/// strides 16 and 32.
pub fn yunet_like(options: &Detector) -> Vec<u8> {
    // Offsets of half a cell put the box around the cell's centre; its size is the exponential.
    let mut heads = vec![("cls", 1, 0.0), ("obj", 1, 0.0), ("bbox", options.box_values, 0.5)];
    if options.keypoints {
        heads.push(("kps", 10, 0.5));
    }
    single_shot(options, &Layout { input: "input", batched: true, anchors: 1, limit: 0.002, heads })
}

struct Layout {
    input: &'static str,
    /// Whether the outputs keep the batch dimension.
    batched: bool,
    anchors: usize,
    /// The size of random weights, for pixels from -1 to 1 or from 0 to 255.
    limit: f32,
    /// Name, values an anchor, and the value that [`Scores::Constant`] answers (a probability for those
    /// of one value, whose own is ignored).
    heads: Vec<(&'static str, usize, f32)>,
}

fn single_shot(options: &Detector, layout: &Layout) -> Vec<u8> {
    let mut graph = Graph::new("detector", options.seed);
    let batch = if layout.batched { None } else { Some(1) };
    let (height, width) = options.size.unzip();
    let x = graph.input(layout.input, options.element, &[batch, Some(options.channels), height, width]);
    for (head, values, constant) in &layout.heads {
        for stride in STRIDES {
            let side = || Value::Ints(vec![stride as i64; 2]);
            let cells = graph.node("AveragePool", &[&x], &[("kernel_shape", side()), ("strides", side())]);
            let is_score = *values == 1;
            let (limit, bias) = match options.scores {
                Scores::Constant(score) if is_score => (0.0, (score / (1.0 - score)).ln()),
                Scores::Constant(_) => (0.0, *constant),
                Scores::FromImage | Scores::Nan => (layout.limit, *constant),
            };
            let y = graph.head(&cells, options.channels, limit, &vec![bias; layout.anchors * values]);
            let mut y = if is_score { graph.node("Sigmoid", &[&y], &[]) } else { y };
            if options.scores == Scores::Nan {
                // Added last: runtimes clamp inside their Sigmoid, which loses a NaN.
                let nan = graph.weights(&[1], &[f32::NAN]);
                y = graph.node("Add", &[&y, &nan], &[]);
            }
            let y = graph.node("Transpose", &[&y], &[("perm", Value::Ints(vec![0, 2, 3, 1]))]);
            let anchors = options.size.map(|(h, w)| (h / stride) * (w / stride) * layout.anchors);
            let mut shape = vec![anchors, Some(*values)];
            let mut target = vec![-1, *values as i64];
            if layout.batched {
                shape.insert(0, None);
                target.insert(0, 0);
            }
            let y = graph.reshape(&y, &target);
            graph.output(&y, &format!("{head}_{stride}"), &shape);
        }
    }
    graph.finish()
}

#[cfg(test)]
mod tests {
    use facecore::model::onnx::OnnxModel;

    use super::*;

    fn outputs(bytes: &[u8]) -> Vec<String> {
        let model = OnnxModel::parse(bytes).expect("a generated model is readable");
        model.outputs().iter().map(|port| port.to_string()).collect()
    }

    #[test]
    fn ports_are_those_of_the_real_ones() {
        let fixed = outputs(&scrfd_like(&Detector { size: Some((640, 640)), ..Detector::default() }));
        assert_eq!(fixed.len(), 9);
        assert_eq!(fixed[0], "`score_8` f32 [12800, 1]");
        assert_eq!(fixed[5], "`bbox_32` f32 [800, 4]");
        assert_eq!(outputs(&scrfd_like(&Detector { keypoints: false, ..Detector::default() })).len(), 6);
        let yunet = outputs(&yunet_like(&Detector::default()));
        assert_eq!((yunet.len(), yunet[9].as_str()), (12, "`kps_8` f32 [?, ?, 10]"));
    }
}
