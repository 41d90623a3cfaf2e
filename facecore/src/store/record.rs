//! The bytes of a row's value: a version, the fields, a checksum.
//!
//! Numbers are little endian; a string is its length in bytes (u32) and UTF-8; an option is one byte, 0
//! or 1, and the value if it is 1; a list is its length (u32) and the items. The checksum is XXH3-64 of
//! everything before it, seeded with XXH3-64 of the key, so that a value under a wrong key is found too.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const CHECKSUM: usize = size_of::<u64>();

/// Writes the fields of a record one after the other.
pub(super) struct Encoder(Vec<u8>);

impl Encoder {
    /// A record of `version`, with room for `capacity` bytes of fields.
    pub fn new(version: u8, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(1 + capacity + CHECKSUM);
        bytes.push(version);
        Encoder(bytes)
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn f32(self, value: f32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub fn u128(self, value: u128) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Panics if the list has 2^32 items or more; the callers' limits are far below.
    fn length(self, length: usize) -> Self {
        self.u32(u32::try_from(length).expect("a record has less than 4 GiB"))
    }

    pub fn string(self, value: &str) -> Self {
        self.length(value.len()).bytes(value.as_bytes())
    }

    pub fn option<T>(self, value: Option<T>, put: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            None => self.bytes(&[0]),
            Some(value) => put(self.bytes(&[1]), value),
        }
    }

    pub fn list<T: Copy, const N: usize>(mut self, values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Self {
        self = self.length(values.len());
        let start = self.0.len();
        self.0.resize(start + values.len() * N, 0);
        // Without a check of the room for each item this is a copy.
        self.0[start..].as_chunks_mut::<N>().0.iter_mut().zip(values).for_each(|(to, &value)| *to = bytes(value));
        self
    }

    /// The finished value of `key`.
    pub fn finish(self, key: &[u8]) -> Vec<u8> {
        let checksum = checksum(key, &self.0);
        self.bytes(&checksum.to_le_bytes()).0
    }
}

/// Any bytes with the checksum that makes them a whole value of `key`.
pub(super) fn seal(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    Encoder(bytes.to_vec()).finish(key)
}

fn checksum(key: &[u8], bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, xxh3_64(key))
}

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is not what was written.
    Checksum,
    /// It was written by a newer version of this library.
    Version(u8),
    /// It is whole, but not what a record of its kind looks like.
    Form,
}

/// Reads the fields of a record one after the other. Takes nothing on trust: any bytes give a value or
/// a [`Damage`], and no more memory is used than the bytes account for.
pub(super) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// The fields of `value`, which is stored under `key`, if it is whole and of `version`.
    pub fn open(version: u8, key: &[u8], value: &'a [u8]) -> Result<Self, Damage> {
        let (body, sum) = value.split_last_chunk::<CHECKSUM>().ok_or(Damage::Checksum)?;
        if checksum(key, body) != u64::from_le_bytes(*sum) {
            return Err(Damage::Checksum);
        }
        match body.split_first() {
            Some((found, fields)) if *found == version => Ok(Decoder(fields)),
            Some((found, _)) => Err(Damage::Version(*found)),
            None => Err(Damage::Form),
        }
    }

    /// That nothing is left.
    pub fn end(&self) -> Result<(), Damage> {
        if self.0.is_empty() { Ok(()) } else { Err(Damage::Form) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Damage::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Damage::Form)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn f32(&mut self) -> Result<f32, Damage> {
        self.array().map(f32::from_le_bytes)
    }

    pub fn u128(&mut self) -> Result<u128, Damage> {
        self.array().map(u128::from_le_bytes)
    }

    pub fn string(&mut self) -> Result<String, Damage> {
        let length = self.u32()? as usize;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| Damage::Form)?;
        Ok(text.to_owned())
    }

    pub fn option<T>(&mut self, take: impl FnOnce(&mut Self) -> Result<T, Damage>) -> Result<Option<T>, Damage> {
        match self.array()? {
            [0] => Ok(None),
            [1] => take(self).map(Some),
            _ => Err(Damage::Form),
        }
    }

    pub fn list<T, L: FromIterator<T>, const N: usize>(&mut self, value: impl Fn([u8; N]) -> T) -> Result<L, Damage> {
        let length = (self.u32()? as usize).checked_mul(N).ok_or(Damage::Form)?;
        let (items, _) = self.take(length)?.as_chunks::<N>();
        Ok(items.iter().map(|&item| value(item)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let record = Encoder::new(1, 64).u32(7).string("ada").option(Some(0.5), Encoder::f32);
        record.option(None::<f32>, Encoder::f32).list(&[1u64, 2], u64::to_le_bytes).u128(3).finish(b"key")
    }

    fn read(key: &[u8], value: &[u8]) -> Result<(u32, String, Option<f32>, Vec<u64>), Damage> {
        let mut fields = Decoder::open(1, key, value)?;
        let (number, name, some) = (fields.u32()?, fields.string()?, fields.option(Decoder::f32)?);
        assert_eq!(fields.option(Decoder::f32)?, None);
        let list = fields.list(u64::from_le_bytes)?;
        assert_eq!(fields.u128()?, 3);
        fields.end()?;
        Ok((number, name, some, list))
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(b"key", &sample()).unwrap(), (7, "ada".to_owned(), Some(0.5), vec![1, 2]));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let whole = sample();
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(b"key", &damaged), Err(Damage::Checksum), "bit {bit}");
        }
        for length in 0..whole.len() {
            assert_eq!(read(b"key", &whole[..length]), Err(Damage::Checksum), "{length} bytes");
        }
        assert_eq!(read(b"other", &whole), Err(Damage::Checksum));
    }

    #[test]
    fn whole_records_of_another_form_are_refused() {
        assert_eq!(read(b"key", &Encoder::new(2, 0).finish(b"key")), Err(Damage::Version(2)));
        let long_string = Encoder::new(1, 0).u32(7).u32(u32::MAX).finish(b"key");
        assert_eq!(read(b"key", &long_string), Err(Damage::Form));
        let odd_option = Encoder::new(1, 0).u32(7).string("").bytes(&[2]).finish(b"key");
        assert_eq!(read(b"key", &odd_option), Err(Damage::Form));
        let mut with_more = sample();
        with_more.truncate(with_more.len() - CHECKSUM);
        assert_eq!(read(b"key", &Encoder(with_more).bytes(&[0]).finish(b"key")), Err(Damage::Form));
    }
}
