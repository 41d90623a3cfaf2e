//! Whether bytes are a file of sections. Takes nothing on trust.

use std::ops::Range;

use super::{ALIGNMENT, CHECKSUM, ENTRY, FORMAT, PREAMBLE, checksum, head_checksum};

/// Where things are in a file that was checked. All ranges are within it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Layout {
    pub header: Range<usize>,
    pub sections: Vec<Range<usize>>,
}

/// Checks every bit of `file`; the error says what is wrong. `announce` is told the offset and length
/// of each part before it is read.
pub(in crate::store) fn check(file: &[u8], kind: [u8; 8], announce: impl Fn(usize, usize)) -> Result<Layout, String> {
    let head = head(file, kind)?;
    if head_checksum(&file[..head.end]) != number(file, CHECKSUM.start) {
        return Err("the checksum of its head is wrong".to_owned());
    }
    let sections = (0..head.count).map(|at| section(file, &head, at)).collect::<Result<Vec<_>, _>>()?;
    let mut end = head.end;
    for range in &sections {
        if range.start != end.next_multiple_of(ALIGNMENT) || file[end..range.start].iter().any(|&byte| byte != 0) {
            return Err("there is something between its sections".to_owned());
        }
        end = range.end;
    }
    if end != file.len() {
        return Err("there is something after its last section".to_owned());
    }
    for (at, range) in sections.iter().enumerate() {
        let sum = checksum(&file[range.clone()], |start, length| announce(range.start + start, length));
        if sum != number(file, PREAMBLE + ENTRY * at + 16) {
            return Err(format!("the checksum of section {at} of {} is wrong", head.count));
        }
    }
    Ok(Layout { header: head.end - head.header..head.end, sections })
}

/// Gives `file` what a fuzzer does not find: the kind, the format, the length, and the head's checksum.
pub(in crate::store) fn seal(file: &mut [u8], kind: [u8; 8]) {
    let length = (file.len() as u64).to_le_bytes();
    let Some(preamble) = file.first_chunk_mut::<PREAMBLE>() else { return };
    preamble[..8].copy_from_slice(&kind);
    preamble[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    preamble[24..32].copy_from_slice(&length);
    if let Ok(head) = head(file, kind) {
        let sum = head_checksum(&file[..head.end]);
        file[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    }
}

struct Head {
    /// How many sections there are.
    count: usize,
    /// Length of the caller's header.
    header: usize,
    /// Where it ends.
    end: usize,
}

/// Reads the lengths, which must fit the file's.
fn head(file: &[u8], kind: [u8; 8]) -> Result<Head, String> {
    let Some(preamble) = file.first_chunk::<PREAMBLE>() else {
        return Err(format!("it has {} bytes, fewer than its head", file.len()));
    };
    if preamble[..8] != kind {
        return Err(format!("it is no file of the kind `{}`", kind.escape_ascii()));
    }
    match short_number(file, 8) {
        1..=FORMAT => {}
        0 => return Err("it has no format".to_owned()),
        newer => {
            return Err(format!("it was made by a newer facecore (format {newer}; this one reads up to {FORMAT})"));
        }
    }
    let length = number(file, 24);
    if length != file.len() as u64 {
        return Err(format!("it has {} bytes instead of {length}", file.len()));
    }
    let count = short_number(file, 12) as usize;
    let too_long = || "its head is longer than the file".to_owned();
    let header = usize::try_from(number(file, 16)).map_err(|_| too_long())?;
    let list = count.checked_mul(ENTRY).and_then(|list| list.checked_add(PREAMBLE));
    let end = list.and_then(|list| list.checked_add(header)).filter(|&end| end <= file.len());
    Ok(Head { count, header, end: end.ok_or_else(too_long)? })
}

fn section(file: &[u8], head: &Head, at: usize) -> Result<Range<usize>, String> {
    let entry = PREAMBLE + ENTRY * at;
    let range = || {
        let start = usize::try_from(number(file, entry)).ok()?;
        let end = start.checked_add(usize::try_from(number(file, entry + 8)).ok()?)?;
        (head.end <= start && end <= file.len()).then_some(start..end)
    };
    range().ok_or_else(|| format!("section {at} of {} lies outside of it", head.count))
}

/// The number at `at`, which must be at least 8 bytes before the end.
fn number(file: &[u8], at: usize) -> u64 {
    file[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn short_number(file: &[u8], at: usize) -> u32 {
    file[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
