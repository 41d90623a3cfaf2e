//! Whether the entropy-coded data of a JPEG are whole.
//!
//! libjpeg-turbo decodes whatever the bits happen to mean: behind a damaged place it finds its way back
//! to the codes soon, but not to the place in the picture, and at most warns. So the codes are walked
//! through once before, without computing pixels.

use std::sync::Arc;

use libjpeg_turbo_rs::common::huffman_table::HuffmanTable;
use libjpeg_turbo_rs::common::types::ComponentInfo;
use libjpeg_turbo_rs::decode::bitstream::BitReader;
use libjpeg_turbo_rs::decode::marker::{JpegMetadata, ScanInfo};

use crate::error::{Result, fail};

/// More zero bytes in a row than entropy-coded photos have.
const ZERO_RUN: usize = 128;

/// More bytes left over at the end of a scan than harmless programs leave (up to 8 of the slack are
/// read ahead and never seen as left over).
const SLACK: usize = 16;

/// Refuses what a decoder would turn into a wrong picture without noticing.
pub(super) fn check(bytes: &[u8], metadata: &JpegMetadata) -> Result<()> {
    for component in &metadata.frame.components {
        let in_scan = |scan: &ScanInfo| {
            scan.header.spec_start == 0
                && scan.header.components.iter().any(|selector| selector.component_id == component.id)
        };
        if !metadata.frame.is_lossless && !metadata.scans.iter().any(in_scan) {
            fail!(ImageCorrupt, "the JPEG is damaged: one of its colour components is missing");
        }
    }
    if metadata.frame.is_progressive {
        check_progression(metadata)?;
    }
    for scan in &metadata.scans {
        let data = bytes.get(scan.data_offset..).unwrap_or_default();
        let zeros = longest_zero_run(data, scan.restart_interval > 0)?;
        if zeros > ZERO_RUN && zeros - ZERO_RUN > zeros_of_flat_blocks(scan, metadata) {
            fail!(ImageCorrupt, "the JPEG is damaged: a part of its data was replaced by {zeros} zeros");
        }
        if !metadata.frame.is_lossless {
            walk(data, scan, metadata)?;
        }
    }
    Ok(())
}

/// A scan of a progressive picture adds bits to coefficients where an earlier one left off: otherwise
/// the earlier one was lost. The last bits may be missing, as some encoders leave them out.
fn check_progression(metadata: &JpegMetadata) -> Result<()> {
    let mut known = [[None; 64]; 4];
    for ScanInfo { header, .. } in &metadata.scans {
        for selector in &header.components {
            let places = known.iter_mut().zip(&metadata.frame.components);
            for (known, _) in places.filter(|(_, component)| component.id == selector.component_id) {
                let band = known.get_mut(header.spec_start.into()..=header.spec_end.into());
                for low_bit in band.unwrap_or_default() {
                    if low_bit.unwrap_or(0) != header.succ_high {
                        fail!(ImageCorrupt, "the JPEG is damaged: one of its scans is missing");
                    }
                    *low_bit = Some(header.succ_low);
                }
            }
        }
    }
    Ok(())
}

/// The longest run of zero bytes in a scan's data, which end before the first marker that is no restart.
/// Restart markers count from 0 to 7 and over again: where one is out of turn, a part was lost.
fn longest_zero_run(data: &[u8], restarts: bool) -> Result<usize> {
    // Any run of more than ZERO_RUN fills one of these chunks.
    if !restarts && !data.as_chunks::<{ ZERO_RUN / 2 }>().0.contains(&[0; ZERO_RUN / 2]) {
        return Ok(0);
    }
    let (mut longest, mut run, mut expected) = (0, 0, 0);
    let mut bytes = data.iter();
    while let Some(&byte) = bytes.next() {
        if byte == 0 {
            run += 1;
            longest = longest.max(run);
            continue;
        }
        run = 0;
        if byte != 0xFF {
            continue;
        }
        match bytes.by_ref().find(|&&byte| byte != 0xFF) {
            Some(0) => {}
            Some(marker @ 0xD0..=0xD7) if restarts => {
                if marker - 0xD0 != expected {
                    fail!(ImageCorrupt, "the JPEG is damaged: a part between two restart markers is missing");
                }
                expected = (expected + 1) % 8;
            }
            _ => break,
        }
    }
    Ok(longest)
}

/// How many bytes of zeros can be true: where the codes of zeros stand for "as the block before" and
/// "no details", an even surface is all zeros. Elsewhere zeros mean details of the same strength at all
/// frequencies, which nothing shows.
fn zeros_of_flat_blocks(scan: &ScanInfo, metadata: &JpegMetadata) -> usize {
    let (frame, header) = (&metadata.frame, &scan.header);
    let first_code = |tables: &[Option<Arc<HuffmanTable>>], index: u8| table(tables, index)?.lookup(0).ok();
    if frame.is_progressive && header.spec_start > 0 {
        return 0;
    }
    let mut bits = 0;
    for component in &header.components {
        if header.spec_start == 0 && header.succ_high == 0 {
            match first_code(&scan.dc_huffman_tables, component.dc_table_index) {
                Some((0, length)) => bits = bits.max(usize::from(length)),
                _ => return 0,
            }
        }
        if header.spec_end > 0 && !frame.is_lossless {
            match first_code(&scan.ac_huffman_tables, component.ac_table_index) {
                Some((0, length)) => bits += usize::from(length),
                _ => return 0,
            }
        }
    }
    // Sampling factors are at most 4: no component has more blocks than the picture has, rounded up.
    let side = |pixels: u16| usize::from(pixels).div_ceil(if frame.is_lossless { 1 } else { 8 }) + 4;
    side(frame.width) * side(frame.height) * header.components.len() * bits.max(1) / 8
}

