//! Any bytes are a file of sections or are refused, and what is found lies within the file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    facecore::stored::read_sections(bytes);
});
