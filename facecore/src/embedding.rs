//! Face embeddings and how they are compared.

use std::fmt;
use std::sync::Arc;

use crate::error::{Result, fail};

/// Names what makes two embeddings comparable (weights, preprocessing, alignment template and
/// test-time augmentation, for example `mobilefacenet-128/arcface-112`), and says from which cosine
/// on two faces are taken for the same person.
///
/// Two model files with the same weights share a space; embeddings of different spaces must never
/// be compared, so galleries pin it. The threshold is advice that travels with the embedding: it
/// does not make two spaces different.
#[derive(Clone)]
pub struct EmbeddingSpace {
    id: Arc<str>,
    threshold: f32,
}

impl EmbeddingSpace {
    /// The space called `id`, in which a cosine of `threshold` (-1 to 1) or more means "the same
    /// person" unless a search says otherwise.
    pub fn new(id: impl AsRef<str>, threshold: f32) -> Self {
        EmbeddingSpace { id: Arc::from(id.as_ref()), threshold }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The cosine from which on two faces are taken for the same person.
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The same space, decided at another cosine.
    #[must_use]
    pub fn with_threshold(&self, threshold: f32) -> Self {
        EmbeddingSpace { id: self.id.clone(), threshold }
    }
}

impl PartialEq for EmbeddingSpace {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for EmbeddingSpace {}

impl fmt::Display for EmbeddingSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl fmt::Debug for EmbeddingSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", &*self.id, self.threshold)
    }
}

/// A face as a point on the unit sphere, together with the length the model gave it.
#[derive(Clone, PartialEq)]
pub struct Embedding {
    values: Arc<[f32]>,
    norm: f32,
    space: EmbeddingSpace,
}

impl Embedding {
    /// Normalises `raw` to length 1 and keeps its length.
    ///
    /// Errors with `InvalidEmbedding` if a value is not finite, or if the vector is empty or shorter
    /// than 1e-12, so that it has no direction.
    pub fn from_raw(raw: impl AsRef<[f32]>, space: EmbeddingSpace) -> Result<Embedding> {
        let raw = raw.as_ref();
        let norm = norm_of(raw)?;
        let values = raw.iter().map(|&value| normalized(value, norm)).collect();
        Ok(Embedding { values, norm: as_stored(norm), space })
    }

    /// As [`Embedding::from_raw`], in the memory of this embedding unless it is shared or of another dimension. After
    /// an error it is as it was.
    #[cfg(feature = "recognition")]
    pub(crate) fn assign_raw(&mut self, raw: &[f32], space: &EmbeddingSpace) -> Result<()> {
        match Arc::get_mut(&mut self.values) {
            Some(values) if values.len() == raw.len() => {
                let norm = norm_of(raw)?;
                values.iter_mut().zip(raw).for_each(|(value, &raw)| *value = normalized(raw, norm));
                (self.norm, self.space) = (as_stored(norm), space.clone());
            }
            _ => *self = Embedding::from_raw(raw, space.clone())?,
        }
        Ok(())
    }

    /// An embedding that was normalised before it was stored, with the length it had before. Normalising
    /// again could change its last bits, so the values are only checked: `InvalidEmbedding` if their length
    /// differs from 1 by more than 1e-3, or if `norm` is no positive finite number.
    pub fn from_stored(values: impl Into<Arc<[f32]>>, norm: f32, space: EmbeddingSpace) -> Result<Embedding> {
        let values = values.into();
        let length = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
        // `contains` is false for NaN too.
        if !(0.999..=1.001).contains(&length) {
            fail!(InvalidEmbedding, "a stored embedding has length 1, this one has {length}");
        }
        if !(norm.is_finite() && norm > 0.0) {
            fail!(InvalidEmbedding, "the norm of an embedding is a positive number, not {norm}");
        }
        Ok(Embedding { values, norm, space })
    }

    /// The coordinates, of length 1 together.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The coordinates, shared.
    pub(crate) fn shared_values(&self) -> &Arc<[f32]> {
        &self.values
    }

    /// How many coordinates there are.
    pub fn dimension(&self) -> usize {
        self.values.len()
    }

    /// The length the model gave the vector before it was normalised. For AdaFace-trained models it
    /// rises with the quality of the image; for others it says little.
    pub fn norm(&self) -> f32 {
        self.norm
    }

    /// What this embedding may be compared with.
    pub fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    /// Cosine of the angle between two embeddings, -1 to 1; higher is more alike.
    ///
    /// Errors with `EmbeddingSpaceMismatch` or `DimensionMismatch` if they cannot be compared.
    pub fn cosine(&self, other: &Embedding) -> Result<f32> {
        self.check_comparable(other)?;
        Ok(dot(&self.values, &other.values).clamp(-1.0, 1.0))
    }

    /// Euclidean distance of the normalised embeddings, 0 to 2; lower is more alike.
    ///
    /// It equals `sqrt(2 - 2 cosine)`. Errors as [`Embedding::cosine`] does.
    pub fn euclidean(&self, other: &Embedding) -> Result<f32> {
        self.check_comparable(other)?;
        let squared = self.values.iter().zip(&*other.values).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        Ok(squared.sqrt())
    }

