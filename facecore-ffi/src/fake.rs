//! For tests of this layer, and to measure what it adds to a call. Not in the header: `tests/c/fake.h` declares it.

use facecore::gallery::SearchOptions;
use facecore::pipeline::fake;
use facecore::{Error, ErrorKind, Result};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, value};
use crate::namespace::facecore_namespace;
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

/// Fails with a status of the table, as a body that cannot be brought to it would.
///
/// cbindgen:ignore
#[unsafe(no_mangle)]
pub extern "C" fn facecore_fake_fail(status: i32) -> i32 {
    guard(|| {
        let kind = ErrorKind::ALL.iter().find(|kind| kind.code() == status).copied();
        Err(Error::new(kind.unwrap_or(ErrorKind::InvalidArgument), "injected"))
    })
}

/// The median of the nanoseconds that `calls` recognitions take in Rust, without this layer; 0 on error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_fake_nanoseconds_of_recognize(
    recognizer: *const facecore_recognizer,
    image: *const crate::facecore_image,
    calls: usize,
) -> u64 {
    median(calls, || {
        let recognizer = value(recognizer)?.recognizer();
        let image = crate::image::view(image)?;
        Ok(move || recognizer.recognize(image))
    })
}

/// The median of the nanoseconds that `calls` searches with the default options take in Rust, without this layer; 0 on
/// error.
///
/// cbindgen:ignore
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_fake_nanoseconds_of_search(
    namespace: *const facecore_namespace,
    probe: *const facecore_embedding,
    calls: usize,
) -> u64 {
    median(calls, || {
        let (people, probe) = (value(namespace)?.people(), value(probe)?);
        let options = SearchOptions::default();
        Ok(move || people.search(probe, &options))
    })
}

/// The median of what the calls of a function that is made once take; 0 on error.
fn median<T, F: Fn() -> Result<T>>(calls: usize, make: impl FnOnce() -> Result<F>) -> u64 {
    let mut median = 0;
    guard(|| {
        let call = make()?;
        let mut took = Vec::with_capacity(calls);
        for _ in 0..calls {
            let start = std::time::Instant::now();
            drop(std::hint::black_box(call()?));
            took.push(start.elapsed().as_nanos() as u64);
        }
        took.sort_unstable();
        median = took.get(calls / 2).copied().unwrap_or(0);
        Ok(())
    });
    median
}
