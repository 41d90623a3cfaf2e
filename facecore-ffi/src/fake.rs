//! For tests of this layer, and to measure what it adds to a call. Not in the header: `tests/c/fake.h` declares it.

use facecore::Result;
use facecore::pipeline::fake;

use crate::handle::Out;
use crate::recognizer::facecore_recognizer;
use crate::status::guard;

/// A recognizer without models: it finds `faces` small faces, at most 16, in any image of 256 x 256 pixels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_fake_recognizer(
    faces: usize,
    dimension: usize,
    recognizer: *mut *mut facecore_recognizer,
) -> i32 {
    guard(|| {
        let out = Out::new(recognizer, "recognizer")?;
        out.give(fake::recognizer(faces, dimension)?.into());
        Ok(())
    })
}

/// Panics where a fault of the library would.
#[unsafe(no_mangle)]
pub extern "C" fn facecore_fake_panic() -> i32 {
    guard(|| -> Result<()> { panic!("injected") })
}

/// The median of the nanoseconds that `calls` recognitions take in Rust, without this layer; 0 on error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_fake_nanoseconds_of_recognize(
    recognizer: *const facecore_recognizer,
    image: *const crate::facecore_image,
    calls: usize,
) -> u64 {
    let mut median = 0;
    guard(|| {
        let recognizer = crate::handle::value(recognizer)?.recognizer();
        let image = crate::image::view(image)?;
        let mut took = Vec::with_capacity(calls);
        for _ in 0..calls {
            let start = std::time::Instant::now();
            drop(std::hint::black_box(recognizer.recognize(image)?));
            took.push(start.elapsed().as_nanos() as u64);
        }
        took.sort_unstable();
        median = took.get(calls / 2).copied().unwrap_or(0);
        Ok(())
    });
    median
}
