//! The facecore side of `make compare-index`: generates a population, writes its vectors as the
//! gallery holds them, and measures the gallery on them. `tools/compare_index.py` then measures
//! other libraries on the same files.

mod durable;
mod files;
mod gallery;
mod memory;

use std::path::Path;
use std::process::ExitCode;

use facecore_testkit::population::PopulationOptions;

const USAGE: &str = "usage: facecore-compare standard|hard FACES FOLDER";

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
    let [set, faces, folder] = arguments else { return Err(USAGE.into()) };
    let faces = faces.parse().ok().filter(|&faces| faces > 0).ok_or("FACES is a number from 1 on")?;
    let options = match set.as_str() {
        "standard" => PopulationOptions::standard(faces),
        "hard" => PopulationOptions::hard(faces),
        _ => return Err(USAGE.into()),
    };
    let folder = Path::new(folder);
    let population = options.generate();
    files::write(folder, set, &options, &population)?;
    let rows = gallery::measure(&population)?;
    std::fs::write(folder.join("facecore.json"), serde_json::to_string_pretty(&rows)?)?;
    let durable = durable::measure(&population, folder)?;
    std::fs::write(folder.join("durable.json"), serde_json::to_string_pretty(&durable)?)?;
    Ok(())
}
