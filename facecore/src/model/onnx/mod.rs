//! ONNX files: what a model declares, and the few edits that runtimes need.
//!
//! Everything that facecore does not interpret survives [`OnnxModel::parse`] and
//! [`OnnxModel::encode`] unchanged.

mod build;
mod defaults;
mod proto;
mod sniff;

use std::collections::HashSet;

use prost::Message;

use crate::error::{Error, ErrorKind, Result, fail};

use super::port::{ElementType, PortInfo};
pub use build::{GraphBuilder, Value};
use proto::{AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, ValueInfoProto};

/// An ONNX file, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxModel {
    proto: ModelProto,
}

impl OnnxModel {
    /// Reads a model from the bytes of its file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ModelCorrupt`] where the bytes are no ONNX model, saying what they are instead if
    /// that is evident (a Git LFS pointer, a web page, another format).
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            fail!(ModelCorrupt, "the model file is empty");
        }
        if let Some(what) = sniff::what_else(bytes) {
            fail!(ModelCorrupt, "{what}, not an ONNX model");
        }
        let proto = ModelProto::decode(bytes).map_err(|source| {
            let message = format!("not an ONNX model, or cut short or damaged ({} bytes): {source}", bytes.len());
            Error::new(ErrorKind::ModelCorrupt, message).with_source(source)
        })?;
        if proto.graph.as_ref().is_none_or(|graph| graph.output.is_empty()) {
            fail!(ModelCorrupt, "not an ONNX model: it decodes, but holds no graph with outputs");
        }
        Ok(OnnxModel { proto })
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        self.proto.encode_to_vec()
    }

    /// What the model is fed, in the file's order. Initializers are left out: older files list the
    /// weights among the inputs.
    pub fn inputs(&self) -> Vec<PortInfo> {
        let Some(graph) = &self.proto.graph else { return Vec::new() };
        let sparse = graph.sparse_initializer.iter().filter_map(|tensor| tensor.values.as_ref());
        let weights: HashSet<&str> = graph.initializer.iter().chain(sparse).map(|tensor| tensor.name()).collect();
        graph.input.iter().filter(|input| !weights.contains(input.name())).map(port).collect()
    }

    /// What the model answers, in the file's order.
    pub fn outputs(&self) -> Vec<PortInfo> {
        self.proto.graph.iter().flat_map(|graph| &graph.output).map(port).collect()
    }

    /// Whether the graph subtracts the mean and scales by itself, so that it wants pixels from 0 to 255.
    ///
    /// insightface's rule (`arcface_onnx.py`, `landmark.py`): among the first eight nodes are a
    /// subtraction and a multiplication, or among the first three a batch normalisation of the data.
    pub fn starts_with_normalisation(&self) -> bool {
        let nodes = self.proto.graph.as_ref().map_or(&[][..], |graph| &graph.node);
        let is = |node: &NodeProto, op_type, prefixes: [&str; 2]| {
            node.op_type() == op_type || prefixes.iter().any(|prefix| node.name().starts_with(prefix))
        };
        let first = &nodes[..nodes.len().min(8)];
        let subtracts = first.iter().any(|node| is(node, "Sub", ["Sub", "_minus"]));
        let multiplies = first.iter().any(|node| is(node, "Mul", ["Mul", "_mul"]));
        subtracts && multiplies || nodes.iter().take(3).any(|node| node.name() == "bn_data")
    }

    /// Writes out the attributes of convolutions and pools that ONNX lets a file omit, and says whether
    /// that changed anything.
    ///
    /// The rten runtime infers the number of spatial dimensions from `kernel_shape` and takes a pool's
    /// absent strides for none, so it refuses such nodes when it reaches them.
    pub fn spell_out_defaults(&mut self) -> bool {
        self.proto.graph.as_mut().is_some_and(defaults::spell_out)
    }

    /// A node, in the graph or in one inside it, whose attribute `name` is the text `value`.
    pub fn node_with(&self, name: &str, value: &str) -> Option<String> {
        fn search(graph: &GraphProto, name: &str, value: &str) -> Option<String> {
            graph.node.iter().find_map(|node| {
                let has = |attribute: &AttributeProto| {
                    attribute.name.as_deref() == Some(name) && attribute.s.as_deref() == Some(value.as_bytes())
                };
                if node.attribute.iter().any(has) {
                    return Some(format!("{} `{}`", node.op_type(), node.name()));
                }
                let inner = node
                    .attribute
                    .iter()
                    .flat_map(|attribute| attribute.g.as_deref().into_iter().chain(&attribute.graphs));
                inner.into_iter().find_map(|graph| search(graph, name, value))
            })
        }
        search(self.proto.graph.as_ref()?, name, value)
    }
}

fn port(info: &ValueInfoProto) -> PortInfo {
    let tensor = info.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let dimensions = tensor.and_then(|tensor| tensor.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
    PortInfo {
        name: info.name().to_owned(),
        element: ElementType::from_onnx(tensor.map_or(0, |tensor| tensor.elem_type())),
        shape: dimensions.iter().map(fixed_size).collect(),
    }
}

/// Exporters write a dynamic dimension as a name, as nothing, as 0 or as -1.
fn fixed_size(dimension: &DimensionProto) -> Option<usize> {
    usize::try_from(dimension.dim_value?).ok().filter(|&size| size > 0)
}

#[cfg(test)]
mod tests;
