//! Real models, photographs and reference results, which are not part of the repository.
//!
//! They are looked for at `FACECORE_TEST_DATA`, by default `../shared` beside the workspace. Where they
//! are absent, tests skip and say so; with `FACECORE_REQUIRE_TEST_DATA=1` they fail instead.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of test data.
#[derive(Debug, Clone)]
pub struct TestData {
    root: PathBuf,
}

/// Two photographs of LFW's verification protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LfwPair {
    /// The cross-validation fold, from 1.
    pub fold: u32,
    /// The first photograph.
    pub first: PathBuf,
    /// The second photograph.
    pub second: PathBuf,
    /// Whether both show the same person.
    pub same: bool,
}

impl TestData {
    /// The test data, or `None` after saying that `what` is skipped:
    ///
    /// ```
    /// # use facecore_testkit::TestData;
    /// # fn test() {
    /// let Some(data) = TestData::or_skip("reference boxes") else { return };
    /// # drop(data);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where it is absent although `FACECORE_REQUIRE_TEST_DATA=1`.
    pub fn or_skip(what: &str) -> Option<TestData> {
        let root = root();
        if root.join("models").is_dir() {
            return Some(TestData { root });
        }
        skip(what, &format!("test data not found at {} (set FACECORE_TEST_DATA)", root.display()));
        None
    }

    /// The test data if it is there, saying nothing otherwise.
    pub fn find() -> Option<TestData> {
        let root = root();
        root.join("models").is_dir().then_some(TestData { root })
    }

    /// A model, by its name without `.onnx`.
    pub fn model(&self, name: &str) -> PathBuf {
        self.file(&format!("models/{name}.onnx"))
    }

    /// Every model, in the order of their names.
    pub fn models(&self) -> Vec<PathBuf> {
        self.folder("models", &["onnx"])
    }

    /// A photograph, by its file name.
    pub fn image(&self, name: &str) -> PathBuf {
        self.file(&format!("images/{name}"))
    }

    /// Every photograph, in the order of their names.
    pub fn images(&self) -> Vec<PathBuf> {
        self.folder("images", &["jpg", "png"])
    }

    /// What insightface and OpenCV answer on the photographs (JSON).
    pub fn golden(&self) -> PathBuf {
        self.file("golden/peers.json")
    }

    /// An LFW photograph: `Abel_Pacheco/Abel_Pacheco_0001.jpg`.
    pub fn lfw(&self, name: &str) -> PathBuf {
        self.file(&format!("lfw/images/{name}"))
    }

    /// LFW's verification pairs of folds 1 to 5.
    pub fn lfw_pairs(&self) -> Vec<LfwPair> {
        let text = std::fs::read_to_string(self.file("lfw/pairs_folds_1_5.txt")).expect("the list of pairs is text");
        let images = self.root.join("lfw/images");
        let pair = |line: &str| {
            let [fold, first, second, same] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("not four columns: {line:?}");
            };
            let fold = fold.parse().expect("a fold is a number");
            LfwPair { fold, first: images.join(first), second: images.join(second), same: same == "1" }
        };
        text.lines().map(pair).collect()
    }

    /// The files in a folder whose names end so, sorted.
    fn folder(&self, name: &str, extensions: &[&str]) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.root.join(name)).expect("the folder is readable");
        let mut files: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| extensions.iter().any(|extension| path.extension().is_some_and(|it| it == *extension)));
        files.sort();
        files
    }

    fn file(&self, relative: &str) -> PathBuf {
        let path = self.root.join(relative);
        assert!(path.exists(), "the test data at {} has no {relative}", self.root.display());
        path
    }
}

fn root() -> PathBuf {
    match std::env::var_os("FACECORE_TEST_DATA") {
        Some(folder) => PathBuf::from(folder),
        // Without `..`, for people who read where it was looked for: tests/support, tests, the workspace, beside it.
        None => Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap_or(Path::new("/")).join("shared"),
    }
}

/// Says on standard error, and in the file named by `FACECORE_SKIP_LOG`, that a test is not run.
///
/// # Panics
///
/// If `FACECORE_REQUIRE_TEST_DATA=1`.
pub fn skip(what: &str, reason: &str) {
    let line = format!("skipped: {what}: {reason}\n");
    if let Some(log) = std::env::var_os("FACECORE_SKIP_LOG") {
        let file = OpenOptions::new().create(true).append(true).open(&log);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("FACECORE_SKIP_LOG is writable");
    }
    assert!(std::env::var("FACECORE_REQUIRE_TEST_DATA").as_deref() != Ok("1"), "{}", line.trim_end());
    // Past the capturing of test output, which would hide it.
    std::io::stderr().write_all(line.as_bytes()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_where_it_is_said_to_be() {
        let Some(data) = TestData::or_skip("layout of the test data") else { return };
        assert!(!data.models().is_empty());
        data.golden();
        let pairs = data.lfw_pairs();
        assert!(pairs.iter().any(|pair| pair.same) && pairs.iter().any(|pair| !pair.same));
        assert!(pairs.iter().all(|pair| pair.first.exists() && pair.second.exists()));
    }
}
