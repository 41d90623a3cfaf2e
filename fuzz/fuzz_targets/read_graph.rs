//! Any links are a graph that can be searched, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    facecore::indexed::read_graph(bytes);
});
