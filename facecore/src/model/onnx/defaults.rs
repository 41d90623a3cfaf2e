//! Attributes that ONNX lets a file omit, written out.

use std::collections::HashMap;

use super::build::Value;
use super::proto::{AttributeProto, GraphProto, NodeProto, ValueInfoProto};

/// The dimensions of tensors whose shape the file tells.
type Shapes = HashMap<String, Vec<i64>>;

/// The shapes known in a graph, and in the graphs around it, whose tensors its nodes may name.
struct Scope<'a> {
    shapes: Shapes,
    outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    fn shape(&self, tensor: &str) -> Option<&[i64]> {
        let here = self.shapes.get(tensor).map(Vec::as_slice);
        here.or_else(|| self.outer.and_then(|outer| outer.shape(tensor)))
    }
}

/// Writes out the defaults of every convolution and pool of `graph` and of the graphs inside it.
pub(super) fn spell_out(graph: &mut GraphProto) -> bool {
    in_graph(graph, None)
}

fn in_graph(graph: &mut GraphProto, outer: Option<&Scope<'_>>) -> bool {
    let scope = Scope { shapes: declared_shapes(graph), outer };
    let mut changed = false;
    for node in &mut graph.node {
        changed |= in_node(node, &scope);
        for attribute in &mut node.attribute {
            for inner in attribute.g.as_deref_mut().into_iter().chain(&mut attribute.graphs) {
                changed |= in_graph(inner, Some(&scope));
            }
        }
    }
    changed
}

/// Weights, constants, what is computed from them keeping their shape, and static shapes on record.
fn declared_shapes(graph: &GraphProto) -> Shapes {
    let mut shapes = Shapes::new();
    for info in graph.value_info.iter().chain(&graph.input) {
        shapes.extend(static_shape(info).map(|shape| (info.name().to_owned(), shape)));
    }
    shapes.extend(graph.initializer.iter().map(|tensor| (tensor.name().to_owned(), tensor.dims.clone())));
    for sparse in &graph.sparse_initializer {
        shapes.extend(sparse.values.as_ref().map(|values| (values.name().to_owned(), sparse.dims.clone())));
    }
    for node in &graph.node {
        let shape = match node.op_type() {
            "Constant" => find(node, "value").and_then(|value| value.t.as_ref()).map(|tensor| tensor.dims.clone()),
            "Identity" | "Cast" | "QuantizeLinear" | "DequantizeLinear" => {
                node.input.first().and_then(|input| shapes.get(input)).cloned()
            }
            _ => None,
        };
        if let (Some(shape), Some(output)) = (shape, node.output.first()) {
            shapes.insert(output.clone(), shape);
        }
    }
    shapes
}

fn static_shape(info: &ValueInfoProto) -> Option<Vec<i64>> {
    let shape = info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    shape.dim.iter().map(|dimension| dimension.dim_value.filter(|&size| size > 0)).collect()
}

fn in_node(node: &mut NodeProto, scope: &Scope<'_>) -> bool {
    let is_pool = match node.op_type() {
        "Conv" | "ConvInteger" | "ConvTranspose" => false,
        "MaxPool" | "AveragePool" => true,
        _ => return false,
    };
    // A weight is [output channels, input channels / group, kernel...]; a pool must declare its kernel.
    let from_weight = || node.input.get(1).and_then(|weight| scope.shape(weight)?.get(2..)).map(<[i64]>::to_vec);
    let declared = find(node, "kernel_shape").map(|attribute| attribute.ints.clone());
    let Some(kernel) = declared.or_else(|| if is_pool { None } else { from_weight() }) else { return false };

    let spatial = kernel.len();
    let mut missing = vec![("strides", Value::Ints(vec![1; spatial]))];
    // `auto_pad` and `output_shape` decide the padding instead.
    let pads_by_rule = find(node, "auto_pad").is_some_and(|rule| !matches!(rule.s(), b"" | b"NOTSET"));
    if !pads_by_rule && find(node, "output_shape").is_none() {
        missing.push(("pads", Value::Ints(vec![0; 2 * spatial])));
    }
    // Pools have no groups, and dilations only since opset 10 (MaxPool) and 19 (AveragePool).
    if !is_pool {
        missing.push(("kernel_shape", Value::Ints(kernel)));
        missing.push(("dilations", Value::Ints(vec![1; spatial])));
        missing.push(("group", Value::Int(1)));
    }
    missing.retain(|(name, _)| find(node, name).is_none());
    let changed = !missing.is_empty();
    node.attribute.extend(missing.into_iter().map(|(name, value)| value.named(name)));
    changed
}

fn find<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name() == name)
}
