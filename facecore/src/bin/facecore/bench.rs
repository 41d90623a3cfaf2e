//! `facecore bench`

use std::path::PathBuf;
use std::time::Duration;

use facecore::Result;
use serde::Serialize;

use crate::args::{CommonArgs, Load};
use crate::hardware::Hardware;
use crate::output::Output;
use crate::records::{PlacementsRecord, milliseconds};
use crate::stages::{self, Stages, count, placements_in_words};

const EXAMPLES: &str = "\
Examples:
  facecore bench crowd.jpg
  facecore bench crowd.jpg --pack packs/office --runtime rten --threads 1 --repeat 50 --json";

/// Runs that are not counted: the first ones compile and fill caches.
const WARM_UP: usize = 2;

/// Measure how long each stage takes on a photo
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The photo
    #[arg(value_name = "PHOTO")]
    photo: PathBuf,
    /// How many runs are measured
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: u32,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Serialize)]
struct Measurement<'a> {
    image: std::borrow::Cow<'a, str>,
    width: usize,
    height: usize,
    faces: usize,
    repeat: u32,
    stages: Table,
    placement: PlacementsRecord,
    hardware: Hardware,
}

#[derive(Serialize)]
struct Table {
    decode: Figures,
    detect: Figures,
    align: Figures,
    embed: Figures,
    whole: Figures,
}

#[derive(Serialize)]
struct Figures {
    median_ms: f64,
    p95_ms: f64,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    let recognizer = args.common.open_recognizer(Load::OnePhoto, output)?;
    let decode = args.common.decode_options();
    let look = || Ok::<_, facecore::Error>(stages::recognize(&recognizer, &args.photo, &decode)?.1);
    let mut seen = look()?;
    for _ in 1..WARM_UP {
        seen = look()?;
    }
    let runs = (0..args.repeat).map(|_| Ok(look()?.stages)).collect::<Result<Vec<Stages>>>()?;

    let figures = |stage: fn(&Stages) -> Duration| Figures::of(runs.iter().map(stage).collect());
    let table = Table {
        decode: figures(|stages| stages.decode),
        detect: figures(|stages| stages.detect),
        align: figures(|stages| stages.align.unwrap_or_default()),
        embed: figures(|stages| stages.embed.unwrap_or_default()),
        whole: figures(Stages::total),
    };
    let (width, height) = (seen.width, seen.height);
    let hardware = Hardware::look();
    if output.json() {
        return output.object(&Measurement {
            image: args.photo.to_string_lossy(),
            width,
            height,
            faces: seen.faces.len(),
            repeat: args.repeat,
            stages: table,
            placement: (&recognizer).into(),
            hardware,
        });
    }
    let placement = placements_in_words(recognizer.detector().placement(), Some(recognizer.embedder().placement()));
    let mut text = format!("  {}  {width} x {height}  {}", args.photo.display(), count(seen.faces.len(), "face"));
    text += &format!("  {}\n  {placement}, {}", count(args.repeat as usize, "run"), threads(&recognizer));
    text += &format!("\n  {}\n             median ms    95 % ms", hardware.in_words());
    for (name, figures) in table.rows() {
        text += &format!("\n    {name:8} {:10.2} {:10.2}", figures.median_ms, figures.p95_ms);
    }
    output.line(text)
}

fn threads(recognizer: &facecore::Recognizer) -> String {
    count(recognizer.detector().placement().threads, "thread")
}

impl Table {
    fn rows(&self) -> [(&'static str, &Figures); 5] {
        [
            ("decode", &self.decode),
            ("detect", &self.detect),
            ("align", &self.align),
            ("embed", &self.embed),
            ("whole", &self.whole),
        ]
    }
}

impl Figures {
    /// The values at ranks 50 % and 95 %, nearest rank.
    fn of(mut times: Vec<Duration>) -> Figures {
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).copied().map_or(0.0, milliseconds)
        };
        Figures { median_ms: at(50), p95_ms: at(95) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let figures = |times: &[u64]| {
            let Figures { median_ms, p95_ms } =
                Figures::of(times.iter().map(|ms| Duration::from_millis(*ms)).collect());
            (median_ms, p95_ms)
        };
        assert_eq!(figures(&[7]), (7.0, 7.0));
        assert_eq!(figures(&[3, 1, 2]), (2.0, 3.0));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(figures(&hundred), (50.0, 95.0));
    }
}
