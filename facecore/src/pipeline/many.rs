//! Many photos at once.
//!
//! The caller's thread hands out photos, and as many threads as photos may be worked at take one after the other, so that
//! some decode while others detect or embed, and none waits for another. Each gathers the faces of its photos in the
//! embedder's input until a batch is worth a run, or a photo has waited long enough.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

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

/// When the faces gathered from several photos are embedded. Which photos share a run changes no embedding with ONNX
/// Runtime's CPU kernels, which compute each row by itself; elsewhere it may change last bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// As soon as there are so many, 1 to 32. With 1, no photo waits for another.
    pub faces: usize,
    /// As soon as a photo whose faces are found has waited so long for others; one that is worked at meanwhile is finished
    /// first.
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
}

/// A photo whose faces are in a batch.
struct Waiting {
    photo: Open,
    faces: Vec<Face>,
    /// The number of the first face in the batch.
    first: usize,
    since: Instant,
}

/// Tells the others, if its thread panics.
struct Alarm<'a>(&'a AtomicBool);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
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
    /// from many threads; a photo that fails loses nobody else's. The iterator runs on the caller's thread, a few photos
    /// ahead; it may be endless, or wait, also for what `each` got.
    ///
    /// So many photos are worked at as the recognizer was built for; sessions are best given one thread each:
    /// [`RecognizerBuilder::for_many_photos`](super::RecognizerBuilder::for_many_photos).
    ///
    /// Errors with `InvalidArgument` if the batch size is out of range, and with `Internal` if no thread can be started. If
    /// `each` panics, no more photos are taken, and the panic goes on in the caller.
    pub fn recognize_each<P: Into<Photo>>(
        &self,
        photos: impl IntoIterator<Item = P>,
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
        photos: impl IntoIterator<Item = P>,
        batching: &Batching,
        choice: Choice,
        each: impl Fn(usize, Result<Recognition>) + Send + Sync,
    ) -> Result<()> {
        if !(1..=32).contains(&batching.faces) {
            let message = format!("a batch has 1 to 32 faces, not {}", batching.faces);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let photos = photos.into_iter();
        let threads = self.parallel_photos.min(photos.size_hint().1.unwrap_or(usize::MAX));
        if threads == 0 {
            return Ok(());
        }
        let stopped = AtomicBool::new(false);
        // Threads of their own: a caller's pool is neither used nor blocked.
        std::thread::scope(|scope| {
            // As many ahead as there are threads: none of them has to wait for the caller's to wake up.
            let (hand_out, photos_of_threads) = bounded(threads);
            for number in 0..threads {
                let (photos, each, stopped) = (photos_of_threads.clone(), &each, &stopped);
                let work = move || {
                    let _alarm = Alarm(stopped);
                    self.embedder.with_batch(|batch| self.work(batch, &photos, batching, choice, stopped, each));
                };
                let thread = std::thread::Builder::new().name(format!("facecore-{number}")).spawn_scoped(scope, work);
                match thread {
                    Ok(_) => {}
                    Err(error) if number == 0 => {
                        let message = format!("cannot start a thread: {error}");
                        return Err(Error::new(ErrorKind::Internal, message).with_source(error));
                    }
                    // Fewer do the work.
                    Err(_) => break,
                }
            }
            // So that handing out ends when no thread is left.
            drop(photos_of_threads);
            for (index, photo) in photos.enumerate() {
                if stopped.load(Ordering::Relaxed) || hand_out.send((index, photo.into())).is_err() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// What one thread does.
    fn work(
        &self,
        batch: &mut FaceBatch,
        photos: &Receiver<(usize, Photo)>,
        batching: &Batching,
        choice: Choice,
        stopped: &AtomicBool,
        each: impl Fn(usize, Result<Recognition>),
    ) {
        let mut gathered = Gathered { batch, photos: Vec::new() };
        while !stopped.load(Ordering::Relaxed) {
            let until = |waiting: &Waiting| waiting.since.checked_add(batching.longest_wait);
            let next = match gathered.photos.first().and_then(until) {
                Some(deadline) => photos.recv_deadline(deadline),
                None => photos.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok((index, photo)) => self.gather_or_give(&mut gathered, index, photo, choice, &each),
                Err(RecvTimeoutError::Timeout) => self.give(&mut gathered, &each),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let waiting = gathered.batch.pushed() - self.embedder.finished(gathered.batch);
            let late = |waiting: &Waiting| waiting.since.elapsed() >= batching.longest_wait;
            if waiting == 0 || waiting >= batching.faces || gathered.photos.first().is_some_and(late) {
                self.give(&mut gathered, &each);
            }
        }
        self.give(&mut gathered, &each);
    }

    /// Gathers a photo's faces, or gives back why they cannot be.
    fn gather_or_give(
        &self,
        gathered: &mut Gathered<'_>,
        index: usize,
        photo: Photo,
        choice: Choice,
        each: impl Fn(usize, Result<Recognition>),
    ) {
        match self.open_photo(index, photo) {
            Err(error) => each(index, Err(error)),
            Ok((image, photo)) => {
                let path = photo.path.clone();
                if let Err(error) = self.gather(gathered, &image, photo, choice) {
                    // What came before is not lost with it.
                    self.give(gathered, &each);
                    each(index, Err(named(error, path.as_deref())));
                }
            }
        }
    }

    fn open_photo(&self, index: usize, photo: Photo) -> Result<(Image, Open)> {
        let start = Instant::now();
        let (path, image) = match photo {
            Photo::File(path) => {
                let image = self.read(&path)?.0;
                (Some(path), image)
            }
            Photo::Encoded(bytes) => (None, Image::from_bytes_with(&bytes, &self.decode)?),
            Photo::Pixels(image) => (None, image),
        };
        let timings = Timings { decode: start.elapsed(), ..Timings::default() };
        let size = (image.width(), image.height());
        Ok((image, Open { index, path, size, timings }))
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
        photos.push(Waiting { photo, faces, first, since: Instant::now() });
        Ok(())
    }

    /// Embeds what waits, and gives every photo back.
    fn give(&self, gathered: &mut Gathered<'_>, each: impl Fn(usize, Result<Recognition>)) {
        let Gathered { batch, photos } = gathered;
        let ran = self.embedder.flush(batch);
        let finished = self.embedder.finished(batch);
        let a_face = batch.took() / finished.max(1) as u32;
        for Waiting { photo, faces, first, .. } in photos.drain(..) {
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
