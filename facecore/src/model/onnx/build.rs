//! Writing small ONNX graphs from code, for generated models.

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
};
use super::{ElementType, OnnxModel};

/// IR 7 and opset 13 are read by every runtime that facecore uses.
const IR_VERSION: i64 = 7;
const OPSET: i64 = 13;

/// The value of a node's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One integer.
    Int(i64),
    /// A list of integers.
    Ints(Vec<i64>),
    /// One float.
    Float(f32),
    /// A list of floats.
    Floats(Vec<f32>),
    /// Text.
    Text(String),
}

impl Value {
    pub(super) fn named(self, name: &str) -> AttributeProto {
        let mut attribute = AttributeProto { name: Some(name.to_owned()), ..Default::default() };
        attribute.r#type = Some(match self {
            Value::Int(value) => {
                attribute.i = Some(value);
                attribute_type::INT
            }
            Value::Ints(values) => {
                attribute.ints = values;
                attribute_type::INTS
            }
            Value::Float(value) => {
                attribute.f = Some(value);
                attribute_type::FLOAT
            }
            Value::Floats(values) => {
                attribute.floats = values;
                attribute_type::FLOATS
            }
            Value::Text(value) => {
                attribute.s = Some(value.into_bytes());
                attribute_type::STRING
            }
        });
        attribute
    }
}

/// Collects nodes and weights into an [`OnnxModel`] of opset 13.
///
/// Tensors are known by their names. Nothing is checked: a graph that makes no sense is refused by the
/// runtime that loads it.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: GraphProto,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        GraphBuilder { graph: GraphProto { name: Some(name.into()), ..Default::default() } }
    }

    /// Declares an input; `None` is a dimension decided at run time.
    pub fn input(&mut self, name: &str, element: ElementType, shape: &[Option<usize>]) {
        self.graph.input.push(value_info(name, element, shape));
    }

    /// Declares which tensor is an output; `None` is a dimension decided at run time.
    pub fn output(&mut self, name: &str, element: ElementType, shape: &[Option<usize>]) {
        self.graph.output.push(value_info(name, element, shape));
    }

    /// Stores weights, row by row.
    pub fn weights(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, ElementType::F32, shape, raw);
    }

    /// Stores a list of integers, such as the shape that a `Reshape` wants.
    pub fn integers(&mut self, name: &str, values: &[i64]) {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, ElementType::I64, &[values.len()], raw);
    }

    fn initializer(&mut self, name: &str, element: ElementType, shape: &[usize], raw: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: Some(element.onnx_code()),
            name: Some(name.to_owned()),
            raw_data: Some(raw),
            ..Default::default()
        });
    }

    /// Adds a node, after those that compute its inputs. It is named after its first output.
    pub fn node(&mut self, op_type: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, Value)]) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: outputs.iter().map(|&name| name.to_owned()).collect(),
            name: outputs.first().map(|&name| name.to_owned()),
            op_type: Some(op_type.to_owned()),
            attribute: attributes.iter().map(|(name, value)| value.clone().named(name)).collect(),
            ..Default::default()
        });
    }

    /// The finished model.
    pub fn finish(self) -> OnnxModel {
        OnnxModel {
            proto: ModelProto {
                ir_version: Some(IR_VERSION),
                producer_name: Some(b"facecore".to_vec()),
                graph: Some(self.graph),
                opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
                ..Default::default()
            },
        }
    }
}

fn value_info(name: &str, element: ElementType, shape: &[Option<usize>]) -> ValueInfoProto {
    let dimension = |(position, size): (usize, &Option<usize>)| DimensionProto {
        dim_value: size.map(|size| size as i64),
        // Named per tensor: equal names would promise equal sizes.
        dim_param: size.is_none().then(|| format!("{name}_{position}")),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: shape.iter().enumerate().map(dimension).collect() };
    let tensor = TensorTypeProto { elem_type: Some(element.onnx_code()), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor), ..Default::default() }),
        ..Default::default()
    }
}
