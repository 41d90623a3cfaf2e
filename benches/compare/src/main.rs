//! The facecore side of `make compare-index`: generates a population, writes its vectors as the
//! gallery holds them, and measures the gallery on them. `tools/compare_index.py` then measures
//! other libraries on the same files.

mod churn;
mod durable;
mod files;
mod gallery;
mod memory;
mod scale;

use std::path::Path;
use std::process::ExitCode;

use facecore::gallery::IndexKind;
use facecore_testkit::population::PopulationOptions;

const USAGE: &str = "usage: facecore-compare standard|hard FACES FOLDER
       facecore-compare churn FACES
       facecore-compare scale FACES DIMENSION [flat|hnsw]";

/// Graphs of other libraries take too long for more faces; `tools/compare_index.py` does the same.
const OTHER_GRAPHS_BELOW: usize = 500_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("facecore-compare: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["churn", faces] => churn::measure(number(faces)?),
        ["scale", faces, dimension] => scale::measure(number(faces)?, number(dimension)?, IndexKind::Flat),
        ["scale", faces, dimension, "flat"] => scale::measure(number(faces)?, number(dimension)?, IndexKind::Flat),
        ["scale", faces, dimension, "hnsw"] => scale::measure(number(faces)?, number(dimension)?, IndexKind::Hnsw),
        [set @ "standard", faces, folder] => compare(set, &PopulationOptions::standard(number(faces)?), folder),
        [set @ "hard", faces, folder] => compare(set, &PopulationOptions::hard(number(faces)?), folder),
        _ => Err(USAGE.into()),
    }
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| format!("`{text}` is no number from 1 on").into())
}

fn compare(set: &str, options: &PopulationOptions, folder: &str) -> Result<(), Failure> {
    let folder = Path::new(folder);
    let population = options.generate();
    files::write(folder, set, options, &population)?;
    let mut rows = gallery::measure(&population, IndexKind::Flat)?;
    rows.extend(gallery::measure(&population, IndexKind::Hnsw)?);
    if options.faces < OTHER_GRAPHS_BELOW {
        rows.extend(gallery::measure(&population, IndexKind::HnswRs)?);
    }
    std::fs::write(folder.join("facecore.json"), serde_json::to_string_pretty(&rows)?)?;
    let durable = durable::measure(&population, folder)?;
    std::fs::write(folder.join("durable.json"), serde_json::to_string_pretty(&durable)?)?;
    Ok(())
}
