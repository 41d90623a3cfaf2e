//! One error type and one table of error kinds for Rust, C and Python.
//!
//! A kind has a number that never changes and is never reused. Bands: 1xx arguments and files,
//! 2xx images and the faces in them, 3xx models, 4xx runtimes, 5xx galleries, 9xx internal faults.

use std::fmt;

/// What the whole crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $c_name:literal;)+) => {
        /// What went wrong, as something a program can act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of its number.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind,)+];

            /// The stable number: the status a C caller sees and Python's `.code`.
            pub const fn code(self) -> i32 {
                match self { $(ErrorKind::$kind => $code,)+ }
            }

            /// The name of the C constant.
            pub const fn c_name(self) -> &'static str {
                match self { $(ErrorKind::$kind => $c_name,)+ }
            }

            /// The name in Rust, which is also the Python class's without its `Error` suffix.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$kind => stringify!($kind),)+ }
            }
        }
    };
}

error_kinds! {
    /// An argument is outside what the function takes.
    InvalidArgument = 100, "FACECORE_INVALID_ARGUMENT";
    /// A vector's length differs from what the gallery, namespace or model uses.
    DimensionMismatch = 101, "FACECORE_DIMENSION_MISMATCH";
    /// A vector holds NaN or infinity, or is all zeros.
    InvalidEmbedding = 102, "FACECORE_INVALID_EMBEDDING";
    /// A caller's buffer is too small for the answer; the size that it takes is in the message, and told where the
    /// function tells it.
    BufferTooSmall = 103, "FACECORE_BUFFER_TOO_SMALL";
    /// A file could not be read or written.
    Io = 110, "FACECORE_IO";
    /// The object was made by a parent process; its threads and locks did not come along.
    Forked = 120, "FACECORE_FORKED";
    /// The caller's own callback stopped it.
    Cancelled = 130, "FACECORE_CANCELLED";

    /// The bytes are in no image format this build reads.
    ImageFormat = 200, "FACECORE_IMAGE_FORMAT";
    /// The image is damaged or cut short.
    ImageCorrupt = 201, "FACECORE_IMAGE_CORRUPT";
    /// The image has more pixels or bytes than the limits allow.
    ImageTooLarge = 202, "FACECORE_IMAGE_TOO_LARGE";
    /// Width, height, stride, format and buffer length of a pixel view do not fit together.
    ImageLayout = 203, "FACECORE_IMAGE_LAYOUT";
    /// A photo that must show a face shows none.
    NoFace = 210, "FACECORE_NO_FACE";
    /// A photo that must show one face shows several.
    SeveralFaces = 211, "FACECORE_SEVERAL_FACES";
    /// The landmarks are missing, not finite, or all in one place, so no crop can be cut.
    Landmarks = 212, "FACECORE_LANDMARKS";

    /// A model file or pack is not where it was said to be.
    ModelNotFound = 300, "FACECORE_MODEL_NOT_FOUND";
    /// A model file is no readable ONNX model.
    ModelCorrupt = 301, "FACECORE_MODEL_CORRUPT";
    /// A model's inputs or outputs differ from what its kind or spec says.
    ModelMismatch = 302, "FACECORE_MODEL_MISMATCH";
    /// The runtime cannot execute something in the model.
    ModelUnsupported = 303, "FACECORE_MODEL_UNSUPPORTED";
    /// `pack.toml` is missing, malformed or contradicts itself.
    PackInvalid = 304, "FACECORE_PACK_INVALID";
    /// A file's SHA-256 differs from the one its pack declares.
    ChecksumMismatch = 305, "FACECORE_CHECKSUM_MISMATCH";
    /// The kind of a bare model file is not evident and must be named.
    ModelKindUnknown = 306, "FACECORE_MODEL_KIND_UNKNOWN";
    /// A model produced NaN, infinity, a wrong shape, or something else than its pack says it must.
    ModelOutput = 307, "FACECORE_MODEL_OUTPUT";
    /// A pack could not be downloaded from any of its sources.
    DownloadFailed = 310, "FACECORE_DOWNLOAD_FAILED";
    /// A pack's licence was not accepted, or the application's policy forbids it.
    LicenceRefused = 311, "FACECORE_LICENCE_REFUSED";
    /// An archive is damaged, or holds what no archive of models holds.
    ArchiveInvalid = 312, "FACECORE_ARCHIVE_INVALID";

    /// No inference runtime was found.
    RuntimeNotFound = 400, "FACECORE_RUNTIME_NOT_FOUND";
    /// A library was found but is no usable runtime (not one at all, too old, or another is loaded).
    RuntimeInvalid = 401, "FACECORE_RUNTIME_INVALID";
    /// A provider was required and is not available.
    ProviderUnavailable = 402, "FACECORE_PROVIDER_UNAVAILABLE";
    /// The runtime failed while executing a model.
    Inference = 403, "FACECORE_INFERENCE";

    /// An embedding comes from another embedding space than the namespace holds.
    EmbeddingSpaceMismatch = 500, "FACECORE_EMBEDDING_SPACE_MISMATCH";
    /// There is no such person.
    PersonNotFound = 501, "FACECORE_PERSON_NOT_FOUND";
    /// There is no such face.
    FaceNotFound = 502, "FACECORE_FACE_NOT_FOUND";
    /// There is no such namespace.
    NamespaceNotFound = 503, "FACECORE_NAMESPACE_NOT_FOUND";
    /// A person with that id exists already.
    PersonExists = 504, "FACECORE_PERSON_EXISTS";
    /// A stored gallery is damaged or of an unknown format.
    GalleryCorrupt = 510, "FACECORE_GALLERY_CORRUPT";
    /// Another process has the gallery open.
    GalleryLocked = 511, "FACECORE_GALLERY_LOCKED";
    /// The gallery was opened for reading only.
    GalleryReadOnly = 512, "FACECORE_GALLERY_READ_ONLY";
    /// There is no gallery in the folder.
    GalleryNotFound = 513, "FACECORE_GALLERY_NOT_FOUND";

    /// A fault of this library.
    Internal = 900, "FACECORE_INTERNAL";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An error: a kind for programs, a message for people (the cause and the remedy), what was being
/// done, and the error underneath if there is one.
pub struct Error(Box<Inner>);

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

#[derive(Debug, thiserror::Error)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.context.iter().rev() {
            write!(f, "{context}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What a `main` that returns the error prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} (error {}, {})", self.kind().code(), self.kind())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error {
    /// An error of `kind` whose message names the cause and the remedy.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), context: Vec::new(), source: None }))
    }

    /// Keeps the error underneath, for `std::error::Error::source`. Its text is not repeated by
    /// `Display`, so the message must say what matters of it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says what was being done, outermost last: shown before the message.
    #[must_use]
    pub fn context(mut self, what: impl Into<String>) -> Self {
        self.0.context.push(what.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without the context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// A file that could not be read or written.
    pub fn io(path: &std::path::Path, doing: &str, source: std::io::Error) -> Self {
        Error::new(ErrorKind::Io, format!("cannot {doing} {}: {source}", path.display())).with_source(source)
    }
}

/// Adds context to the error of a `Result`.
pub(crate) trait Context<T> {
    /// Says what was being done; evaluated only on error.
    fn context_with(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context_with(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.context(what()))
    }
}

/// `fail!(Kind, "message {}", x)` returns an error from the enclosing function.
macro_rules! fail {
    ($kind:ident, $($message:tt)+) => {
        return Err($crate::error::Error::new($crate::error::ErrorKind::$kind, format!($($message)+)))
    };
}
pub(crate) use fail;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_in_order() {
        let codes: Vec<i32> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn the_error_underneath_is_the_source() {
        let error = Error::io(std::path::Path::new("a.jpg"), "read", std::io::ErrorKind::NotFound.into());
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::NotFound));
        assert!(std::error::Error::source(&Error::new(ErrorKind::NoFace, "no face")).is_none());
    }

    #[test]
    fn context_is_shown_outermost_first() {
        let error = Error::new(ErrorKind::NoFace, "no face").context("a.jpg").context("enrolling ada");
        assert_eq!(error.to_string(), "enrolling ada: a.jpg: no face");
        assert_eq!(error.message(), "no face");
    }
}
