//! Zip archives as nobody should make them: every field can be a lie.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// An entry, of which every field is written as it stands here.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path.
    pub name: Vec<u8>,
    /// What is stored.
    pub data: Vec<u8>,
    /// How it says that this is compressed: 0 not at all, 8 by deflate.
    pub method: u16,
    /// How long it says that it is, unpacked.
    pub size: u32,
    /// The CRC-32 that it says it has, unpacked.
    pub crc: u32,
    /// The general purpose flags: bit 0 says that it is encrypted.
    pub flags: u16,
    /// The Unix mode, such as 0o100644, or 0o120777 for a link.
    pub mode: u32,
}

impl Entry {
    /// A file as it is.
    pub fn stored(name: &str, content: &[u8]) -> Entry {
        Entry {
            name: name.as_bytes().to_vec(),
            data: content.to_vec(),
            method: 0,
            size: u32::try_from(content.len()).expect("no file of a test has 4 GiB"),
            crc: crc(content),
            flags: 0,
            mode: 0o100_644,
        }
    }

    /// A file, compressed.
    pub fn deflated(name: &str, content: &[u8]) -> Entry {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory can be written");
        let data = encoder.finish().expect("memory can be written");
        Entry { data, method: 8, ..Entry::stored(name, content) }
    }
}

fn crc(content: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    crc.sum()
}

/// An archive with these entries, as they say.
pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let start = file.len() as u32;
        let mut common = Vec::new();
        common.extend(20u16.to_le_bytes());
        common.extend(entry.flags.to_le_bytes());
        common.extend(entry.method.to_le_bytes());
        // A time and a day that exist.
        common.extend([0, 0, 0x21, 0]);
        common.extend(entry.crc.to_le_bytes());
        common.extend((entry.data.len() as u32).to_le_bytes());
        common.extend(entry.size.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(&entry.name);
        file.extend(&entry.data);
        directory.extend(b"PK\x01\x02");
        // Made by Unix, so that the mode counts.
        directory.extend([20, 3]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend(&entry.name);
    }
    let (at, length, count) = (file.len() as u32, directory.len() as u32, entries.len() as u16);
    file.extend(directory);
    file.extend(b"PK\x05\x06");
    file.extend([0; 4]);
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend(0u16.to_le_bytes());
    file
}

/// An archive of files as they are usually made.
pub fn of_files(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip(&files.iter().map(|(name, content)| Entry::deflated(name, content)).collect::<Vec<_>>())
}
