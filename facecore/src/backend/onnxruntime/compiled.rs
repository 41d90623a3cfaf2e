//! Compiled models in files.
//!
//! A provider that compiles writes what it made into a folder and takes it from there the next time. What it finds there
//! it trusts. So each folder is for one model on one runtime, device, precision and CPU, and everything in it is checked
//! against a list of checksums before the provider may look; what is not in the list, or is not what it was, is removed
//! and compiled again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::model::ModelSource;

/// The file with the name and checksum of every other one.
const LIST: &str = "checksums";
/// What processes lock that use the folder.
const LOCK: &str = "lock";

/// The folder that one model's compiled forms are in.
pub(super) struct CompiledModels {
    folder: PathBuf,
}

impl CompiledModels {
    /// The folder below `root` for `model` as `made_by` describes the runtime and its settings.
    pub(super) fn open(root: &Path, model: &ModelSource, made_by: &str) -> io::Result<CompiledModels> {
        let key = format!("{}\n{made_by}\n{}", model.sha256(), hardware());
        let key = ModelSource::from_bytes("key", key.into_bytes()).sha256();
        let folder = std::path::absolute(root)?.join(&key[..32]);
        let compiled = CompiledModels { folder };
        // What cannot be written or locked is told now.
        compiled.lock()?;
        Ok(compiled)
    }

    fn lock(&self) -> io::Result<File> {
        // It may have been cleared away.
        fs::create_dir_all(&self.folder)?;
        let lock = File::create(self.folder.join(LOCK))?;
        lock.lock()?;
        Ok(lock)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `compile` while nobody else uses the folder, which holds nothing then but what such a call left there.
    ///
    /// Errors if the folder cannot be checked, without having run `compile`; afterwards a list that cannot be written
    /// only means that the model is compiled again.
    pub(super) fn guarded<T>(&self, compile: impl FnOnce() -> T) -> io::Result<T> {
        let _lock = self.lock()?;
        self.remove_what_is_not_listed()?;
        let made = compile();
        if let Err(error) = self.list() {
            tracing::debug!(folder = %self.folder.display(), %error, "compiled models cannot be listed");
        }
        Ok(made)
    }

    fn remove_what_is_not_listed(&self) -> io::Result<()> {
        let listed = fs::read_to_string(self.folder.join(LIST)).unwrap_or_default();
        let listed: BTreeMap<&str, &str> = listed.lines().filter_map(|line| line.split_once(' ')).collect();
        for (name, path) in self.files()? {
            if !listed.iter().any(|(sum, file)| *file == name && checksum(&path).is_ok_and(|found| found == *sum)) {
                tracing::info!(file = %path.display(), "a compiled model is not what was written, and is made again");
                if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            }
        }
        Ok(())
    }

    fn list(&self) -> io::Result<()> {
        let mut list = String::new();
        for (name, path) in self.files()?.into_iter().filter(|(_, path)| path.is_file()) {
            list += &format!("{} {name}\n", checksum(&path)?);
        }
        // Renamed into place, so that it is whole or not there.
        let new = self.folder.join("checksums.new");
        fs::write(&new, list)?;
        fs::rename(new, self.folder.join(LIST))
    }

    /// Everything in the folder but what is ours.
    fn files(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != LIST && name != LOCK {
                files.push((name, path));
            }
        }
        Ok(files)
    }
}

fn checksum(path: &Path) -> io::Result<String> {
    Ok(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&fs::read(path)?)))
}

/// What compiled code depends on: the CPU's name and what it can do, where the system tells.
fn hardware() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = |name: &str| told.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    format!("{} {} {}", std::env::consts::ARCH, line("model name"), line("flags"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("facecore-compiled-{name}-{}", std::process::id()));
        fs::remove_dir_all(&root).ok();
        root
    }

    fn model(bytes: &[u8]) -> ModelSource {
        ModelSource::from_bytes("model", bytes.to_vec())
    }

    #[test]
    fn what_was_compiled_is_found_again_unless_it_was_changed() {
        let root = folder("changed");
        let compiled = CompiledModels::open(&root, &model(b"one"), "runtime 1").unwrap();
        let blob = compiled.folder().join("a.blob");
        let found = |compiled: &CompiledModels| {
            let blob = compiled.folder().join("a.blob");
            compiled.guarded(|| fs::read(&blob).inspect_err(|_| fs::write(&blob, "made").unwrap()).ok()).unwrap()
        };
        assert_eq!(found(&compiled), None);
        assert_eq!(found(&compiled), Some(b"made".to_vec()));

        // Changed, cut, empty, or from a process that ended before it was listed.
        for damaged in ["madf", "mad", ""] {
            fs::write(&blob, damaged).unwrap();
            assert_eq!(found(&compiled), None);
            assert_eq!(found(&compiled), Some(b"made".to_vec()));
        }
        fs::write(compiled.folder().join("b.blob"), "unknown").unwrap();
        fs::create_dir(compiled.folder().join("folder")).unwrap();
        assert_eq!(found(&compiled), Some(b"made".to_vec()));
        // Cleared away while it is in use.
        fs::remove_dir_all(compiled.folder()).unwrap();
        assert_eq!(found(&compiled), None);
        assert_eq!(found(&compiled), Some(b"made".to_vec()));
        assert!(!compiled.folder().join("b.blob").exists() && !compiled.folder().join("folder").exists());

        // A list that is gone or broken lists nothing.
        for list in ["", "\u{0}", "zzzz a.blob", "a.blob"] {
            fs::write(compiled.folder().join(LIST), list).unwrap();
            assert_eq!(found(&compiled), None, "{list:?}");
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn another_model_or_runtime_has_another_folder() {
        let root = folder("another");
        let of =
            |bytes: &[u8], made_by| CompiledModels::open(&root, &model(bytes), made_by).unwrap().folder().to_path_buf();
        let one = of(b"one", "runtime 1");
        assert_eq!(one, of(b"one", "runtime 1"));
        assert!(one != of(b"two", "runtime 1") && one != of(b"one", "runtime 2"));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let root = folder("file");
        fs::write(&root, "").unwrap();
        assert!(CompiledModels::open(&root, &model(b"one"), "runtime 1").is_err());
        fs::remove_file(root).unwrap();
    }
}
