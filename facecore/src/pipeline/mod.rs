//! From photographs to recognised faces: the one module that sees both images and galleries.

mod builder;
mod enrol;
#[doc(hidden)]
pub mod fake;
#[cfg(feature = "exchange")]
mod listed;
mod many;

use std::path::Path;
use std::time::{Duration, Instant};

pub use builder::RecognizerBuilder;
pub use enrol::{EnrolledPhoto, Enrolment, FolderPhotos, photos_by_person};
#[cfg(feature = "exchange")]
pub use listed::{ListedPhotos, photos_in_csv};
pub use many::{Batching, Photo};

use crate::align::Aligner;
use crate::detect::{Detector, DetectorOptions, Face};
use crate::embed::{Embedder, FaceBatch};
use crate::embedding::Embedding;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::geometry::Landmarks;
use crate::image::{DecodeOptions, Image, ImageView};
use crate::scratch::{Memory, ScratchPool};

/// Detector, aligner and embedder together: an image in, faces with embeddings out. May be shared by any
/// number of threads.
pub struct Recognizer {
    detector: Detector,
    aligner: Aligner,
    embedder: Embedder,
    decode: DecodeOptions,
    parallel_photos: usize,
    found: ScratchPool<Found>,
}

/// The faces of a photo on the way from detector to embedder.
#[derive(Default)]
struct Found(Vec<Face>);

impl Memory for Found {
    fn bytes(&self) -> usize {
        size_of::<Face>() * self.0.capacity()
    }
}

/// A face with its embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct RecognizedFace {
    /// Where it is, in pixels of the upright image.
    pub face: Face,
    /// Who it looks like.
    pub embedding: Embedding,
}

/// The faces of one image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recognition {
    /// Width of the upright image in pixels.
    pub width: usize,
    /// Height of the upright image in pixels.
    pub height: usize,
    /// Best first.
    pub faces: Vec<RecognizedFace>,
    /// What each stage took.
    pub timings: Timings,
}

/// Wall-clock time of each stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// Reading and decoding the file; zero for pixels that were in memory.
    pub decode: Duration,
    /// Detection, scaling included.
    pub detect: Duration,
    /// Cutting the crops.
    pub align: Duration,
    /// Embedding the crops.
    pub embed: Duration,
}

impl Timings {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.decode + self.detect + self.align + self.embed
    }
}

impl IntoIterator for Recognition {
    type Item = RecognizedFace;
    type IntoIter = std::vec::IntoIter<RecognizedFace>;

    fn into_iter(self) -> Self::IntoIter {
        self.faces.into_iter()
    }
}

impl<'a> IntoIterator for &'a Recognition {
    type Item = &'a RecognizedFace;
    type IntoIter = std::slice::Iter<'a, RecognizedFace>;

    fn into_iter(self) -> Self::IntoIter {
        self.faces.iter()
    }
}

/// Which face a photo of one person stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FaceChoice {
    /// The only one; several are an error, because enrolling the wrong person is worse than asking.
    #[default]
    Only,
    /// The one with the largest box.
    Largest,
    /// The one that is both large and near the centre: box area minus twice the squared distance of the
    /// centres, insightface's rule.
    Central,
}

impl FaceChoice {
    /// The index of the chosen face in an image of `size` (width, height).
    ///
    /// Errors with `NoFace`, and with `SeveralFaces` if the choice is [`FaceChoice::Only`].
    pub fn choose(self, faces: &[Face], size: (usize, usize)) -> Result<usize> {
        let weight = |face: &Face| match self {
            FaceChoice::Only | FaceChoice::Largest => face.rect.area(),
            FaceChoice::Central => {
                let center = face.rect.center();
                let (dx, dy) = (center.x - size.0 as f32 / 2.0, center.y - size.1 as f32 / 2.0);
                face.rect.area() - 2.0 * (dx * dx + dy * dy)
            }
        };
        if self == FaceChoice::Only && faces.len() > 1 {
            let message = format!("{} faces where one is expected; crop the photo, or choose the largest", faces.len());
            return Err(Error::new(ErrorKind::SeveralFaces, message));
        }
        (0..faces.len())
            .max_by(|&a, &b| weight(&faces[a]).total_cmp(&weight(&faces[b])).then(b.cmp(&a)))
            .ok_or_else(|| Error::new(ErrorKind::NoFace, "no face was found"))
    }
}

