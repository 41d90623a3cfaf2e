//! `facecore embed`

use std::path::{Path, PathBuf};

use facecore::{Recognizer, Result};

use crate::args::{CommonArgs, Load};
use crate::output::Output;
use crate::records::{EmbeddedFaceRecord, PhotoRecord};
use crate::stages::{Seen, box_in_words, heading, placements_in_words, space_in_words, timings_in_words};
use crate::{photos, stages};

const EXAMPLES: &str = "\
Examples:
  facecore embed ada.jpg --json
  facecore embed photos/ --detector yunet.onnx --embedder mobilefacenet.onnx --json > embeddings.jsonl

The coordinates are written with --json only. They are biometric data: keep them as such.";

/// Turn the faces in photos into embeddings that can be compared by their cosine
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO", required = true)]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    let paths = photos::expand(&args.photos)?;
    let load = Load::of(paths.len());
    let recognizer = args.common.open_recognizer(load, output)?;
    let decode = args.common.decode_options();
    let timings = args.common.output.timings;
    let bar = output.progress(paths.len());

    let work = |index: usize| Ok(stages::recognize(&recognizer, &paths[index], &decode)?.1);
    photos::in_order(paths.len(), args.common.parallel_photos(load), work, |index, result: Result<Seen>| {
        bar.inc(1);
        let path = &paths[index];
        match result {
            Err(error) => output.photo_failed(path, &error),
            Ok(seen) if output.json() => output.object(&record(path, &seen, &recognizer, timings)),
            Ok(seen) => output.line(in_words(path, &seen, &recognizer, timings)),
        }
    })?;
    output.progress_done();
    Ok(())
}

fn in_words(path: &Path, seen: &Seen, recognizer: &Recognizer, timings: bool) -> String {
    let embedder = recognizer.embedder();
    let mut text = heading(path, seen.faces.len());
    text += &format!("  {} dimensions of {}", embedder.dimension(), space_in_words(embedder.space()));
    if timings {
        let placement = placements_in_words(recognizer.detector().placement(), Some(embedder.placement()));
        text += &format!("  {}   {placement}", timings_in_words(&seen.stages));
    }
    for (face, embedding) in seen.faces.iter().zip(&seen.embeddings) {
        text += &format!("\n    {:.2}  norm {:.2}  {}", face.score, embedding.norm(), box_in_words(&face.rect));
    }
    text
}

fn record<'a>(
    path: &'a Path,
    seen: &'a Seen,
    recognizer: &'a Recognizer,
    timings: bool,
) -> PhotoRecord<'a, EmbeddedFaceRecord<'a>> {
    let faces = seen.faces.iter().zip(&seen.embeddings);
    PhotoRecord {
        image: path.to_string_lossy(),
        width: seen.width,
        height: seen.height,
        space: Some(recognizer.embedder().space().id()),
        faces: faces.map(|(face, embedding)| EmbeddedFaceRecord::new(face, embedding)).collect(),
        timings_ms: timings.then(|| seen.stages.into()),
    }
}
