//! Any bytes are an archive of arrays or are refused, and take no more memory than they fill.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    facecore::gallery::read_npz(bytes);
});