impl Recognizer {
    /// A recognizer with default options from a pack: a folder, or the name of an installed pack such as `buffalo_l`
    /// (see [`Pack::open`](crate::Pack::open)).
    ///
    /// Errors as [`RecognizerBuilder::build`] does.
    pub fn open(pack: impl AsRef<Path>) -> Result<Recognizer> {
        Recognizer::builder().pack(pack).build()
    }

    /// A recognizer from the pack that comes with the library, [`Pack::lite`](crate::Pack::lite), with default
    /// options: nothing has to be downloaded. Its weights are for research and evaluation only.
    ///
    /// Errors as [`RecognizerBuilder::build`] does.
    #[cfg(feature = "lite-models")]
    pub fn lite() -> Result<Recognizer> {
        Recognizer::builder().opened_pack(crate::model::Pack::lite()?).build()
    }

    /// A recognizer from single files, or with options.
    pub fn builder() -> RecognizerBuilder {
        RecognizerBuilder::default()
    }

    /// From parts. `parallel_photos` is how many photos the functions on many files work at, at once.
    pub fn from_parts(detector: Detector, embedder: Embedder, parallel_photos: usize) -> Recognizer {
        let aligner = Aligner::new(embedder.spec().template.clone());
        Recognizer {
            detector,
            aligner,
            embedder,
            decode: DecodeOptions::default(),
            parallel_photos: parallel_photos.max(1),
            found: ScratchPool::new(),
        }
    }

    /// Finds faces.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// Cuts faces for the embedder.
    pub fn aligner(&self) -> &Aligner {
        &self.aligner
    }

    /// Makes embeddings.
    pub fn embedder(&self) -> &Embedder {
        &self.embedder
    }

