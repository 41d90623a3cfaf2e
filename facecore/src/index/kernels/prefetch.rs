//! Asking for memory before it is needed.
#![cfg_attr(target_arch = "x86_64", allow(unsafe_code))]

/// Starts to fetch `values` into the caches; does nothing where there is no such instruction.
#[inline]
pub(in crate::index) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for byte in (0..size_of_val(values)).step_by(64).chain([size_of_val(values).saturating_sub(1)]) {
        // SAFETY: a prefetch is a hint about an address and reads nothing a program could notice; the
        // address is within `values`, or where it begins if it is empty.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().add(byte));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
