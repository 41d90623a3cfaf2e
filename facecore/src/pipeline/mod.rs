//! From photographs to recognised faces: the one module that sees both images and galleries.

mod builder;
mod enrol;
#[doc(hidden)]
pub mod fake;
#[cfg(feature = "exchange")]
mod listed;

use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;

pub use builder::RecognizerBuilder;
pub use enrol::{EnrolledPhoto, Enrolment, FolderPhotos, photos_by_person};
#[cfg(feature = "exchange")]
pub use listed::{ListedPhotos, photos_in_csv};

use crate::align::{AlignedFace, Aligner};
use crate::detect::{Detector, DetectorOptions, Face};
use crate::embed::Embedder;
use crate::embedding::Embedding;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::image::{DecodeOptions, Image, ImageView};

/// Detector, aligner and embedder together: an image in, faces with embeddings out. May be shared by any
/// number of threads.
pub struct Recognizer {
    detector: Detector,
    aligner: Aligner,
    embedder: Embedder,
    decode: DecodeOptions,
    parallel_photos: usize,
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
#[derive(Debug, Clone, PartialEq)]
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
        let image = image.into();
        let mut timings = Timings::default();
        let faces = timed(&mut timings.detect, || self.detector.detect_with(image, options))?;
        let faces = self.embed_faces(&image, faces, &mut timings)?;
        Ok(Recognition { width: image.width(), height: image.height(), faces, timings })
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

    /// The faces of many photos, worked at in parallel; results come in the order of `paths`, and a file
    /// that fails loses nobody else's. `each` is called as photos are finished, from many threads.
    ///
    /// Where many photos are worked at, sessions are best given one thread each:
    /// [`RecognizerBuilder::for_many_photos`].
    pub fn recognize_files<P: AsRef<Path> + Sync>(
        &self,
        paths: &[P],
        each: impl Fn(usize, &Result<Recognition>) + Send + Sync,
    ) -> Result<Vec<Result<Recognition>>> {
        self.in_parallel(paths.len(), |index| {
            let result = self.recognize_file(&paths[index]);
            each(index, &result);
            result
        })
    }

    /// The one face that a photo stands for, as `choice` says.
    ///
    /// Errors with `NoFace` or `SeveralFaces`, and as [`Recognizer::recognize`] does.
    pub fn recognize_one<'a>(&self, image: impl Into<ImageView<'a>>, choice: FaceChoice) -> Result<RecognizedFace> {
        let image = image.into();
        let faces = self.detector.detect(image)?;
        let chosen = faces[choice.choose(&faces, (image.width(), image.height()))?];
        let mut embedded = self.embed_faces(&image, vec![chosen], &mut Timings::default())?;
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

    fn embed_faces(
        &self,
        image: &ImageView<'_>,
        faces: Vec<Face>,
        timings: &mut Timings,
    ) -> Result<Vec<RecognizedFace>> {
        let crops = timed(&mut timings.align, || {
            let span = tracing::debug_span!("align", faces = faces.len());
            let _entered = span.enter();
            faces.iter().map(|face| self.crop(image, face)).collect::<Result<Vec<_>>>()
        })?;
        let embeddings = timed(&mut timings.embed, || self.embedder.embed(&crops))?;
        Ok(faces.into_iter().zip(embeddings).map(|(face, embedding)| RecognizedFace { face, embedding }).collect())
    }

    fn crop(&self, image: &ImageView<'_>, face: &Face) -> Result<AlignedFace> {
        match &face.landmarks {
            Some(landmarks) => self.aligner.align(image, landmarks),
            None => Err(Error::new(
                ErrorKind::Landmarks,
                "the detector gives no landmarks, so faces cannot be aligned; use a detector with keypoints",
            )),
        }
    }

    /// Runs `work` for 0..count on a pool of its own, so that a caller's pool is neither used nor blocked
    /// by sessions that wait for each other.
    fn in_parallel<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Send + Sync) -> Result<Vec<T>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.parallel_photos.min(count.max(1)))
            .thread_name(|index| format!("facecore-{index}"))
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Internal, format!("cannot start threads: {error}")).with_source(error)
            })?;
        Ok(pool.install(|| (0..count).into_par_iter().map(work).collect()))
    }
}

fn timed<T>(took: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *took = start.elapsed();
    result
}
