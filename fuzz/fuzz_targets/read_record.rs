//! Any bytes under a right checksum are a record, which is written again as it was read, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    facecore::stored::read_record(b"key", bytes);
});
