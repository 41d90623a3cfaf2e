//! Lists of pairs: a line has fold, file, file and 1 (same person) or 0, parted by tabs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use facecore::{Error, ErrorKind, Result};

/// A list of pairs, each photo named once.
#[derive(Debug, PartialEq)]
pub struct PairList {
    /// As the list names them.
    pub photos: Vec<PathBuf>,
    pub pairs: Vec<ListedPair>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedPair {
    pub fold: u32,
    /// Indexes of the two photos.
    pub photos: [usize; 2],
    pub same: bool,
}

impl PairList {
    /// Reads a list. Errors with `Io`, and with `InvalidArgument` naming the line that is wrong.
    pub fn open(path: &Path) -> Result<PairList> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read the pairs", error))?;
        Self::parse(&text).map_err(|error| error.context(path.display().to_string()))
    }

    fn parse(text: &str) -> Result<PairList> {
        let mut list = PairList { photos: Vec::new(), pairs: Vec::new() };
        let mut known = HashMap::new();
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: String| Error::new(ErrorKind::InvalidArgument, format!("line {}: {why}", at + 1));
            let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
            let [fold, first, second, same] = fields.as_slice() else {
                return Err(wrong(format!(
                    "{} fields; fold, file, file and 0 or 1 are 4, parted by tabs",
                    fields.len()
                )));
            };
            let fold = fold.parse().map_err(|_| wrong(format!("`{fold}` is no number of a fold")))?;
            let same = match *same {
                "1" => true,
                "0" => false,
                other => return Err(wrong(format!("`{other}` is neither 1 (same person) nor 0"))),
            };
            if first.is_empty() || second.is_empty() {
                return Err(wrong("the name of a file is empty".into()));
            }
            let photos = [first, second].map(|file| {
                *known.entry(*file).or_insert_with(|| {
                    list.photos.push(PathBuf::from(file));
                    list.photos.len() - 1
                })
            });
            list.pairs.push(ListedPair { fold, photos, same });
        }
        if list.pairs.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "there is no pair in it"));
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_line_ends_of_any_kind_are_fine() {
        let list = PairList::parse("\u{FEFF}1\ta.jpg\tb.jpg\t1\r\n\r\n2\tb.jpg\tsub dir/c.jpg\t0").unwrap();
        assert_eq!(list.photos, ["a.jpg", "b.jpg", "sub dir/c.jpg"].map(PathBuf::from));
        let pair = |fold, photos, same| ListedPair { fold, photos, same };
        assert_eq!(list.pairs, [pair(1, [0, 1], true), pair(2, [1, 2], false)]);
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in ["1\ta.jpg\tb.jpg", "1 a.jpg b.jpg 1", "x\ta\tb\t1", "1\ta\tb\t2", "1\t\tb\t1", "1\ta\tb\t1\t1"] {
            let error = PairList::parse(&format!("1\ta\tb\t1\n\n{bad}\n")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().starts_with("line 3: "), "{error}");
        }
        assert!(PairList::parse("\n").is_err());
    }
}
