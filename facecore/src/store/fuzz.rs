//! What fuzz targets call: the readers of stored bytes.

pub use super::schema::fuzz::read_record;
use super::sections::{check, seal};

/// Reads `file` as a file of sections, as it is and under a right head; tells whether it was one. Panics if what was found is
/// not in the file.
pub fn read_sections(file: &[u8]) -> bool {
    const KIND: [u8; 8] = *b"sections";
    let mut sealed = file.to_vec();
    seal(&mut sealed, KIND);
    [file, &sealed].into_iter().any(|file| {
        let Ok(layout) = check(file, KIND, |_, _| ()) else { return false };
        assert!(layout.sections.iter().chain([&layout.header]).all(|range| file.get(range.clone()).is_some()));
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzers_feed_reaches_the_readers() {
        // A namespace: the version, a number, no space, a dimension, the next person.
        let namespace = [&[1u8][..], &7u32.to_le_bytes(), &[0], &512u32.to_le_bytes(), &2u32.to_le_bytes()].concat();
        assert_eq!(read_record(b"key", &namespace), 1);
        assert_eq!(read_record(b"key", &namespace[1..]), 0);
        assert!(read_sections(&[0; 40]));
        assert!(!read_sections(&[0; 39]));
        assert!(!read_sections(&[1; 400]));
    }
}
