//! Layers with random weights on top of [`GraphBuilder`].

use facecore::model::ElementType;
use facecore::model::onnx::{GraphBuilder, Value};

use crate::random::SplitMix64;

/// A graph that grows layer by layer: each method takes the name of its input and returns that of its
/// output.
pub(super) struct Graph {
    builder: GraphBuilder,
    random: SplitMix64,
    tensors: usize,
}

impl Graph {
    pub fn new(name: &str, seed: u64) -> Self {
        Graph { builder: GraphBuilder::new(name), random: SplitMix64(seed), tensors: 0 }
    }

    /// An input, converted to `F32` if it is of another type.
    pub fn input(&mut self, name: &str, element: ElementType, shape: &[Option<usize>]) -> String {
        self.builder.input(name, element, shape);
        if element == ElementType::F32 {
            return name.to_owned();
        }
        self.node("Cast", &[name], &[("to", Value::Int(ElementType::F32.onnx_code().into()))])
    }

    /// Makes `tensor` the output `name`.
    pub fn output(&mut self, tensor: &str, name: &str, shape: &[Option<usize>]) {
        self.builder.node("Identity", &[tensor], &[name], &[]);
        self.builder.output(name, ElementType::F32, shape);
    }

    pub fn finish(self) -> Vec<u8> {
        self.builder.finish().encode()
    }

    pub fn node(&mut self, op_type: &str, inputs: &[&str], attributes: &[(&str, Value)]) -> String {
        let output = self.fresh();
        self.builder.node(op_type, inputs, &[&output], attributes);
        output
    }

    /// Weights with the given values.
    pub fn weights(&mut self, shape: &[usize], values: &[f32]) -> String {
        let name = self.fresh();
        self.builder.weights(&name, shape, values);
        name
    }

    /// Weights between -`limit` and `limit`.
    pub fn random(&mut self, shape: &[usize], limit: f32) -> String {
        let values = uniform(&mut self.random, shape.iter().product(), limit);
        self.weights(shape, &values)
    }

    /// A square convolution without bias that keeps the variance of rectified inputs (He et al. 2015).
    pub fn conv(&mut self, x: &str, channels: (usize, usize), kernel: usize, stride: usize, pad: usize) -> String {
        let fan_in = channels.0 * kernel * kernel;
        let weight = self.random(&[channels.1, channels.0, kernel, kernel], (6.0 / fan_in as f32).sqrt());
        self.node(
            "Conv",
            &[x, &weight],
            &[
                ("kernel_shape", Value::Ints(vec![kernel as i64; 2])),
                ("strides", Value::Ints(vec![stride as i64; 2])),
                ("pads", Value::Ints(vec![pad as i64; 4])),
            ],
        )
    }

    /// A 1x1 convolution with `bias` and weights between -`limit` and `limit`.
    pub fn head(&mut self, x: &str, inputs: usize, limit: f32, bias: &[f32]) -> String {
        let weight = self.random(&[bias.len(), inputs, 1, 1], limit);
        let bias = self.weights(&[bias.len()], bias);
        self.node("Conv", &[x, &weight, &bias], &[("kernel_shape", Value::Ints(vec![1, 1]))])
    }

    /// `x` [batch, `sizes.0`] to [batch, `sizes.1`], keeping the variance.
    pub fn dense(&mut self, x: &str, sizes: (usize, usize), bias: f32) -> String {
        let weight = self.random(&[sizes.1, sizes.0], (3.0 / sizes.0 as f32).sqrt());
        let bias = self.weights(&[sizes.1], &vec![bias; sizes.1]);
        self.node("Gemm", &[x, &weight, &bias], &[("transB", Value::Int(1))])
    }

    /// A batch normalisation that multiplies by about `scale`.
    pub fn batch_norm(&mut self, x: &str, channels: usize, scale: f32) -> String {
        let near = |random: &mut SplitMix64, middle: f32| -> Vec<f32> {
            uniform(random, channels, 0.1).iter().map(|noise| middle + noise).collect()
        };
        let values = [scale, 0.0, 0.0, 1.0].map(|middle| near(&mut self.random, middle));
        let [scale, bias, mean, variance] = values.map(|values| self.weights(&[channels], &values));
        self.node("BatchNormalization", &[x, &scale, &bias, &mean, &variance], &[])
    }

    pub fn prelu(&mut self, x: &str, channels: usize) -> String {
        let slope = self.weights(&[channels, 1, 1], &vec![0.25; channels]);
        self.node("PRelu", &[x, &slope], &[])
    }

    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let name = self.fresh();
        self.builder.integers(&name, shape);
        self.node("Reshape", &[x, &name], &[])
    }

    fn fresh(&mut self) -> String {
        self.tensors += 1;
        format!("t{}", self.tensors)
    }
}

/// `count` values between -`limit` and `limit`, two from each draw.
fn uniform(random: &mut SplitMix64, count: usize, limit: f32) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let bits = random.next();
        let scaled = |half: u32| half as i32 as f32 * (limit / 2_147_483_648.0);
        values.extend([scaled(bits as u32), scaled((bits >> 32) as u32)]);
    }
    values.truncate(count);
    values
}
