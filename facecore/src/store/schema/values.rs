//! Values of rows, and the way from and to their bytes.

use std::sync::Arc;

use crate::store::record::{Damage, Decoder, Encoder};

/// The version of every kind of record so far.
const VERSION: u8 = 1;

/// What can be written as a record and read again.
pub(super) trait Value: Sized {
    /// How many bytes the fields take, roughly.
    fn size_hint(&self) -> usize;

    fn encode(&self, record: Encoder) -> Encoder;

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Damage>;

    /// The value's bytes as stored under `key`.
    fn to_bytes(&self, key: &[u8]) -> Vec<u8> {
        self.encode(Encoder::new(VERSION, self.size_hint())).finish(key)
    }

    /// The value that `bytes` hold, if they were written for `key`.
    fn from_bytes(key: &[u8], bytes: &[u8]) -> Result<Self, Damage> {
        let mut fields = Decoder::open(VERSION, key, bytes)?;
        let value = Self::decode(&mut fields)?;
        fields.end()?;
        Ok(value)
    }
}

/// A namespace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamespaceRow {
    /// What stands for it in keys; never used again after it is dropped.
    pub number: u32,
    /// The id of its embedding space and the advised threshold (a cosine), once a face was added.
    pub space: Option<(String, f32)>,
    /// Values per vector; 0 as long as no face was added.
    pub dimension: u32,
    /// The number that the next person gets.
    pub next_person: u32,
}

/// A person of a namespace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PersonRow {
    /// What stands for the person in keys of other tables.
    pub number: u32,
    pub name: Option<String>,
    /// JSON, which is not looked into here.
    pub metadata: String,
}

/// A face of a person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FaceRow {
    pub namespace: u32,
    /// The person's number.
    pub person: u32,
    /// The length of the raw vector, before it was normalised.
    pub norm: f32,
    /// From 0 (useless) to 1.
    pub quality: Option<f32>,
    /// Where the face comes from, such as a file's name.
    pub source: Option<String>,
    /// JSON, which is not looked into here.
    pub metadata: String,
    /// [`vector_hash`](super::vector_hash) of the values, also where they are not stored.
    pub hash: u128,
    /// The normalised vector; empty in a store that keeps none.
    pub values: Arc<[f32]>,
}

/// What a commit changed in a namespace. Holds ids only: nothing that tells of a face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub namespace: u32,
    /// Faces that were added, changed or removed.
    pub faces: Vec<u64>,
    /// Numbers of persons who were added, changed or removed.
    pub persons: Vec<u32>,
}

impl Value for NamespaceRow {
    fn size_hint(&self) -> usize {
        24 + self.space.as_ref().map_or(0, |(id, _)| id.len())
    }

    fn encode(&self, record: Encoder) -> Encoder {
        let space = |record: Encoder, (id, threshold): &(String, f32)| record.string(id).f32(*threshold);
        record.u32(self.number).option(self.space.as_ref(), space).u32(self.dimension).u32(self.next_person)
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(NamespaceRow {
            number: fields.u32()?,
            space: fields.option(|fields| Ok((fields.string()?, fields.f32()?)))?,
            dimension: fields.u32()?,
            next_person: fields.u32()?,
        })
    }
}

impl Value for PersonRow {
    fn size_hint(&self) -> usize {
        16 + self.name.as_ref().map_or(0, String::len) + self.metadata.len()
    }

    fn encode(&self, record: Encoder) -> Encoder {
        record.u32(self.number).option(self.name.as_deref(), Encoder::string).string(&self.metadata)
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(PersonRow { number: fields.u32()?, name: fields.option(Decoder::string)?, metadata: fields.string()? })
    }
}

impl Value for FaceRow {
    fn size_hint(&self) -> usize {
        56 + self.source.as_ref().map_or(0, String::len) + self.metadata.len() + 4 * self.values.len()
    }

    fn encode(&self, record: Encoder) -> Encoder {
        let record = record.u32(self.namespace).u32(self.person).f32(self.norm).option(self.quality, Encoder::f32);
        let record = record.option(self.source.as_deref(), Encoder::string).string(&self.metadata);
        record.u128(self.hash).list(&self.values, f32::to_le_bytes)
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(FaceRow {
            namespace: fields.u32()?,
            person: fields.u32()?,
            norm: fields.f32()?,
            quality: fields.option(Decoder::f32)?,
            source: fields.option(Decoder::string)?,
            metadata: fields.string()?,
            hash: fields.u128()?,
            values: fields.list(f32::from_le_bytes)?,
        })
    }
}

impl Value for Change {
    fn size_hint(&self) -> usize {
        12 + 8 * self.faces.len() + 4 * self.persons.len()
    }

    fn encode(&self, record: Encoder) -> Encoder {
        record.u32(self.namespace).list(&self.faces, u64::to_le_bytes).list(&self.persons, u32::to_le_bytes)
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Change {
            namespace: fields.u32()?,
            faces: fields.list(u64::from_le_bytes)?,
            persons: fields.list(u32::from_le_bytes)?,
        })
    }
}
