//! Many photos at once.
//!
//! As many threads as photos may be worked at take one photo after the other, so that some decode while others detect or
//! embed, and no thread waits for another. Each gathers the faces of its photos in the embedder's input until a batch
//! is worth a run.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{FaceChoice, Recognition, RecognizedFace, Recognizer, Timings, timed};
use crate::detect::Face;
use crate::embed::FaceBatch;
use crate::error::{Error, ErrorKind, Result};
use crate::image::Image;

/// A photo as it comes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Photo {
    /// An encoded file.
    File(PathBuf),
    /// An encoded file in memory.
    Encoded(Vec<u8>),
    /// Pixels.
    Pixels(Image),
}

impl From<PathBuf> for Photo {
    fn from(path: PathBuf) -> Self {
        Photo::File(path)
    }
}

impl From<&Path> for Photo {
    fn from(path: &Path) -> Self {
        Photo::File(path.to_path_buf())
    }
}

impl From<Vec<u8>> for Photo {
    fn from(bytes: Vec<u8>) -> Self {
        Photo::Encoded(bytes)
    }
}

impl From<Image> for Photo {
    fn from(image: Image) -> Self {
        Photo::Pixels(image)
    }
}

/// When the faces gathered from several photos are embedded. Which photos share a run changes no embedding on
/// the CPU, where each row is computed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// As soon as there are so many, 1 to 32. With 1, no photo waits for another.
    pub faces: usize,
    /// As soon as a photo has waited so long for others; looked at after each photo.
    pub longest_wait: Duration,
}

impl Default for Batching {
    /// 16 faces, 100 ms. With MobileFaceNet on one core of an AMD EPYC, a face takes 6.8 ms in a run of 16 and 7.5 ms in
    /// one of its own; more in a run gain no more.
    fn default() -> Self {
        Batching { faces: 16, longest_wait: Duration::from_millis(100) }
    }
}

/// A photo that is worked at.
struct Open {
    index: usize,
    /// What errors name.
    path: Option<PathBuf>,
    size: (usize, usize),
    timings: Timings,
    since: Instant,
}

/// A photo whose faces are in a batch.
struct Waiting {
    photo: Open,
    faces: Vec<Face>,
    /// The number of the first face in the batch.
    first: usize,
}

/// What one thread has taken and not given back.
struct Gathered<'a> {
    batch: &'a mut FaceBatch,
    photos: Vec<Waiting>,
}

/// Which faces of a photo are embedded.
#[derive(Clone, Copy)]
pub(super) enum Choice {
    All,
    One(FaceChoice),
}

impl Recognizer {
    /// The faces of many photos. `each` gets every photo's number, counted from 0, with its faces, as they are ready and
    /// from many threads; a photo that fails loses nobody else's. Photos are taken from the iterator when there is
    /// a thread for them, so that it may be endless, or wait.
    ///
    /// So many photos are worked at as the recognizer was built for; sessions are best given one thread each:
    /// [`RecognizerBuilder::for_many_photos`](super::RecognizerBuilder::for_many_photos).
    ///
    /// Errors with `InvalidArgument` if the batch size is out of range.
    pub fn recognize_each<P: Into<Photo>>(
        &self,
        photos: impl IntoIterator<Item = P, IntoIter: Send>,
        batching: &Batching,
        each: impl Fn(usize, Result<Recognition>) + Send + Sync,
    ) -> Result<()> {
        self.each(photos, batching, Choice::All, each)
    }

    /// The faces of many photos, worked at in parallel; results come in the order of `paths`, and a file
    /// that fails loses nobody else's. `each` is called as photos are finished, from many threads.
    ///
    /// Where many photos are worked at, sessions are best given one thread each:
    /// [`RecognizerBuilder::for_many_photos`](super::RecognizerBuilder::for_many_photos).
    pub fn recognize_files<P: AsRef<Path> + Sync>(
        &self,
        paths: &[P],
        each: impl Fn(usize, &Result<Recognition>) + Send + Sync,
    ) -> Result<Vec<Result<Recognition>>> {
        self.files(paths, Choice::All, each)
    }

    /// The faces of files that are chosen, in the order of the files.
    pub(super) fn files<P: AsRef<Path> + Sync>(
        &self,
        paths: &[P],
        choice: Choice,
        each: impl Fn(usize, &Result<Recognition>) + Send + Sync,
    ) -> Result<Vec<Result<Recognition>>> {
        let results: Vec<OnceLock<Result<Recognition>>> = paths.iter().map(|_| OnceLock::new()).collect();
        let photos = paths.iter().map(|path| path.as_ref());
        self.each(photos, &Batching::default(), choice, |index, result| {
            each(index, results[index].get_or_init(|| result));
        })?;
        let missing = || Err(Error::new(ErrorKind::Internal, "a photo was not worked at"));
        Ok(results.into_iter().map(|result| result.into_inner().unwrap_or_else(missing)).collect())
    }

