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
use std::process::{Command, ExitCode, Stdio};

use facecore::gallery::IndexKind;
use facecore_testkit::population::PopulationOptions;
use serde_json::Value;

const USAGE: &str = "usage: facecore-compare standard|hard FACES FOLDER
       facecore-compare churn FACES
       facecore-compare gallery standard|hard FACES flat|hnsw|hnsw_rs
       facecore-compare scale FACES DIMENSION flat|hnsw|hnsw_rs";

/// The library `hnsw_rs` takes more than ten minutes for 100,000 faces, on one core.
const HNSW_RS_BELOW: usize = 50_000;

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
        ["scale", faces, dimension, index] => scale::measure(number(faces)?, number(dimension)?, kind(index)?),
        ["gallery", set, faces, index] => {
            let rows = gallery::measure(&population(set, faces)?.generate(), kind(index)?)?;
            println!("{}", serde_json::to_string(&rows)?);
            Ok(())
        }
        [set, faces, folder] => compare(set, faces, folder),
        _ => Err(USAGE.into()),
    }
}

fn population(set: &str, faces: &str) -> Result<PopulationOptions, Failure> {
    match set {
        "standard" => Ok(PopulationOptions::standard(number(faces)?)),
        "hard" => Ok(PopulationOptions::hard(number(faces)?)),
        _ => Err(USAGE.into()),
    }
}

fn kind(name: &str) -> Result<IndexKind, Failure> {
    let kinds = [IndexKind::Flat, IndexKind::Hnsw, IndexKind::HnswRs];
    kinds.into_iter().find(|kind| kind.to_string() == name).ok_or_else(|| USAGE.into())
}

fn number(text: &str) -> Result<usize, Failure> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| format!("`{text}` is no number from 1 on").into())
}

fn compare(set: &str, faces: &str, folder: &str) -> Result<(), Failure> {
    let (folder, options) = (Path::new(folder), population(set, faces)?);
    let mut kinds = vec![IndexKind::Flat, IndexKind::Hnsw];
    if options.faces < HNSW_RS_BELOW {
        kinds.push(IndexKind::HnswRs);
    }
    let mut rows = Vec::new();
    for kind in kinds {
        rows.extend(measure_apart(set, faces, kind)?);
    }
    let population = options.generate();
    files::write(folder, set, &options, &population)?;
    std::fs::write(folder.join("facecore.json"), serde_json::to_string_pretty(&rows)?)?;
    let durable = durable::measure(&population, folder)?;
    std::fs::write(folder.join("durable.json"), serde_json::to_string_pretty(&durable)?)?;
    Ok(())
}

/// Measures an index in a process of its own: memory that others have freed would hide what it takes.
fn measure_apart(set: &str, faces: &str, kind: IndexKind) -> Result<Vec<Value>, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let done = command.args(["gallery", set, faces, &kind.to_string()]).stderr(Stdio::inherit()).output()?;
    match done.status.success() {
        true => Ok(serde_json::from_slice(&done.stdout)?),
        false => Err(format!("measuring {kind} ended with {}", done.status).into()),
    }
}
