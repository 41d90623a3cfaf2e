//! People and their faces, as a gallery hands them out.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::embedding::Embedding;
use crate::error::{Result, fail};

/// Longest person id or namespace name, in bytes.
const MAX_NAME: usize = 512;

/// What an application wants to remember about a person or a face: a JSON object that the gallery
/// keeps and never interprets.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Names a person within a namespace: any UTF-8 string of 1 to 512 bytes without NUL, compared byte by byte.
///
/// Both are checked where a person is enrolled or renamed. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "String")]
pub struct PersonId(Arc<str>);

impl PersonId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn check(&self) -> Result<()> {
        check_name("a person id", self.as_str())
    }
}

/// `InvalidArgument` unless `name` has 1 to 512 bytes, none of them NUL: C would take what comes before it for the
/// whole name, which may be somebody else's.
pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        fail!(InvalidArgument, "{what} cannot be empty");
    }
    if name.len() > MAX_NAME {
        fail!(InvalidArgument, "{what} has at most {MAX_NAME} bytes, this one has {}", name.len());
    }
    if name.contains('\0') {
        fail!(InvalidArgument, "{what} cannot hold the character NUL");
    }
    Ok(())
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for PersonId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<&str> for PersonId {
    fn from(id: &str) -> Self {
        PersonId(Arc::from(id))
    }
}

impl From<String> for PersonId {
    fn from(id: String) -> Self {
        PersonId(Arc::from(id))
    }
}

impl From<&String> for PersonId {
    fn from(id: &String) -> Self {
        PersonId(Arc::from(id.as_str()))
    }
}

impl From<&PersonId> for PersonId {
    fn from(id: &PersonId) -> Self {
        id.clone()
    }
}

impl AsRef<str> for PersonId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PersonId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for PersonId {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for PersonId {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// Names a face. Unique in its gallery, across namespaces, and never given out twice, not even
/// after the face was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaceId(u64);

impl FaceId {
    /// The id as a number, to be stored elsewhere; at least 1, and below 2^53, so that JSON readers
    /// that know only doubles keep it.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for FaceId {
    fn from(id: u64) -> Self {
        FaceId(id)
    }
}

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person of a namespace, as of the moment it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Person {
    /// The id it is enrolled under.
    pub id: PersonId,
    /// A name to show, if one was set; the id is what identifies.
    pub name: Option<String>,
    /// What the application stored with the person.
    pub metadata: Metadata,
    /// The faces, oldest first. A person may have none.
    pub faces: Vec<FaceId>,
}

/// A face to enrol.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFace {
    /// The face itself.
    pub embedding: Embedding,
    /// How good the image is, on whatever scale the application uses; the gallery does not interpret it.
    pub quality: Option<f32>,
    /// Where it came from, such as a file's path; the gallery does not interpret it.
    pub source: Option<String>,
    /// What the application wants stored with the face.
    pub metadata: Metadata,
}

impl From<Embedding> for NewFace {
    fn from(embedding: Embedding) -> Self {
        NewFace { embedding, quality: None, source: None, metadata: Metadata::new() }
    }
}

impl From<&Embedding> for NewFace {
    fn from(embedding: &Embedding) -> Self {
        embedding.clone().into()
    }
}

/// A face of a namespace, as of the moment it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolledFace {
    /// The id it got when it was enrolled.
    pub id: FaceId,
    /// Whose face it is.
    pub person: PersonId,
    /// The face itself, bit for bit as it was enrolled.
    pub embedding: Embedding,
    /// How good the image is, if that was said.
    pub quality: Option<f32>,
    /// Where it came from, if that was said.
    pub source: Option<String>,
    /// What the application stored with the face.
    pub metadata: Metadata,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_text_and_numbers_in_json() {
        let id = PersonId::from("ada \u{1F600}");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"ada \u{1F600}\"");
        assert_eq!(serde_json::from_str::<PersonId>(&json).unwrap(), id);
        assert_eq!(serde_json::to_string(&FaceId::from(7)).unwrap(), "7");
        assert_eq!(format!("{:>4}|{}", PersonId::from("a"), FaceId::from(7)), "   a|7");
    }

    #[test]
    fn ids_have_a_length() {
        assert!(PersonId::from("x".repeat(512)).check().is_ok());
        for bad in [String::new(), "x".repeat(513), "ada\0".to_owned()] {
            assert_eq!(PersonId::from(bad).check().unwrap_err().kind(), crate::ErrorKind::InvalidArgument);
        }
    }
}
