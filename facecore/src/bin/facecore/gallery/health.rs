//! Whether a gallery is sound, what it takes up, and keeping a copy.

use std::path::PathBuf;
use std::time::Instant;

use facecore::Result;
use serde_json::json;

use super::{open_to_change, open_to_read};
use crate::args::OutputArgs;
use crate::output::{Output, bytes_in_words};
use crate::stages::count;

/// Read everything and check it; exit code 1 if something is wrong
#[derive(clap::Args)]
pub struct Verify {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Give back the space of what was removed, and erase it from the gallery's files
#[derive(clap::Args)]
pub struct Compact {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Copy a gallery into a new folder
#[derive(clap::Args)]
pub struct Backup {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// The folder to make
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Say what a gallery takes up
#[derive(clap::Args)]
pub struct Stats {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

impl Verify {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let report = open_to_read(&self.gallery)?.verify()?;
        if !report.is_sound() {
            output.fail();
        }
        if output.json() {
            return output.object(&report);
        }
        for problem in &report.problems {
            output.line(format!("  {problem}"))?;
        }
        let verdict = match report.problems.len() {
            0 => "sound".to_owned(),
            problems => count(problems, "problem"),
        };
        let checked = format!("{} people, {}", report.persons, count(report.faces, "face"));
        let recall = match report.probes {
            0 => String::new(),
            probes => format!(", {} of {probes} test searches as the exact ones", report.agreeing),
        };
        output.line(format!("  {verdict}: {checked}{recall}"))
    }
}

impl Compact {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        // Of the closed gallery: one that is open to changes has room for them.
        let size = || {
            Ok::<u64, facecore::Error>({
                let stats = open_to_read(&self.gallery)?.stats()?;
                stats.store_bytes + stats.index_bytes
            })
        };
        let (before, start) = (size()?, Instant::now());
        open_to_change(&self.gallery)?.compact()?;
        let (seconds, after) = (start.elapsed().as_secs_f64(), size()?);
        if output.json() {
            return output.object(&json!({ "bytes_before": before, "bytes_after": after, "seconds": seconds }));
        }
        output.line(format!(
            "  what was removed is erased; {} before, {} now",
            bytes_in_words(before),
            bytes_in_words(after)
        ))
    }
}

impl Backup {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        open_to_read(&self.gallery)?.backup(&self.to)?;
        let report = open_to_read(&self.to)?.stats()?;
        let (persons, faces) = report.namespaces.iter().fold((0, 0), |sum, it| (sum.0 + it.persons, sum.1 + it.faces));
        if output.json() {
            return output.object(&json!({ "backup": self.to, "persons": persons, "faces": faces }));
        }
        output.line(format!("  {persons} people, {} in {}", count(faces, "face"), self.to.display()))
    }
}

impl Stats {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let stats = open_to_read(&self.gallery)?.stats()?;
        if output.json() {
            return output.object(&stats);
        }
        let files = format!("store {}", bytes_in_words(stats.store_bytes));
        output.line(format!("  {files}, search files {}", bytes_in_words(stats.index_bytes)))?;
        for namespace in stats.namespaces {
            let (persons, faces) = (namespace.persons, count(namespace.faces, "face"));
            let vectors = bytes_in_words(namespace.vector_bytes as u64);
            let beside = bytes_in_words(namespace.search_bytes as u64);
            let removed = match namespace.removed_faces {
                0 => String::new(),
                removed => format!(", {} still stepped over", count(removed, "removed face")),
            };
            let text = format!("{persons} people, {faces}{removed}: vectors {vectors}, {beside} beside them");
            output.line(format!("  {}  {text}", namespace.name))?;
            output.line(format!("      index {}: {}", namespace.index, namespace.index_reason))?;
        }
        Ok(())
    }
}
