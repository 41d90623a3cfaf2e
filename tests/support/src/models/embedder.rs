//! Embedders.

use facecore::model::ElementType;

use super::graph::Graph;

/// What a generated embedder looks like from outside.
#[derive(Debug, Clone)]
pub struct Embedder {
    /// The length of the embedding.
    pub dimension: usize,
    /// The batch size that the input declares, `None` for any.
    pub batch: Option<usize>,
    /// The input's channels.
    pub channels: usize,
    /// The input's type.
    pub element: ElementType,
    /// Whether everything it answers is NaN.
    pub nan: bool,
    /// Where the random weights come from.
    pub seed: u64,
}

impl Default for Embedder {
    fn default() -> Self {
        Embedder { dimension: 128, batch: None, channels: 3, element: ElementType::F32, nan: false, seed: 1 }
    }
}

impl Embedder {
    /// The model: `input` [batch, channels, 112, 112] to `embedding` [batch, dimension], in well under a
    /// millisecond. The embedding depends on every pixel and on where it is.
    pub fn bytes(&self) -> Vec<u8> {
        let mut graph = Graph::new("tiny_embedder", self.seed);
        let input = [self.batch, Some(self.channels), Some(112), Some(112)];
        let x = graph.input("input", self.element, &input);
        let x = graph.conv(&x, (self.channels, 8), 7, 7, 0);
        let x = graph.node("Relu", &[&x], &[]);
        let x = graph.conv(&x, (8, 16), 4, 4, 0);
        let x = graph.node("Flatten", &[&x], &[]);
        let bias = if self.nan { f32::NAN } else { 0.0 };
        let x = graph.dense(&x, (16 * 4 * 4, self.dimension), bias);
        graph.output(&x, "embedding", &[self.batch, Some(self.dimension)]);
        graph.finish()
    }
}

/// A small embedder: see [`Embedder::bytes`].
pub fn tiny_embedder(dimension: usize, fixed_batch: Option<usize>) -> Vec<u8> {
    Embedder { dimension, batch: fixed_batch, ..Embedder::default() }.bytes()
}

/// A small embedder whose every answer is NaN.
pub fn nan_embedder(dimension: usize) -> Vec<u8> {
    Embedder { dimension, nan: true, ..Embedder::default() }.bytes()
}

/// ArcFace's ResNet-50 (insightface `iresnet.py`, `iresnet50`): `input` [batch, 3, 112, 112] to
/// `embedding` [batch, 512], 43.6 million weights. For speed and shapes; its answers are finite and of
/// the order of 1.
pub fn resnet50_512(seed: u64) -> Vec<u8> {
    let mut graph = Graph::new("iresnet50", seed);
    let x = graph.input("input", ElementType::F32, &[None, Some(3), Some(112), Some(112)]);
    let x = graph.conv(&x, (3, 64), 3, 1, 1);
    let x = graph.batch_norm(&x, 64, 1.0);
    let mut x = graph.prelu(&x, 64);
    let mut channels = 64;
    for (wider, blocks) in [(64, 3), (128, 4), (256, 14), (512, 3)] {
        for block in 0..blocks {
            x = residual_block(&mut graph, &x, (channels, wider), if block == 0 { 2 } else { 1 });
            channels = wider;
        }
    }
    let x = graph.batch_norm(&x, 512, 1.0);
    let x = graph.node("Flatten", &[&x], &[]);
    let x = graph.dense(&x, (512 * 7 * 7, 512), 0.0);
    let x = graph.batch_norm(&x, 512, 1.0);
    graph.output(&x, "embedding", &[None, Some(512)]);
    graph.finish()
}

/// `IBasicBlock`. The branch is damped: untrained, 24 of them would multiply the variance by 2^24.
fn residual_block(graph: &mut Graph, x: &str, channels: (usize, usize), stride: usize) -> String {
    let wider = (channels.1, channels.1);
    let branch = graph.batch_norm(x, channels.0, 1.0);
    let branch = graph.conv(&branch, channels, 3, 1, 1);
    let branch = graph.batch_norm(&branch, channels.1, 1.0);
    let branch = graph.prelu(&branch, channels.1);
    let branch = graph.conv(&branch, wider, 3, stride, 1);
    let branch = graph.batch_norm(&branch, channels.1, 0.2);
    if stride == 1 {
        return graph.node("Add", &[&branch, x], &[]);
    }
    let shortcut = graph.conv(x, channels, 1, stride, 0);
    let shortcut = graph.batch_norm(&shortcut, channels.1, 0.7);
    graph.node("Add", &[&branch, &shortcut], &[])
}

#[cfg(test)]
mod tests {
    use facecore::model::onnx::OnnxModel;

    use super::*;

    fn ports(bytes: &[u8]) -> String {
        let model = OnnxModel::parse(bytes).expect("a generated model is readable");
        let ports = model.inputs().into_iter().chain(model.outputs());
        ports.map(|port| port.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ports_are_as_declared() {
        assert_eq!(ports(&tiny_embedder(64, Some(1))), "`input` f32 [1, 3, 112, 112] `embedding` f32 [1, 64]");
        let odd = Embedder { channels: 1, element: ElementType::U8, ..Embedder::default() };
        assert_eq!(ports(&odd.bytes()), "`input` u8 [?, 1, 112, 112] `embedding` f32 [?, 128]");
    }

    #[test]
    fn resnet_has_the_size_of_the_real_one_and_its_seed() {
        let bytes = resnet50_512(7);
        assert_eq!(ports(&bytes), "`input` f32 [?, 3, 112, 112] `embedding` f32 [?, 512]");
        assert_eq!(bytes.len() / 4_000_000, 43);
        assert!(bytes == resnet50_512(7) && bytes != resnet50_512(8));
    }
}
