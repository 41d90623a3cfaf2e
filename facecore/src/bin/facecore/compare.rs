//! `facecore compare`

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use facecore::{Embedding, Error, ErrorKind, Face, FaceChoice, Image, Recognizer, Result};
use serde::Serialize;

use crate::args::{CommonArgs, Load};
use crate::output::Output;
use crate::records::{TimingsRecord, corners};
use crate::stages::{self, Seen, box_in_words, placements_in_words, timed, timings_in_words};

const EXAMPLES: &str = "\
Examples:
  facecore compare passport.jpg selfie.jpg
  facecore compare a.jpg b.jpg --pack packs/office --threshold 0.4 --exit-code && echo same

Of several faces in a photo the one is taken that is both large and near the centre.
Exit codes: 0, whatever the answer; with --exit-code 1 for different people. 1 also if
a photo cannot be read or shows no face; 2 for a wrong command line.";

/// Tell whether two photos show the same person
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A photo
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Another
    #[arg(value_name = "B")]
    second: PathBuf,
    /// The cosine from which on it is the same person, -1 to 1 [default: the model's]
    #[arg(long, value_name = "COSINE", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// End with exit code 1 if it is not the same person
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Serialize)]
struct Comparison<'a> {
    similarity: f32,
    distance: f32,
    same: bool,
    threshold: f32,
    space: &'a str,
    a: Side<'a>,
    b: Side<'a>,
    timings_ms: TimingsRecord,
}

/// One photo and the face that was compared.
#[derive(Serialize)]
struct Side<'a> {
    image: Cow<'a, str>,
    #[serde(rename = "box")]
    rect: [f32; 4],
    score: f32,
    /// How many faces the photo shows.
    faces: usize,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    if args.threshold.is_some_and(|threshold| !(-1.0..=1.0).contains(&threshold)) {
        crate::usage_error("a threshold is a cosine, -1 to 1");
    }
    let recognizer = args.common.open_recognizer(Load::OnePhoto, output)?;
    let mut looked = Vec::new();
    for path in [&args.first, &args.second] {
        match Chosen::from_file(&recognizer, path, &args.common) {
            Ok(chosen) => looked.push(chosen),
            Err(error) => output.photo_failed(path, &error)?,
        }
    }
    let [a, b] = looked.as_slice() else { return Ok(()) };

    let embedder = recognizer.embedder();
    let similarity = a.embedding.cosine(&b.embedding)?;
    let distance = a.embedding.euclidean(&b.embedding)?;
    let threshold = args.threshold.unwrap_or(embedder.space().threshold());
    let same = similarity >= threshold;
    if args.exit_code && !same {
        output.fail();
    }
    let both = a.seen.stages + b.seen.stages;
    if output.json() {
        return output.object(&Comparison {
            similarity,
            distance,
            same,
            threshold,
            space: embedder.space().id(),
            a: a.side(),
            b: b.side(),
            timings_ms: both.into(),
        });
    }
    let verdict = if same { "same person" } else { "different people" };
    let placement = placements_in_words(recognizer.detector().placement(), Some(embedder.placement()));
    let mut text = format!("  {verdict}  {similarity:.2}  (same from {threshold:.2} on; distance {distance:.2})");
    text += &format!("  {}   {placement}", timings_in_words(&both));
    for chosen in [a, b] {
        text += &format!("\n    {}  {}", chosen.path.display(), box_in_words(&chosen.face.rect));
        if chosen.seen.faces.len() > 1 {
            text += &format!("  (one of {} faces)", chosen.seen.faces.len());
        }
    }
    output.line(text)
}

/// The face that stands for a photo.
struct Chosen<'a> {
    path: &'a Path,
    face: Face,
    embedding: Embedding,
    seen: Seen,
}

impl<'a> Chosen<'a> {
    /// As [`Recognizer::recognize_one_file`], but knows the other faces and what each stage took.
    fn from_file(recognizer: &Recognizer, path: &'a Path, common: &CommonArgs) -> Result<Chosen<'a>> {
        let (image, seen) = stages::detect(recognizer.detector(), path, &common.decode_options())?;
        Self::of(recognizer, path, &image, seen).map_err(|error| error.context(path.display().to_string()))
    }

    fn of(recognizer: &Recognizer, path: &'a Path, image: &Image, mut seen: Seen) -> Result<Chosen<'a>> {
        let size = (seen.width, seen.height);
        let face = seen.faces[FaceChoice::Central.choose(&seen.faces, size)?];
        let Some(landmarks) = face.landmarks else {
            return Err(Error::new(
                ErrorKind::Landmarks,
                "the detector gives no landmarks, so faces cannot be aligned",
            ));
        };
        let (crop, align) = timed(|| recognizer.aligner().align(image, &landmarks));
        let crop = crop?;
        let (embeddings, embed) = timed(|| recognizer.embedder().embed(std::slice::from_ref(&crop)));
        let Some(embedding) = embeddings?.pop() else {
            return Err(Error::new(ErrorKind::Internal, "one crop in, no embedding out"));
        };
        (seen.stages.align, seen.stages.embed) = (Some(align), Some(embed));
        Ok(Chosen { path, face, embedding, seen })
    }

    fn side(&self) -> Side<'_> {
        Side {
            image: self.path.to_string_lossy(),
            rect: corners(&self.face.rect),
            score: self.face.score,
            faces: self.seen.faces.len(),
        }
    }
}