    fn check_comparable(&self, other: &Embedding) -> Result<()> {
        if self.space != other.space {
            fail!(EmbeddingSpaceMismatch, "embeddings of {} and {} cannot be compared", self.space, other.space);
        }
        if self.dimension() != other.dimension() {
            fail!(
                DimensionMismatch,
                "embeddings of {} and {} dimensions cannot be compared",
                self.dimension(),
                other.dimension()
            );
        }
        Ok(())
    }

    /// The coordinates as an `ndarray` view.
    #[cfg(feature = "ndarray")]
    pub fn view(&self) -> ndarray::ArrayView1<'_, f32> {
        ndarray::ArrayView1::from(&*self.values)
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An embedding is biometric data: its coordinates do not belong in logs.
        write!(f, "Embedding({}, {} dimensions, norm {:.2})", self.space, self.values.len(), self.norm)
    }
}

/// The length of a model's output that is fit to be an embedding.
fn norm_of(raw: &[f32]) -> Result<f64> {
    if let Some(at) = raw.iter().position(|value| !value.is_finite()) {
        fail!(InvalidEmbedding, "value {at} of the embedding is {}", raw[at]);
    }
    let norm = raw.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
    if norm < 1e-12 {
        fail!(InvalidEmbedding, "the embedding is all zeros and has no direction");
    }
    Ok(norm)
}

fn normalized(value: f32, norm: f64) -> f32 {
    (f64::from(value) / norm) as f32
}

/// Kept finite, so that it survives every text format.
fn as_stored(norm: f64) -> f32 {
    norm.min(f64::from(f32::MAX)) as f32
}

/// Inner product; eight partial sums, so that the compiler can use vector registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(values: &[f32]) -> Embedding {
        Embedding::from_raw(values, EmbeddingSpace::new("test", 0.4)).unwrap()
    }

    #[test]
    fn is_normalised_and_keeps_its_norm() {
        let e = embedding(&[3.0, 4.0]);
        assert_eq!(e.values(), &[0.6, 0.8]);
        assert_eq!(e.norm(), 5.0);
    }

    #[test]
    fn metrics_agree() {
        let (a, b) = (embedding(&[1.0, 2.0, -1.0]), embedding(&[0.5, -1.0, 2.0]));
        let (cosine, distance) = (a.cosine(&b).unwrap(), a.euclidean(&b).unwrap());
        assert!((distance - (2.0 - 2.0 * cosine).sqrt()).abs() < 1e-6);
        assert!((a.cosine(&a).unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn bad_vectors_are_refused() {
        for bad in [vec![], vec![0.0; 4], vec![1.0, f32::NAN], vec![f32::INFINITY, 0.0]] {
            let error = Embedding::from_raw(bad, EmbeddingSpace::new("test", 0.4)).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidEmbedding);
        }
    }

    #[cfg(feature = "recognition")]
    #[test]
    fn memory_is_used_again_unless_somebody_else_sees_it() {
        let mut e = embedding(&[3.0, 4.0]);
        let at = e.values().as_ptr();
        e.assign_raw(&[0.0, 2.0], &EmbeddingSpace::new("other", 0.4)).unwrap();
        assert_eq!((e.values(), e.norm(), e.space().id(), e.values().as_ptr()), (&[0.0, 1.0][..], 2.0, "other", at));
        assert!(e.assign_raw(&[f32::NAN, 2.0], &EmbeddingSpace::new("test", 0.4)).is_err());
        assert_eq!(e.values(), [0.0, 1.0]);

        let seen = e.clone();
        e.assign_raw(&[5.0, 0.0], &EmbeddingSpace::new("test", 0.4)).unwrap();
        assert_eq!((seen.values(), e.values()), (&[0.0, 1.0][..], &[1.0, 0.0][..]));
        e.assign_raw(&[0.0, 0.0, 7.0], &EmbeddingSpace::new("test", 0.4)).unwrap();
        assert_eq!(e.values(), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn huge_values_do_not_overflow_the_norm() {
        assert!((embedding(&[f32::MAX, f32::MAX]).values()[0] - 0.5f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn stored_values_keep_their_bits_and_are_checked() {
        let space = EmbeddingSpace::new("test", 0.4);
        let first = Embedding::from_raw([1.0, 2.0, 3.0], space.clone()).unwrap();
        assert_eq!(Embedding::from_stored(first.values(), first.norm(), space.clone()).unwrap(), first);
        for (bad, norm) in [([1.0, 1.0], 1.0), ([0.0, 0.0], 1.0), ([f32::NAN, 1.0], 1.0), ([1.0, 0.0], f32::NAN)] {
            let error = Embedding::from_stored(bad, norm, space.clone()).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidEmbedding);
        }
    }

    #[test]
    fn different_spaces_are_not_compared() {
        let other = Embedding::from_raw([3.0, 4.0], EmbeddingSpace::new("other", 0.4)).unwrap();
        assert_eq!(embedding(&[1.0, 0.0]).cosine(&other).unwrap_err().kind(), crate::ErrorKind::EmbeddingSpaceMismatch);
    }

    #[test]
    fn dot_equals_the_plain_sum_for_every_remainder() {
        for n in 0..40 {
            let a: Vec<f32> = (0..n).map(|i| (i as f32).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).cos()).collect();
            let plain: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-5);
        }
    }
}
