//! An archive of models from anywhere: refused or unpacked within its limits, never a panic.

#![no_main]

use std::io::Cursor;

use facecore::packs::unpack::Archive;
use facecore::{Error, ErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(mut archive) = Archive::open(Cursor::new(data)) else { return };
    for entry in archive.entries().to_vec() {
        let mut out = Vec::new();
        let written = |error: std::io::Error| Error::new(ErrorKind::Io, error.to_string());
        let unpacked = archive.unpack(&entry, &mut out, &written, &mut |done| {
            assert!(done <= entry.bytes, "more than it says");
            Ok(())
        });
        assert!(unpacked.is_err() || out.len() as u64 == entry.bytes);
    }
});
