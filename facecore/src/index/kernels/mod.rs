//! The inner loops of the index, for each instruction set that helps. All give the same bits as
//! [`portable`]; which one runs is found out once, when an index is made.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod prefetch;
#[cfg(test)]
mod tests;

pub(super) use prefetch::{prefetch, prefetch_all};

/// Bits of a sketch.
pub(super) const SKETCH_BITS: usize = 512;

/// The signs of a rotated vector.
pub(super) type Sketch = [u64; SKETCH_BITS / 64];

/// The sketches of eight rows, interleaved: `group[w][r]` is word `w` of row `r`, so that one
/// 512-bit register holds the same word of all eight.
pub(super) type Group = [[u64; GROUP_ROWS]; SKETCH_BITS / 64];

/// Rows of a group.
pub(super) const GROUP_ROWS: usize = 8;

/// A row that passed a scan: its distance in bits above this bit, its place below.
pub(super) type Candidate = u64;

/// Where the distance starts in a [`Candidate`]. Candidates sort by distance, then by place.
pub(super) const DISTANCE_SHIFT: u32 = 54;

/// Codes are stored and compared in blocks of this many.
pub(super) const CODE_BLOCK: usize = 64;

/// An instruction set that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kernels(Level);

/// Private, so that only [`Kernels::available`] says what the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernels {
    /// The fastest kernels of this machine.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Kernels(Level::Portable))
    }

    /// All kernels that run on this machine, the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)] // Portable is all there is on other architectures.
        let mut levels = vec![Kernels(Level::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if std::is_x86_feature_detected!("avx2") {
                levels.push(Kernels(Level::Avx2));
            }
            let wide = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("avx512f");
            let counts = std::is_x86_feature_detected!("avx512vpopcntdq");
            if wide && counts && std::is_x86_feature_detected!("avx512vnni") {
                levels.push(Kernels(Level::Avx512));
            }
        }
        levels
    }

    /// Appends to `found` every row of `groups` whose sketch differs from `probe` in at most `cut`
    /// bits, in order, as its distance and `first` plus its number.
    pub fn scan(self, groups: &[Group], probe: &Sketch, cut: u32, first: u64, found: &mut Vec<Candidate>) {
        match self.0 {
            Level::Portable => portable::scan(groups, probe, cut, first, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::checked_scan(groups, probe, cut, first, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::checked_scan(groups, probe, cut, first, found),
        }
    }

    /// The inner product of a row's codes with a probe's, which are of equal length, a multiple of
    /// [`CODE_BLOCK`] and at most 1,024. Exact.
    pub fn dot(self, row: &[u8], probe: &[i8]) -> i32 {
        match self.0 {
            Level::Portable => portable::dot(row, probe),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::checked_dot(row, probe),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::checked_dot(row, probe),
        }
    }

    /// Keeps those of `found`, pairs of anything and a place in `sketches`, whose sketch differs from `probe` in at most
    /// `cut` bits.
    pub fn retain_near(self, sketches: &[Sketch], probe: &Sketch, cut: u32, found: &mut Vec<(u32, u32)>) {
        match self.0 {
            Level::Portable => portable::retain_near(sketches, probe, cut, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::checked_retain_near(sketches, probe, cut, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::checked_retain_near(sketches, probe, cut, found),
        }
    }

    /// Runs `work`, compiled for wide registers as far as it is inlined: what it calls should be
    /// `#[inline(always)]`. The results are the same: compilers keep the order of f32 operations.
    pub fn vectorised<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            Level::Portable => work(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 | Level::Avx512 => avx2::checked_run(work),
        }
    }
}
