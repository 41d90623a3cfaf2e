//! `facecore detect`

use std::path::{Path, PathBuf};

use facecore::Result;

use crate::args::{CommonArgs, Load};
use crate::draw::{self, Mark, Pictures};
use crate::output::Output;
use crate::records::{FaceRecord, PhotoRecord};
use crate::stages::{Seen, box_in_words, heading, placements_in_words, timings_in_words};
use crate::{photos, stages};

const EXAMPLES: &str = "\
Examples:
  facecore detect crowd.jpg
  facecore detect crowd.jpg --detector yunet.onnx --out crowd-faces.png
  facecore detect holiday/ --detector scrfd_2.5g.onnx --json > faces.jsonl
  facecore detect stadium.jpg --pack packs/office --smallest-face 12 --score 0.4";

/// Find the faces in photos: boxes, scores and five points each
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO", required = true)]
    photos: Vec<PathBuf>,
    /// Draw what was found into a picture (.png or .jpg), or into one for each photo in a folder
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    let paths = photos::expand(&args.photos)?;
    let pictures = Pictures::plan(args.out.as_deref(), &paths)?;
    let load = Load::of(paths.len());
    let detector = args.common.open_detector(load, output)?;
    let decode = args.common.decode_options();
    let bar = output.progress(paths.len());

    let work = |index: usize| {
        let (image, seen) = stages::detect(&detector, &paths[index], &decode)?;
        if let Some(picture) = pictures.of(index) {
            draw::save(&image, &seen.faces, &marks(&seen), picture)?;
        }
        Ok(seen)
    };
    photos::in_order(paths.len(), args.common.parallel_photos(load), work, |index, result: Result<Seen>| {
        bar.inc(1);
        match result {
            Err(error) => output.photo_failed(&paths[index], &error),
            Ok(seen) if output.json() => output.object(&record(&paths[index], &seen, args.common.output.timings)),
            Ok(seen) => {
                let mut text = heading(&paths[index], seen.faces.len());
                if args.common.output.timings {
                    let placement = placements_in_words(detector.placement(), None);
                    text += &format!("  {}   {placement}", timings_in_words(&seen.stages));
                }
                for face in &seen.faces {
                    text += &format!("\n    {:.2}  {}", face.score, box_in_words(&face.rect));
                }
                output.line(text)
            }
        }
    })?;
    output.progress_done();
    Ok(())
}

fn marks(seen: &Seen) -> Vec<Mark> {
    seen.faces.iter().map(|face| Mark::found(format!("{:.2}", face.score))).collect()
}

fn record<'a>(path: &'a Path, seen: &Seen, timings: bool) -> PhotoRecord<'a, FaceRecord> {
    PhotoRecord {
        image: path.to_string_lossy(),
        width: seen.width,
        height: seen.height,
        space: None,
        faces: seen.faces.iter().map(FaceRecord::from).collect(),
        timings_ms: timings.then(|| seen.stages.into()),
    }
}
