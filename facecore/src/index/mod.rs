//! Vector indexes. An index knows slots, vectors and opaque labels; people and disks are the
//! gallery's business.

pub(crate) mod flat;
