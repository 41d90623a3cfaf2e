//! A file mapped into memory for reading: the one place that needs `unsafe` for it.

use std::fs::File;
use std::io::Result;

/// The bytes of a file, as they were when it was opened.
///
/// Sound only for files that nobody changes in place. The files mapped here are private to their owner,
/// written under another name, renamed when they are complete, and from then on only removed, which
/// leaves the bytes where they are until the last map is gone. Nothing here cuts or overwrites one.
pub(super) struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps the file from its beginning to its end. An empty file is an error.
    #[allow(unsafe_code)]
    pub fn new(file: &File) -> Result<Mapped> {
        // SAFETY: the bytes must not change while they are borrowed, and the file must not become
        // shorter. It is complete and is never written again, as said above. The length mapped is the
        // file's own at this moment, so that a file which was cut before has no bytes beyond its end.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Mapped(map))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Brings a part into the page tables with one call instead of a fault for every few pages. Where
    /// the system cannot, the faults do.
    #[cfg(target_os = "linux")]
    pub fn populate(&self, start: usize, length: usize) {
        self.0.advise_range(memmap2::Advice::PopulateRead, start, length).unwrap_or_default();
    }

    #[cfg(not(target_os = "linux"))]
    pub fn populate(&self, _: usize, _: usize) {}
}
