//! One photo through the stages of recognition, and how the outcome is put into words.

use std::path::Path;
use std::time::{Duration, Instant};

use facecore::{
    DecodeOptions, Detector, Embedding, EmbeddingSpace, Face, Image, Placement, RecognizedFace, Recognizer, Rect,
    Result, Timings,
};

/// What is kept of a photo: all but the pixels, of which there would be many if results wait.
pub struct Seen {
    pub width: usize,
    pub height: usize,
    pub faces: Vec<Face>,
    /// One for each face, if they were embedded.
    pub embeddings: Vec<Embedding>,
    pub stages: Stages,
}

/// What each stage took that was run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stages {
    pub decode: Duration,
    pub detect: Duration,
    pub align: Option<Duration>,
    pub embed: Option<Duration>,
    pub search: Option<Duration>,
}

impl Stages {
    pub fn total(&self) -> Duration {
        let optional = [self.align, self.embed, self.search];
        self.decode + self.detect + optional.into_iter().flatten().sum::<Duration>()
    }
}

impl From<Timings> for Stages {
    fn from(timings: Timings) -> Self {
        let Timings { decode, detect, align, embed } = timings;
        Stages { decode, detect, align: Some(align), embed: Some(embed), search: None }
    }
}

impl std::ops::Add for Stages {
    type Output = Stages;

    fn add(self, other: Stages) -> Stages {
        let both = |a: Option<Duration>, b: Option<Duration>| a.map_or(b, |a| Some(a + b.unwrap_or_default()));
        Stages {
            decode: self.decode + other.decode,
            detect: self.detect + other.detect,
            align: both(self.align, other.align),
            embed: both(self.embed, other.embed),
            search: both(self.search, other.search),
        }
    }
}

/// Finds the faces in a photo file.
pub fn detect(detector: &Detector, path: &Path, options: &DecodeOptions) -> Result<(Image, Seen)> {
    let (image, decode) = open(path, options)?;
    let (faces, took) = timed(|| detector.detect(&image));
    let faces = faces.map_err(|error| error.context(path.display().to_string()))?;
    let stages = Stages { decode, detect: took, ..Stages::default() };
    let (width, height) = (image.width(), image.height());
    Ok((image, Seen { width, height, faces, embeddings: Vec::new(), stages }))
}

/// Finds the faces in a photo file and embeds them.
///
/// As [`Recognizer::recognize_file`], but gives the pixels too, on which results may be drawn.
pub fn recognize(recognizer: &Recognizer, path: &Path, options: &DecodeOptions) -> Result<(Image, Seen)> {
    let (image, decode) = open(path, options)?;
    let found = recognizer.recognize(&image).map_err(|error| error.context(path.display().to_string()))?;
    let stages = Timings { decode, ..found.timings }.into();
    let (faces, embeddings) =
        found.faces.into_iter().map(|RecognizedFace { face, embedding }| (face, embedding)).unzip();
    let (width, height) = (image.width(), image.height());
    Ok((image, Seen { width, height, faces, embeddings, stages }))
}

/// Decodes a photo file and says how long it took.
pub fn open(path: &Path, options: &DecodeOptions) -> Result<(Image, Duration)> {
    let _entered = tracing::debug_span!("decode", path = %path.display()).entered();
    let (image, took) = timed(|| Image::open_with(path, options));
    Ok((image?, took))
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// `23 ms (decode 5, detect 9, align 0.3, embed 8, search 0.1)`
pub fn timings_in_words(stages: &Stages) -> String {
    let Stages { decode, detect, align, embed, search } = *stages;
    let all =
        [("decode", Some(decode)), ("detect", Some(detect)), ("align", align), ("embed", embed), ("search", search)];
    let run: Vec<String> = all.iter().filter_map(|(name, took)| Some(format!("{name} {}", ms((*took)?)))).collect();
    format!("{} ms ({})", ms(stages.total()), run.join(", "))
}

/// Milliseconds, short: whole ones from 1 on.
pub fn ms(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1e3;
    match ms {
        0.95.. => format!("{ms:.0}"),
        0.095.. => format!("{ms:.1}"),
        _ => format!("{ms:.2}"),
    }
}

/// Where the models really run: once if it is the same for both.
pub fn placements_in_words(detector: &Placement, embedder: Option<&Placement>) -> String {
    let detects = detector.to_string();
    match embedder.map(Placement::to_string) {
        Some(embeds) if embeds != detects => format!("{detects} (detector), {embeds} (embedder)"),
        _ => detects,
    }
}

/// `crowd.jpg  6 faces`
pub fn heading(path: &Path, faces: usize) -> String {
    format!("  {}  {}", path.display(), count(faces, "face"))
}

/// `no faces`, `1 face`, `6 faces`
pub fn count(number: usize, thing: &str) -> String {
    match number {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// The space's name; of a model that is named by its hash alone, as many digits as people compare.
pub fn space_in_words(space: &EmbeddingSpace) -> String {
    match space.id().split_once(':') {
        Some(("sha256", hash)) if hash.is_char_boundary(8) => {
            let rest = hash.find('/').map_or("", |at| &hash[at..]);
            format!("sha256:{}{rest}", &hash[..8])
        }
        _ => space.id().to_string(),
    }
}

/// `[412, 88, 501, 203]`
pub fn box_in_words(rect: &Rect) -> String {
    // As integers, which know no -0.
    let [x1, y1, x2, y2] = [rect.x1, rect.y1, rect.x2, rect.y2].map(|edge| edge.round() as i64);
    format!("[{x1}, {y1}, {x2}, {y2}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [23.4, 1.2, 0.96, 0.34, 0.04].map(|value| ms(Duration::from_secs_f64(value / 1e3)));
        assert_eq!(shown, ["23", "1", "1", "0.3", "0.04"]);
        let space = |id: &str| space_in_words(&EmbeddingSpace::new(id, 0.4));
        assert_eq!(space("sha256:0123456789abcdef/arcface-112"), "sha256:01234567/arcface-112");
        assert_eq!(space("mobilefacenet-128/arcface-112"), "mobilefacenet-128/arcface-112");
        assert_eq!([0, 1, 6].map(|number| count(number, "face")), ["no faces", "1 face", "6 faces"]);
        assert_eq!(box_in_words(&Rect::new(411.6, -0.2, 501.0, -3.0)), "[412, 0, 501, -3]");
    }
}