fn table(tables: &[Option<Arc<HuffmanTable>>], index: u8) -> Option<&HuffmanTable> {
    tables.get(usize::from(index))?.as_deref()
}

/// A component's part in a scan.
struct Part<'a> {
    dc: Option<&'a HuffmanTable>,
    ac: Option<&'a HuffmanTable>,
    /// In one unit of the scan.
    blocks: usize,
}

/// Follows the codes of a scan to its end: runs that leave their block, and data that are left over or
/// run out, come of damage. Refining scans, whose codes depend on all before, are left to the decoder.
fn walk(data: &[u8], scan: &ScanInfo, metadata: &JpegMetadata) -> Result<()> {
    let (frame, header) = (&metadata.frame, &scan.header);
    let (with_dc, with_ac) = (header.spec_start == 0, header.spec_end > 0);
    if header.succ_high > 0 {
        return Ok(());
    }
    let most = |factor: fn(&_) -> u8| frame.components.iter().map(factor).max().unwrap_or(1);
    let (most_h, most_v) = (most(|c: &ComponentInfo| c.horizontal_sampling), most(|c| c.vertical_sampling));
    let units =
        |pixels: u16, factor: u8, most: u8| (usize::from(pixels) * usize::from(factor)).div_ceil(usize::from(most) * 8);
    let single = header.components.len() == 1;
    let mut parts = Vec::with_capacity(header.components.len());
    let mut count = units(frame.width, 1, most_h) * units(frame.height, 1, most_v);
    for selector in &header.components {
        let Some(component) = frame.components.iter().find(|component| component.id == selector.component_id) else {
            return Ok(());
        };
        let (h, v) = (component.horizontal_sampling, component.vertical_sampling);
        if single {
            count = units(frame.width, h, most_h) * units(frame.height, v, most_v);
        }
        let dc = table(&scan.dc_huffman_tables, selector.dc_table_index).filter(|_| with_dc);
        let ac = table(&scan.ac_huffman_tables, selector.ac_table_index).filter(|_| with_ac);
        if dc.is_some() != with_dc || ac.is_some() != with_ac {
            // The decoder knows whether it has a standard table for this.
            return Ok(());
        }
        parts.push(Part { dc, ac, blocks: if single { 1 } else { usize::from(h) * usize::from(v) } });
    }

    let first = usize::from(header.spec_start.max(1));
    let last = usize::from(header.spec_end);
    let mut reader = BitReader::new(data);
    let mut even = 0;
    let mut until_restart = usize::from(scan.restart_interval);
    for _ in 0..count {
        if scan.restart_interval > 0 {
            if until_restart == 0 {
                check_end(data, &reader)?;
                reader.reset();
                even = 0;
                until_restart = usize::from(scan.restart_interval);
            }
            until_restart -= 1;
        }
        for part in &parts {
            for _ in 0..part.blocks {
                if even > 0 {
                    even -= 1;
                    continue;
                }
                let block = skip_dc(&mut reader, part.dc).and_then(|()| skip_ac(&mut reader, part.ac, first, last));
                match block {
                    Some(run) => even = run,
                    None => fail!(ImageCorrupt, "the JPEG is damaged: its data make no sense"),
                }
            }
        }
        if reader.insufficient_data() {
            fail!(ImageCorrupt, "the JPEG is damaged or cut short: a part of its data is missing");
        }
    }
    check_end(data, &reader)
}

/// Bytes left over before the next marker.
fn check_end(data: &[u8], reader: &BitReader<'_>) -> Result<()> {
    let rest = data.get(reader.position()..).unwrap_or_default();
    let is_marker = |pair: &[u8; 2]| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF;
    if rest.array_windows().take(SLACK).any(is_marker) || rest.len() < SLACK {
        return Ok(());
    }
    fail!(ImageCorrupt, "the JPEG is damaged: its data do not end where the picture does")
}

fn skip_dc(reader: &mut BitReader<'_>, table: Option<&HuffmanTable>) -> Option<()> {
    let Some(table) = table else { return Some(()) };
    let bits = reader.peek_bits(16);
    let (size, length) = match table.lookup_fast(bits) {
        (_, 0) => table.lookup(bits).ok()?,
        found => found,
    };
    reader.skip_bits(length);
    if size > 0 {
        reader.read_bits(size.min(16));
    }
    Some(())
}

/// Skips one block's further coefficients and says how many even blocks follow.
fn skip_ac(reader: &mut BitReader<'_>, table: Option<&HuffmanTable>, first: usize, last: usize) -> Option<usize> {
    let Some(table) = table else { return Some(0) };
    let mut at = first;
    while at <= last {
        let bits = reader.peek_bits(16);
        let (value, symbol, length) = table.lookup_combined(bits);
        if value != 0 {
            // Value, run and the length of everything in one.
            reader.skip_bits((value & 15) as u8);
            at += usize::from((value >> 4) as u16 & 15) + 1;
        } else {
            let (symbol, length) = if length > 0 { (symbol, length) } else { table.lookup(bits).ok()? };
            reader.skip_bits(length);
            let (run, size) = (symbol >> 4, symbol & 15);
            match (run, size) {
                (15, 0) => at += 16,
                (0, 0) => return Some(0),
                (_, 0) => return Some((1 << run) - 1 + usize::from(reader.read_bits(run))),
                _ => {
                    reader.read_bits(size);
                    at += usize::from(run) + 1;
                }
            }
        }
    }
    (at == last + 1).then_some(0)
}
