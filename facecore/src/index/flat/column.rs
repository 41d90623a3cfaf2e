//! Columns of a segment: on the heap, or in bytes that somebody else keeps, such as a mapped file.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use aligned_vec::{AVec, ConstAlign};

use crate::error::{Result, fail};

/// Bytes that stay where they are and do not change while this exists.
#[derive(Clone)]
pub(crate) struct SharedBytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl SharedBytes {
    /// All bytes of `keeper`.
    pub fn new(keeper: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Self {
        SharedBytes(keeper)
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({} bytes)", self.len())
    }
}

/// Aligned as columns of stored files are: a row of codes, a sketch or the links of a node would else begin within a cache
/// line, and take up one more.
pub(in crate::index) type Aligned<T> = AVec<T, ConstAlign<64>>;

/// Numbers of one kind.
pub(in crate::index) enum Column<T> {
    Owned(Aligned<T>),
    Shared(SharedBytes),
}

impl<T: bytemuck::Pod> Column<T> {
    /// A column of slices end to end, of `length` together.
    pub fn joined<'a>(slices: impl Iterator<Item = &'a [T]>, length: usize) -> Self {
        let mut all = Aligned::with_capacity(0, length);
        slices.for_each(|slice| all.extend_from_slice(slice));
        Column::Owned(all)
    }

    /// A column over `bytes`. Errors with `GalleryCorrupt`, naming the column, if they are not aligned
    /// for `T` or no whole number of them.
    pub fn shared(name: &str, bytes: SharedBytes) -> Result<Self> {
        if let Err(error) = bytemuck::try_cast_slice::<u8, T>(&bytes) {
            fail!(
                GalleryCorrupt,
                "column `{name}` of a stored index does not fit its type ({error}); rebuild the index"
            );
        }
        Ok(Column::Shared(bytes))
    }

    /// The numbers, to be changed; they are copied first if somebody else keeps them.
    pub fn to_mut(&mut self) -> &mut [T] {
        if let Column::Shared(_) = self {
            *self = self.iter().copied().collect();
        }
        match self {
            Column::Owned(values) => values,
            Column::Shared(_) => unreachable!("it was made owned above"),
        }
    }

    /// As it is written out.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Column::Owned(Aligned::from_iter(0, values))
    }
}

impl<T: bytemuck::Pod> Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Column::Owned(values) => values,
            // Checked in `shared`, and the bytes do not move.
            Column::Shared(bytes) => bytemuck::try_cast_slice(bytes).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn shared_numbers_are_read_in_place() {
        let numbers = vec![7u64, 8, 9];
        let bytes: Vec<u8> = bytemuck::cast_slice(&numbers).to_vec();
        // Aligned by construction: words, seen as bytes, without the first and last few.
        struct Words(Vec<u64>, std::ops::Range<usize>);
        impl AsRef<[u8]> for Words {
            fn as_ref(&self) -> &[u8] {
                &bytemuck::cast_slice(&self.0)[self.1.clone()]
            }
        }
        let part = |range| SharedBytes::new(Arc::new(Words(numbers.clone(), range)));
        let column = Column::<u64>::shared("numbers", part(0..24)).unwrap();
        assert_eq!(*column, *numbers);
        assert_eq!(column.bytes(), bytes);
        assert_eq!(*Column::<u64>::shared("numbers", part(8..24)).unwrap(), numbers[1..]);
        for range in [0..7, 0..9, 1..9] {
            let error = Column::<u64>::shared("numbers", part(range)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::GalleryCorrupt);
            assert!(error.message().contains("numbers"));
        }
    }
}
