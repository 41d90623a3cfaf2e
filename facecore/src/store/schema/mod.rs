//! The rows of a gallery: what is stored under which key.
//!
//! Numbers in keys are big endian, so that rows sort by them; values are described in `record.rs`.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | Meta | a name | a number, little endian, without a checksum |
//! | Namespaces | name | [`NamespaceRow`] |
//! | Persons | namespace u32, id | [`PersonRow`] |
//! | Numbers | namespace u32, person u32 | the person's id |
//! | Faces | face u64 | [`FaceRow`] |
//! | Owned | namespace u32, person u32, hash of the vector u128, face u64 | nothing |
//! | Log | sequence u64, namespace u32 | [`Change`] |

pub mod fuzz;
mod keys;
mod rows;
#[cfg(test)]
mod tests;
mod values;
mod write;

pub(crate) use rows::Rows;
pub(crate) use values::{Change, FaceRow, NamespaceRow, PersonRow};
pub(crate) use write::{RowsMut, prepare};

/// The format that this version writes; it reads this one and older ones.
pub(crate) const FORMAT: u32 = 1;

/// What tells equal vectors: XXH3-128 of the values' little-endian bytes.
pub(crate) fn vector_hash(values: &[f32]) -> u128 {
    #[cfg(target_endian = "little")]
    return xxhash_rust::xxh3::xxh3_128(bytemuck::cast_slice(values));
    #[cfg(target_endian = "big")]
    return xxhash_rust::xxh3::xxh3_128(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
}
