//! Any bytes either decode to a picture within the limits or are refused with an error.
//!
//! RUSTC_BOOTSTRAP=1 cargo fuzz run decode_image fuzz/corpus/decode_image tests/data/images
#![no_main]

use facecore::image::{DecodeOptions, Image};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: tolerate_caught_panics(), |bytes: &[u8]| {
    let mut options = DecodeOptions::default();
    options.max_pixels = 4_000_000;
    if let Ok(image) = Image::from_bytes_with(bytes, &options) {
        assert_eq!(image.pixels().len(), image.width() * image.height() * 3);
        assert!(image.pixels().len() as u64 <= options.max_pixels * 3);
        assert_eq!(image.view().width(), image.width());
    }
});

/// libfuzzer-sys aborts in the panic hook, before `catch_unwind` inside the library can act. A codec's
/// panic is caught there and reported as a damaged image, so here it is only printed; a panic in our
/// own code still aborts.
fn tolerate_caught_panics() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let ours = info.location().is_none_or(|place| {
            ["facecore/src", "fuzz_targets"].iter().any(|folder| place.file().contains(folder))
        });
        if ours {
            abort(info);
        } else {
            eprintln!("a codec panicked: {info}");
        }
    }));
}
