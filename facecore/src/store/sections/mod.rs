//! Immutable files of byte sections, every bit of which is checked when they are opened.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | the kind of file |
//! | 4, 4 | format (1); number of sections |
//! | 8, 8 | length of the header; length of the file |
//! | 8 | checksum of all that is above and of the two rows below |
//! | 24 for each section | offset, length, checksum |
//! | as said above | the header, which is the caller's |
//! | the rest | the sections, each at a multiple of 64; zeros between them |
//!
//! Numbers are little endian. A section's checksum is XXH3-64 over the XXH3-64 of each of its blocks of
//! 1 MiB, so that several threads could work on one section. One does: a writer that waited for threads of a
//! shared pool, which may be waiting for the writer, would wait for ever.

mod check;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(super) use check::{Layout, check, seal};
use xxhash_rust::xxh3::xxh3_64;

use super::mapped::Mapped;
use crate::error::{Error, ErrorKind, Result};
use crate::files;

const FORMAT: u32 = 1;
/// What is before the list of sections.
const PREAMBLE: usize = 40;
/// The checksum's place in it.
const CHECKSUM: Range<usize> = 32..40;
/// An entry of the list of sections.
const ENTRY: usize = 24;
const ALIGNMENT: usize = 64;
const BLOCK: usize = 1 << 20;

/// Writes a file that is complete and durable when it appears under `path`; one that was there is
/// replaced. Only its owner may read it. `fill` is called for each of `count` sections and writes it.
///
/// Errors with `Io`, and then leaves what was there.
pub(crate) fn write(
    path: &Path,
    kind: [u8; 8],
    header: &[u8],
    count: usize,
    fill: impl FnMut(usize, &mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let new = files::unfinished(path);
    let written = write_parts(&new, kind, header, count, fill)
        .and_then(|()| std::fs::rename(&new, path))
        .and_then(|()| files::sync_folder_of(path));
    written.map_err(|error| {
        // The error that led here says more than one about the remains could.
        files::remove(&new).unwrap_or_default();
        files::failure(path, "write", &error)
    })
}

fn write_parts(
    path: &Path,
    kind: [u8; 8],
    header: &[u8],
    count: usize,
    mut fill: impl FnMut(usize, &mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = files::make_new(path)?;
    let mut end = PREAMBLE + ENTRY * count + header.len();
    let mut list = Vec::with_capacity(ENTRY * count);
    let mut block = Vec::with_capacity(BLOCK);
    for at in 0..count {
        let start = end.next_multiple_of(ALIGNMENT);
        // The head comes last; what is left out between sections reads as zeros.
        file.seek(SeekFrom::Start(start as u64))?;
        let mut section = SectionWriter { file: &mut file, block: &mut block, sums: Vec::new(), length: 0 };
        fill(at, &mut section)?;
        section.end_block()?;
        let SectionWriter { sums, length, .. } = section;
        for number in [start as u64, length as u64, sum_of(&sums)] {
            list.extend_from_slice(&number.to_le_bytes());
        }
        end = start + length;
    }
    file.set_len(end as u64)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&head(kind, header, &list, end))?;
    file.sync_all()
}

/// Writes a section block by block, and sums each up.
struct SectionWriter<'a> {
    file: &'a mut File,
    block: &'a mut Vec<u8>,
    sums: Vec<u64>,
    length: usize,
}

impl Write for SectionWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (taken, _) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
        self.block.extend_from_slice(taken);
        self.length += taken.len();
        if self.block.len() == BLOCK {
            self.end_block()?;
        }
        Ok(taken.len())
    }

    /// Only whole blocks are written.
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl SectionWriter<'_> {
    fn end_block(&mut self) -> std::io::Result<()> {
        if !self.block.is_empty() {
            self.sums.push(xxh3_64(self.block).to_le());
            self.file.write_all(self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}

/// All that is before the first section's padding. `list` has an entry for each section, `end` is the file's length.
fn head(kind: [u8; 8], header: &[u8], list: &[u8], end: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(PREAMBLE + list.len() + header.len());
    head.extend_from_slice(&kind);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(&((list.len() / ENTRY) as u32).to_le_bytes());
    head.extend_from_slice(&(header.len() as u64).to_le_bytes());
    head.extend_from_slice(&(end as u64).to_le_bytes());
    head.extend_from_slice(&[0; CHECKSUM.end - CHECKSUM.start]);
    head.extend_from_slice(list);
    head.extend_from_slice(header);
    let sum = head_checksum(&head);
    head[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    head
}

/// The checksum of a head, whose own place does not count.
fn head_checksum(head: &[u8]) -> u64 {
    let parts = [xxh3_64(&head[..CHECKSUM.start]), xxh3_64(&head[CHECKSUM.end..])];
    xxh3_64(bytemuck::cast_slice(&parts.map(u64::to_le)))
}

/// The checksum of a section. `announce` is told the offset and length of each block before it is read.
fn checksum(section: &[u8], announce: impl Fn(usize, usize)) -> u64 {
    let block = |(at, block): (usize, &[u8])| {
        announce(at * BLOCK, block.len());
        xxh3_64(block).to_le()
    };
    sum_of(&section.chunks(BLOCK).enumerate().map(block).collect::<Vec<u64>>())
}

/// The checksum of a section whose blocks have these.
fn sum_of(blocks: &[u64]) -> u64 {
    xxh3_64(bytemuck::cast_slice(blocks))
}

/// A file of sections that was found to be whole.
pub(crate) struct Sections {
    map: Arc<Mapped>,
    layout: Layout,
}

impl Sections {
    /// Opens the file at `path` and checks every bit of it.
    ///
    /// Errors with `Io` if it cannot be read; with `GalleryCorrupt` if it is damaged, cut, of another
    /// kind than `kind`, or made by a newer version.
    pub fn open(path: &Path, kind: [u8; 8]) -> Result<Sections> {
        let failed = |error| files::failure(path, "read", &error);
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            return Err(corrupt(path, "the file is empty"));
        }
        let map = Arc::new(Mapped::new(&file).map_err(failed)?);
        let layout = check(map.bytes(), kind, |start, length| map.populate(start, length));
        let layout = layout.map_err(|damage| corrupt(path, &damage))?;
        Ok(Sections { map, layout })
    }

    /// The caller's header.
    pub fn header(&self) -> &[u8] {
        &self.map.bytes()[self.layout.header.clone()]
    }

    /// The number of sections.
    pub fn count(&self) -> usize {
        self.layout.sections.len()
    }

    /// The section `at`, counted from 0, which keeps the file mapped as long as it lives. Its bytes
    /// begin at a multiple of 64.
    pub fn section(&self, at: usize) -> Option<Section> {
        let range = self.layout.sections.get(at)?.clone();
        Some(Section { map: Arc::clone(&self.map), range })
    }
}

/// The bytes of a section, shared.
#[derive(Clone)]
pub(crate) struct Section {
    map: Arc<Mapped>,
    range: Range<usize>,
}

impl AsRef<[u8]> for Section {
    fn as_ref(&self) -> &[u8] {
        &self.map.bytes()[self.range.clone()]
    }
}

fn corrupt(path: &Path, how: &str) -> Error {
    Error::new(ErrorKind::GalleryCorrupt, format!("{} is damaged: {how}", path.display()))
}
