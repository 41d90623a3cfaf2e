use super::*;
use crate::store::tests::{Random, TempFolder};

const KIND: [u8; 8] = *b"test\0\0\0\x01";

fn write(path: &Path, kind: [u8; 8], header: &[u8], sections: &[&[u8]]) -> Result<()> {
    super::write(path, kind, header, sections.len(), |at, out| out.write_all(sections[at]))
}

fn file(folder: &TempFolder) -> std::path::PathBuf {
    let path = folder.join("a");
    write(&path, KIND, b"head", &[b"one", b"", &[7; 200]]).unwrap();
    path
}

fn refused(path: &Path, what: &str) {
    let Err(error) = Sections::open(path, KIND) else { panic!("opened: {what}") };
    assert_eq!(error.kind(), ErrorKind::GalleryCorrupt, "{what}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn sections_are_read_as_written_and_outlive_the_file() {
    let folder = TempFolder::new();
    let path = file(&folder);
    let opened = Sections::open(&path, KIND).unwrap();
    assert_eq!((opened.header(), opened.count()), (&b"head"[..], 3));
    let sections: Vec<Arc<dyn AsRef<[u8]> + Send + Sync>> =
        (0..3).map(|at| Arc::new(opened.section(at).unwrap()) as _).collect();
    assert!(opened.section(3).is_none());
    drop(opened);
    std::fs::remove_file(&path).unwrap();
    let expected: [&[u8]; 3] = [b"one", b"", &[7; 200]];
    for (section, expected) in sections.iter().zip(expected) {
        assert_eq!((**section).as_ref(), expected);
        assert!((**section).as_ref().as_ptr().addr().is_multiple_of(ALIGNMENT));
    }
}

#[test]
fn a_file_without_anything_in_it() {
    let folder = TempFolder::new();
    write(&folder.join("a"), KIND, b"", &[]).unwrap();
    let opened = Sections::open(&folder.join("a"), KIND).unwrap();
    assert_eq!((opened.header(), opened.count()), (&b""[..], 0));
}

#[test]
fn sections_of_several_blocks() {
    let folder = TempFolder::new();
    let mut random = Random(1);
    let big: Vec<u8> = (0..3 * BLOCK + 17).map(|_| random.below(256) as u8).collect();
    let path = folder.join("a");
    write(&path, KIND, b"", &[&big, b"x"]).unwrap();
    assert!(Sections::open(&path, KIND).unwrap().section(0).unwrap().as_ref() == big);
    let whole = std::fs::read(&path).unwrap();
    for at in [BLOCK, 2 * BLOCK - 1, 3 * BLOCK + 100] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        refused(&path, "flipped bit");
        let Err(error) = Sections::open(&path, KIND) else { unreachable!() };
        assert!(error.to_string().contains("section 0 of 2"), "{error}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = TempFolder::new();
    let path = file(&folder);
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&damaged, KIND, |_, _| ()).is_err(), "bit {bit}");
        if bit % 97 == 0 {
            std::fs::write(&path, damaged).unwrap();
            refused(&path, &format!("bit {bit}"));
        }
    }
}

#[test]
fn cut_and_grown_files_are_refused() {
    let folder = TempFolder::new();
    let path = file(&folder);
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path, &format!("{length} bytes"));
    }
    std::fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
    refused(&path, "a byte more");
}

#[test]
fn foreign_and_newer_files_are_named() {
    let folder = TempFolder::new();
    let path = file(&folder);
    let Err(other) = Sections::open(&path, *b"other\0\0\0") else { panic!("opened") };
    assert!(other.to_string().contains("no file of the kind `other"), "{other}");
    let mut newer = std::fs::read(&path).unwrap();
    newer[8] = 9;
    std::fs::write(&path, newer).unwrap();
    let Err(newer) = Sections::open(&path, KIND) else { panic!("opened") };
    assert!(newer.to_string().contains("newer facecore (format 9; this one reads up to 1)"), "{newer}");
    let Err(absent) = Sections::open(&folder.join("b"), KIND) else { panic!("opened") };
    assert_eq!(absent.kind(), ErrorKind::Io);
}

#[test]
fn a_file_is_replaced_whole_and_private() {
    let folder = TempFolder::new();
    let path = file(&folder);
    let old = Sections::open(&path, KIND).unwrap();
    std::fs::write(files::unfinished(&path), "left by a crash").unwrap();
    write(&path, KIND, b"new", &[b"two"]).unwrap();
    assert_eq!(Sections::open(&path, KIND).unwrap().header(), b"new");
    assert_eq!((old.header(), old.section(0).unwrap().as_ref()), (&b"head"[..], &b"one"[..]));
    assert!(!files::unfinished(&path).exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = TempFolder::new();
    let path = file(&folder);
    // A folder in the way of the unfinished file.
    std::fs::create_dir(files::unfinished(&path)).unwrap();
    let error = write(&path, KIND, b"new", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(Sections::open(&path, KIND).unwrap().header(), b"head");
}
