//! A model's inputs and outputs, as its file or its runtime declares them.

use std::fmt;

/// The type of one element of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 16-bit float.
    F16,
    /// 16-bit float with the exponent range of `F32`.
    Bf16,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 16-bit integer.
    I16,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 64-bit integer.
    U64,
    /// True or false.
    Bool,
    /// Text.
    String,
    /// Any other `TensorProto.DataType`; 0 where the port is no tensor or declares no type.
    Other(i32),
}

/// `TensorProto.DataType` of onnx.proto, and the name shown to people.
const TYPES: [(ElementType, i32, &str); 14] = [
    (ElementType::F32, 1, "f32"),
    (ElementType::U8, 2, "u8"),
    (ElementType::I8, 3, "i8"),
    (ElementType::U16, 4, "u16"),
    (ElementType::I16, 5, "i16"),
    (ElementType::I32, 6, "i32"),
    (ElementType::I64, 7, "i64"),
    (ElementType::String, 8, "string"),
    (ElementType::Bool, 9, "bool"),
    (ElementType::F16, 10, "f16"),
    (ElementType::F64, 11, "f64"),
    (ElementType::U32, 12, "u32"),
    (ElementType::U64, 13, "u64"),
    (ElementType::Bf16, 16, "bf16"),
];

impl ElementType {
    /// The type of a `TensorProto.DataType`.
    pub fn from_onnx(code: i32) -> Self {
        TYPES.iter().find(|entry| entry.1 == code).map_or(ElementType::Other(code), |entry| entry.0)
    }

    /// The `TensorProto.DataType`.
    pub fn onnx_code(self) -> i32 {
        match self {
            ElementType::Other(code) => code,
            known => TYPES.iter().find(|entry| entry.0 == known).map_or(0, |entry| entry.1),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TYPES.iter().find(|entry| entry.0 == *self) {
            Some(entry) => f.write_str(entry.2),
            None => write!(f, "type-{}", self.onnx_code()),
        }
    }
}

/// One input or output: `input.1 f32 [1, 3, ?, ?]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// The name that the runtime knows it by.
    pub name: String,
    /// The type of its elements.
    pub element: ElementType,
    /// Its dimensions, `None` where one is decided at run time. Empty for a scalar, and for a port
    /// that declares no shape at all.
    pub shape: Vec<Option<usize>>,
}

impl PortInfo {
    /// Whether it can hold face embeddings: [batch, dimension] with a dimension of 64 or more, as galleries take, or one the
    /// file does not say.
    pub fn is_embedding(&self) -> bool {
        matches!(self.shape.as_slice(), [_, dimension] if dimension.is_none_or(|dimension| dimension >= 64))
    }
}

impl fmt::Display for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {} [", self.name, self.element)?;
        for (position, dimension) in self.shape.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            match dimension {
                Some(size) => write!(f, "{comma}{size}")?,
                None => write!(f, "{comma}?")?,
            }
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_map_both_ways() {
        for code in 0..30 {
            assert_eq!(ElementType::from_onnx(code).onnx_code(), code);
        }
    }

    #[test]
    fn ports_read_well() {
        let shape = vec![Some(1), Some(3), None, None];
        let port = PortInfo { name: "input.1".into(), element: ElementType::F32, shape };
        assert_eq!(port.to_string(), "`input.1` f32 [1, 3, ?, ?]");
        let scalar = PortInfo { name: "x".into(), element: ElementType::Other(23), shape: Vec::new() };
        assert_eq!(scalar.to_string(), "`x` type-23 []");
    }
}
