//! Plain Rust: what runs anywhere, and what the other kernels are tested against.

use super::{Candidate, DISTANCE_SHIFT, GROUP_ROWS, Group, Sketch};

pub(super) fn scan(groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
    for (group, at) in groups.iter().zip((first..).step_by(GROUP_ROWS)) {
        let mut distances = [0u64; GROUP_ROWS];
        for (words, &probed) in group.iter().zip(probe) {
            for (distance, &word) in distances.iter_mut().zip(words) {
                *distance += u64::from((word ^ probed).count_ones());
            }
        }
        for (distance, row) in distances.into_iter().zip(at..) {
            if distance <= u64::from(cut) {
                found.push(distance << DISTANCE_SHIFT | row);
            }
        }
    }
}

/// See [`super::Kernels::retain_near`].
pub(super) fn retain_near(sketches: &[Sketch], probe: &Sketch, cut: u32, found: &mut Vec<(u32, u32)>) {
    found.retain(|&(_, place)| differing(&sketches[place as usize], probe) <= cut);
}

/// In how many bits two sketches differ.
fn differing(a: &Sketch, b: &Sketch) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

pub(super) fn dot(row: &[u8], probe: &[i8]) -> i32 {
    row.iter().zip(probe).map(|(&stored, &probed)| i32::from(stored) * i32::from(probed)).sum()
}