    fn each<P: Into<Photo>>(
        &self,
        photos: impl IntoIterator<Item = P, IntoIter: Send>,
        batching: &Batching,
        choice: Choice,
        each: impl Fn(usize, Result<Recognition>) + Send + Sync,
    ) -> Result<()> {
        if !(1..=32).contains(&batching.faces) {
            let message = format!("a batch has 1 to 32 faces, not {}", batching.faces);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let photos = photos.into_iter();
        let most = photos.size_hint().1.unwrap_or(usize::MAX);
        let photos = Mutex::new(photos.enumerate());
        let next = || photos.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || self.embedder.with_batch(|batch| self.work(batch, next, batching, choice, &each));
        // Threads of their own: a caller's pool is neither used nor blocked.
        std::thread::scope(|scope| {
            for number in 0..self.parallel_photos.min(most) {
                let thread = std::thread::Builder::new().name(format!("facecore-{number}"));
                thread.spawn_scoped(scope, work).map_err(|error| {
                    Error::new(ErrorKind::Internal, format!("cannot start threads: {error}")).with_source(error)
                })?;
            }
            Ok(())
        })
    }

    /// What one thread does.
    fn work<P: Into<Photo>>(
        &self,
        batch: &mut FaceBatch,
        next: impl Fn() -> Option<(usize, P)>,
        batching: &Batching,
        choice: Choice,
        each: impl Fn(usize, Result<Recognition>),
    ) {
        let mut gathered = Gathered { batch, photos: Vec::new() };
        while let Some((index, photo)) = next() {
            match self.open_photo(index, photo.into()) {
                Err(error) => each(index, Err(error)),
                Ok((image, photo)) => {
                    let path = photo.path.clone();
                    if let Err(error) = self.gather(&mut gathered, &image, photo, choice) {
                        // What came before is not lost with it.
                        self.give(&mut gathered, &each);
                        each(index, Err(named(error, path.as_deref())));
                    }
                }
            }
            let waiting = gathered.batch.pushed() - self.embedder.finished(gathered.batch);
            let late = |waiting: &Waiting| waiting.photo.since.elapsed() >= batching.longest_wait;
            if waiting == 0 || waiting >= batching.faces || gathered.photos.first().is_some_and(late) {
                self.give(&mut gathered, &each);
            }
        }
        self.give(&mut gathered, &each);
    }

    fn open_photo(&self, index: usize, photo: Photo) -> Result<(Image, Open)> {
        let since = Instant::now();
        let (path, image) = match photo {
            Photo::File(path) => {
                let image = self.read(&path)?.0;
                (Some(path), image)
            }
            Photo::Encoded(bytes) => (None, Image::from_bytes_with(&bytes, &self.decode)?),
            Photo::Pixels(image) => (None, image),
        };
        let timings = Timings { decode: since.elapsed(), ..Timings::default() };
        let size = (image.width(), image.height());
        Ok((image, Open { index, path, size, timings, since }))
    }

    /// Detects, and adds the photo's faces to the batch.
    fn gather(&self, gathered: &mut Gathered<'_>, image: &Image, mut photo: Open, choice: Choice) -> Result<()> {
        let Gathered { batch, photos } = gathered;
        let timings = &mut photo.timings;
        let mut faces = timed(&mut timings.detect, || self.detector.detect(image))?;
        if let Choice::One(choice) = choice {
            faces = vec![faces[choice.choose(&faces, photo.size)?]];
        }
        let (first, ran) = (batch.pushed(), batch.took());
        timed(&mut timings.align, || self.push_faces(batch, &image.view(), &faces))?;
        timings.align = timings.align.saturating_sub(batch.took() - ran);
        photos.push(Waiting { photo, faces, first });
        Ok(())
    }

    /// Embeds what waits, and gives every photo back.
    fn give(&self, gathered: &mut Gathered<'_>, each: impl Fn(usize, Result<Recognition>)) {
        let Gathered { batch, photos } = gathered;
        let ran = self.embedder.flush(batch);
        let finished = self.embedder.finished(batch);
        let a_face = batch.took() / finished.max(1) as u32;
        for Waiting { photo, faces, first } in photos.drain(..) {
            let Open { index, path, size: (width, height), mut timings, .. } = photo;
            timings.embed = a_face * faces.len() as u32;
            let embed = |(at, face)| {
                let embedding = self.embedder.embedding(batch, first + at)?;
                Ok(RecognizedFace { face, embedding })
            };
            let faces = match &ran {
                Err(error) if first + faces.len() > finished => Err(Error::new(error.kind(), error.message())),
                _ => faces.into_iter().enumerate().map(embed).collect(),
            };
            let recognition = faces.map(|faces| Recognition { width, height, faces, timings });
            each(index, recognition.map_err(|error| named(error, path.as_deref())));
        }
        batch.clear();
    }
}

/// The error, with the file that it is about.
fn named(error: Error, path: Option<&Path>) -> Error {
    match path {
        Some(path) => error.context(path.display().to_string()),
        None => error,
    }
}
