//! Asking for memory before it is needed.
#![cfg_attr(target_arch = "x86_64", allow(unsafe_code))]

/// Bytes that are fetched at a time.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Starts to fetch `value`, which lies in one cache line, into the caches; does nothing where there is no such
/// instruction.
#[inline]
pub(in crate::index) fn prefetch<T>(value: &T) {
    const { assert!(size_of::<T>() <= 64) };
    #[cfg(target_arch = "x86_64")]
    fetch(std::ptr::from_ref(value).cast());
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Starts to fetch all of `values`, as [`prefetch`] does.
#[inline]
pub(in crate::index) fn prefetch_all<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        let start = values.as_ptr().cast::<i8>();
        // From where its first line begins, which may be before it.
        let before = start.addr() % LINE;
        let lines = (before + size_of_val(values)).div_ceil(LINE);
        (0..lines).for_each(|line| fetch(start.wrapping_sub(before).wrapping_add(line * LINE)));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn fetch(line: *const i8) {
    // SAFETY: a prefetch is a hint about an address, which need not even be valid, and reads nothing that a program
    // could notice.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line);
    }
}