    /// The faces of an image with their embeddings, best first.
    ///
    /// Errors with `Landmarks` if the detector gives none, and as [`Detector::detect`] and
    /// [`Embedder::embed`] do.
    pub fn recognize<'a>(&self, image: impl Into<ImageView<'a>>) -> Result<Recognition> {
        self.recognize_with(image, self.detector.options())
    }

    /// As [`Recognizer::recognize`] with other detector options for this call.
    pub fn recognize_with<'a>(
        &self,
        image: impl Into<ImageView<'a>>,
        options: &DetectorOptions,
    ) -> Result<Recognition> {
        let mut recognition = Recognition::default();
        self.recognize_into(image, options, &mut recognition)?;
        Ok(recognition)
    }

    /// As [`Recognizer::recognize_with`], in place of what is in `recognition`: with one that is used again nothing is
    /// allocated for an image of a size seen before with as many faces, but for what the runtime does, and for working
    /// memory beyond 64 MiB. Embeddings that somebody else holds are left to them. After an error `recognition` means nothing.
    pub fn recognize_into<'a>(
        &self,
        image: impl Into<ImageView<'a>>,
        options: &DetectorOptions,
        recognition: &mut Recognition,
    ) -> Result<()> {
        let image = image.into();
        let Recognition { width, height, faces, timings } = recognition;
        (*width, *height, *timings) = (image.width(), image.height(), Timings::default());
        self.found.with(|Found(found)| {
            timed(&mut timings.detect, || self.detector.detect_into(image, options, found))?;
            self.embed_into(&image, found, faces, timings)
        })
    }

    /// The faces of a photo file.
    ///
    /// Errors as decoding and [`Recognizer::recognize`] do; the message names the file.
    pub fn recognize_file(&self, path: impl AsRef<Path>) -> Result<Recognition> {
        let path = path.as_ref();
        let (image, decode) = self.read(path)?;
        let mut recognition = self.recognize(&image).context_with(|| path.display().to_string())?;
        recognition.timings.decode = decode;
        Ok(recognition)
    }

    /// The faces of an encoded photo that is in memory.
    ///
    /// Errors as decoding and [`Recognizer::recognize`] do.
    pub fn recognize_encoded(&self, bytes: &[u8]) -> Result<Recognition> {
        let mut decode = Duration::ZERO;
        let image = timed(&mut decode, || Image::from_bytes_with(bytes, &self.decode))?;
        let mut recognition = self.recognize(&image)?;
        recognition.timings.decode = decode;
        Ok(recognition)
    }

    /// The one face that a photo stands for, as `choice` says.
    ///
    /// Errors with `NoFace` or `SeveralFaces`, and as [`Recognizer::recognize`] does.
    pub fn recognize_one<'a>(&self, image: impl Into<ImageView<'a>>, choice: FaceChoice) -> Result<RecognizedFace> {
        let image = image.into();
        let faces = self.detector.detect(image)?;
        let chosen = faces[choice.choose(&faces, (image.width(), image.height()))?];
        let mut embedded = Vec::new();
        self.embed_into(&image, &[chosen], &mut embedded, &mut Timings::default())?;
        embedded.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one face in, none out"))
    }

    /// As [`Recognizer::recognize_one`] for a photo file.
    pub fn recognize_one_file(&self, path: impl AsRef<Path>, choice: FaceChoice) -> Result<RecognizedFace> {
        let path = path.as_ref();
        let (image, _) = self.read(path)?;
        self.recognize_one(&image, choice).context_with(|| path.display().to_string())
    }

    /// Decodes a photo with the recognizer's limits.
    fn read(&self, path: &Path) -> Result<(Image, Duration)> {
        let span = tracing::debug_span!("decode", path = %path.display());
        let _entered = span.enter();
        let mut took = Duration::ZERO;
        let image = timed(&mut took, || Image::open_with(path, &self.decode))?;
        Ok((image, took))
    }

    /// Replaces what is in `embedded` by `faces` with their embeddings.
    fn embed_into(
        &self,
        image: &ImageView<'_>,
        faces: &[Face],
        embedded: &mut Vec<RecognizedFace>,
        timings: &mut Timings,
    ) -> Result<()> {
        embedded.truncate(faces.len());
        embedded.reserve_exact(faces.len() - embedded.len());
        self.embedder.with_batch(|batch| {
            let mut took = Duration::ZERO;
            timed(&mut took, || {
                self.push_faces(batch, image, faces)?;
                self.embedder.flush(batch)
            })?;
            (timings.align, timings.embed) = (took.saturating_sub(batch.took()), batch.took());
            for (at, face) in faces.iter().enumerate() {
                match embedded.get_mut(at) {
                    Some(known) => {
                        known.face = *face;
                        self.embedder.embedding_into(batch, at, &mut known.embedding)?;
                    }
                    None => {
                        let embedding = self.embedder.embedding(batch, at)?;
                        embedded.push(RecognizedFace { face: *face, embedding });
                    }
                }
            }
            Ok(())
        })
    }

    fn push_faces(&self, batch: &mut FaceBatch, image: &ImageView<'_>, faces: &[Face]) -> Result<()> {
        let span = tracing::debug_span!("embed", faces = faces.len());
        let _entered = span.enter();
        faces.iter().try_for_each(|face| self.embedder.push(batch, image, landmarks_of(face)?))
    }
}

fn landmarks_of(face: &Face) -> Result<&Landmarks> {
    face.landmarks.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::Landmarks,
            "the detector gives no landmarks, so faces cannot be aligned; use a detector with keypoints",
        )
    })
}

fn timed<T>(took: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *took = start.elapsed();
    result
}
