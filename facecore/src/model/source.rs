//! A model file in memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result, fail};

/// Protocol buffers, and with them ONNX files, end at 2 GiB.
const MAX_BYTES: u64 = 1 << 31;

/// The bytes of an ONNX model and the name it goes by in messages.
#[derive(Clone)]
pub struct ModelSource {
    name: String,
    path: Option<PathBuf>,
    bytes: Bytes,
}

/// Shared with whoever else has the model, or with the program's own pages.
#[derive(Clone)]
enum Bytes {
    Shared(Arc<[u8]>),
    Static(&'static [u8]),
}

impl ModelSource {
    /// Reads a model file.
    ///
    /// Errors with `ModelNotFound` if there is none, `ModelCorrupt` if it is larger than the 2 GiB that an
    /// ONNX file can have or no regular file, `Io` if it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::ModelNotFound, format!("there is no model file {}", path.display()))
            }
            _ => Error::io(path, "read the model", error),
        };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            fail!(ModelCorrupt, "{} is no ONNX file: a regular file of at most 2 GiB", path.display());
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(ModelSource { name, path: Some(path.to_path_buf()), bytes: Bytes::Shared(bytes.into()) })
    }

    /// A model that is in memory already.
    pub fn from_bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        ModelSource { name: name.into(), path: None, bytes: Bytes::Shared(bytes.into()) }
    }

    /// A model that is part of the program (`include_bytes!`), without a copy.
    pub fn from_static(name: impl Into<String>, bytes: &'static [u8]) -> Self {
        ModelSource { name: name.into(), path: None, bytes: Bytes::Static(bytes) }
    }

    /// The file's name, for messages and for recognising the kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was read from.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The ONNX file's content.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Shared(bytes) => bytes,
            Bytes::Static(bytes) => bytes,
        }
    }

    /// SHA-256 of the content in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelSource({}, {} bytes)", self.name, self.bytes().len())
    }
}
