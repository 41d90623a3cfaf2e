//! Tests of the stores as wholes.

mod conformance;
mod crashes;
mod disk;
mod local;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Read, Row, Table};

/// A folder that is gone after the test.
pub(super) struct TempFolder(PathBuf);

impl TempFolder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("facecore-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        crate::files::make_folder(&folder).unwrap();
        TempFolder(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

/// All rows of a table.
pub(super) fn rows(read: &(impl Read + ?Sized), table: Table) -> Vec<Row> {
    read.range(table, &[], None).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The same numbers for the same seed.
pub(super) struct Random(pub u64);

impl Random {
    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (self.0 >> 33) % end
    }
}
