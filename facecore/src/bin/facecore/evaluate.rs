//! `facecore evaluate`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use facecore::{Embedding, Error, ErrorKind, FaceChoice, Recognizer, Result};
use serde::Serialize;

use crate::args::{CommonArgs, Load};
use crate::output::Output;
use crate::pairs::PairList;
use crate::photos;
use crate::records::{PhotoError, PlacementsRecord};
use crate::stages::{count, placements_in_words};
use crate::verification::{Pair, best_threshold, fold_accuracies, mean, tar_at_fmr};

const EXAMPLES: &str = "\
Examples:
  facecore evaluate pairs.tsv --root lfw/ --pack packs/office
  facecore evaluate pairs.tsv --detector yunet.onnx --embedder mobilefacenet.onnx --flip sum --json

A line of PAIRS has four fields, parted by tabs: the number of a fold, two files, and 1
if both show the same person, else 0. Of several faces in a photo the one is taken that
is both large and near the centre. A pair with a photo that gives no face counts as told
wrong. The accuracy is the mean over the folds, each judged with the threshold that is
best on the others.";

/// How many photos that failed are listed for people; programs get all.
const SHOWN_FAILURES: usize = 10;

/// Measure how well pairs of photos are told apart, as on Labeled Faces in the Wild
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The list of pairs
    #[arg(value_name = "PAIRS")]
    pairs: PathBuf,
    /// The folder in which the photos lie [default: that of PAIRS]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Serialize)]
struct Evaluation<'a> {
    accuracy: f64,
    folds: Vec<f64>,
    pairs: usize,
    failed: usize,
    tar_at_fmr: TarAtFmr,
    threshold: f32,
    photos: usize,
    failures: Vec<PhotoError<'a>>,
    seconds: f64,
    placement: PlacementsRecord,
}

#[derive(Serialize)]
struct TarAtFmr {
    #[serde(rename = "0.001")]
    thousandth: Option<f64>,
    #[serde(rename = "0.01")]
    hundredth: Option<f64>,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    let list = PairList::open(&args.pairs)?;
    let root = args.root.as_deref().or(args.pairs.parent()).unwrap_or(Path::new(""));
    let paths: Vec<PathBuf> = list.photos.iter().map(|photo| root.join(photo)).collect();
    let recognizer = args.common.open_recognizer(Load::ManyPhotos, output)?;

    let start = Instant::now();
    let faces = embed(&recognizer, &paths, args.common.parallel_photos(Load::ManyPhotos), output)?;
    let took = start.elapsed();

    let pairs = list.pairs.iter().map(|listed| {
        let score = match listed.photos.map(|photo| faces[photo].as_ref().ok()) {
            [Some(a), Some(b)] => Some(a.cosine(b)?),
            _ => None,
        };
        Ok(Pair { fold: listed.fold, same: listed.same, score })
    });
    let pairs = pairs.collect::<Result<Vec<Pair>>>()?;
    let failed = pairs.iter().filter(|pair| pair.score.is_none()).count();
    let failures = paths.iter().zip(&faces).filter_map(|(path, face)| Some((path.as_path(), face.as_ref().err()?)));
    let failures: Vec<(&Path, &Error)> = failures.collect();
    if let (true, Some((_, first))) = (failed == pairs.len(), failures.first()) {
        // A wrong --root would otherwise look like a very bad model.
        let message = format!("no pair could be compared; the first photo that failed: {first}");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }

    let folds = fold_accuracies(&pairs);
    let evaluation = Evaluation {
        accuracy: mean(&folds),
        folds,
        pairs: pairs.len(),
        failed,
        tar_at_fmr: TarAtFmr { thousandth: tar_at_fmr(&pairs, 0.001), hundredth: tar_at_fmr(&pairs, 0.01) },
        threshold: best_threshold(pairs.iter()),
        photos: paths.len(),
        failures: failures
            .iter()
            .map(|(path, error)| PhotoError { image: path.to_string_lossy(), error: (*error).into() })
            .collect(),
        seconds: (took.as_secs_f64() * 1e3).round() / 1e3,
        placement: (&recognizer).into(),
    };
    if output.json() {
        return output.object(&evaluation);
    }
    for (_, error) in failures.iter().take(SHOWN_FAILURES) {
        output.complain(error);
    }
    if failures.len() > SHOWN_FAILURES {
        output.note(format!("and {} more; --json lists all", count(failures.len() - SHOWN_FAILURES, "photo")));
    }
    output.line(evaluation.in_words(&recognizer, took))
}

/// The face of each photo, computed once and in parallel.
fn embed(
    recognizer: &Recognizer,
    paths: &[PathBuf],
    workers: usize,
    output: &mut Output,
) -> Result<Vec<Result<Embedding>>> {
    let bar = output.progress(paths.len());
    let mut faces = Vec::with_capacity(paths.len());
    let work = |index: usize| recognizer.recognize_one_file(&paths[index], FaceChoice::Central);
    photos::in_order(paths.len(), workers, work, |_, face| {
        bar.inc(1);
        faces.push(face.map(|face| face.embedding));
        Ok(())
    })?;
    output.progress_done();
    Ok(faces)
}

impl Evaluation<'_> {
    fn in_words(&self, recognizer: &Recognizer, took: Duration) -> String {
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let folds = match self.folds.as_slice() {
            [_] => "one fold, judged by the threshold that is best on itself: flattering".to_string(),
            folds => {
                let each: Vec<String> = folds.iter().map(|fold| format!("{:.2}", fold * 100.0)).collect();
                format!("mean of {} folds: {}", folds.len(), each.join(", "))
            }
        };
        let tar = |rate: Option<f64>| rate.map_or("unknown".to_string(), percent);
        let (detector, embedder) = (recognizer.detector().placement(), recognizer.embedder().placement());
        let seconds = took.as_secs_f64();
        [
            format!("  accuracy   {}  ({folds})", percent(self.accuracy)),
            format!(
                "  threshold  {:.3} is best on all pairs; the model's is {:.3}",
                self.threshold,
                recognizer.embedder().space().threshold()
            ),
            format!(
                "  accepted   {} of same pairs at a false match rate of 0.001, {} at 0.01",
                tar(self.tar_at_fmr.thousandth),
                tar(self.tar_at_fmr.hundredth)
            ),
            format!("  pairs      {}, {} without a face counted as wrong", self.pairs, self.failed),
            format!(
                "  photos     {} in {seconds:.1} s, {:.1} a second   {}",
                self.photos,
                self.photos as f64 / seconds.max(1e-9),
                placements_in_words(detector, Some(embedder))
            ),
        ]
        .join("\n")
    }
}
