//! What a fuzz target calls: the readers of records.

use super::values::{Change, FaceRow, NamespaceRow, PersonRow, Value};
use crate::store::record::seal;

/// Reads `fields`, with the checksum that makes them whole, as every kind of record under `key`; tells
/// how many kinds they are a record of. Panics if one is written differently than it was read.
pub fn read_record(key: &[u8], fields: &[u8]) -> usize {
    // The checksum would keep a fuzzer out of everything behind it.
    let whole = seal(key, fields);
    let kinds = [read::<NamespaceRow>, read::<PersonRow>, read::<FaceRow>, read::<Change>];
    kinds.iter().filter(|read| read(key, &whole)).count()
}

fn read<V: Value>(key: &[u8], bytes: &[u8]) -> bool {
    let Ok(value) = V::from_bytes(key, bytes) else { return false };
    assert!(value.to_bytes(key) == bytes, "not what was read");
    true
}
