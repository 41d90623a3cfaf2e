//! Galleries as files, out and in.

use std::path::PathBuf;

use clap::ValueEnum;
use facecore::gallery::{ExportOptions, Format, ImportFailure, ImportOptions};
use facecore::{EmbeddingSpace, Error, Gallery, PersonId, Result};
use serde::Serialize;
use serde_json::json;

use super::open_to_read;
use crate::args::OutputArgs;
use crate::output::Output;
use crate::records::ErrorRecord;
use crate::stages::count;

const EXPORT_HELP: &str = "\
Examples:
  facecore gallery export office office.jsonl
  facecore gallery export office staff.npz --namespace staff
  facecore gallery export office people.csv

The files hold biometric data, and only their owner may read them. A CSV has the people
without their faces; where ids and names come from strangers, open it in a spreadsheet as
text: a cell that begins with =, +, - or @ may be taken for a formula.";

const IMPORT_HELP: &str = "\
Examples:
  facecore gallery import office office.jsonl
  facecore gallery import office vectors.npz --space my-model --threshold 0.35
  facecore gallery import office people.csv --namespace staff

What is bad is left out and reported, with exit code 1; what is good is there. With
--all-or-nothing, one bad item keeps out all. Photos that a CSV lists are enrolled:
`facecore enrol --csv`.";

/// Write everything to a new file: JSON Lines, NPZ, or a CSV of the people
#[derive(clap::Args)]
#[command(after_help = EXPORT_HELP)]
pub struct Export {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// The file to make; NAME.npz has NAME.jsonl beside it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to write [default: what the file's name says; .npz, .csv, and anything else is jsonl]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// This set of people alone [default: all]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Add what a file holds: an export, an NPZ made with NumPy, or a CSV of people
#[derive(clap::Args)]
#[command(after_help = IMPORT_HELP)]
pub struct Import {
    /// The gallery's folder; made if it is not there
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is [default: what its name says; .npz, .csv, and anything else is jsonl]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// The set of people for whom the file names none
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    /// The embedding space of vectors that come without one: `facecore gallery list` shows a gallery's
    #[arg(long, value_name = "ID", requires = "threshold")]
    space: Option<String>,
    /// The cosine from which on two faces of that space are taken for one person, -1 to 1
    #[arg(long, value_name = "COSINE", requires = "space", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Let one bad item keep out all
    #[arg(long)]
    all_or_nothing: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Jsonl,
    Npz,
    Csv,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Format {
        match format {
            FormatArg::Jsonl => Format::JsonLines,
            FormatArg::Npz => Format::Npz,
            FormatArg::Csv => Format::Csv,
        }
    }
}

impl Export {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        let gallery = open_to_read(&self.gallery)?;
        let options = ExportOptions { format: self.format.map(Format::from), namespace: self.namespace.clone() };
        let report = gallery.export_with(&self.file, &options, output.steps());
        output.progress_done();
        let report = report?;
        if !report.damaged.is_empty() {
            output.fail();
        }
        if output.json() {
            let damaged: Vec<String> = report.damaged.iter().map(Error::to_string).collect();
            let (persons, faces) = (report.persons, report.faces);
            return output
                .object(&json!({ "file": self.file, "persons": persons, "faces": faces, "damaged": damaged }));
        }
        for damage in &report.damaged {
            output.complain(damage);
        }
        let written = format!("{} people, {}", report.persons, count(report.faces, "face"));
        output.line(format!("  {written} in {}", self.file.display()))
    }
}

#[derive(Serialize)]
struct Failed<'a> {
    at: u64,
    person: Option<&'a PersonId>,
    error: ErrorRecord,
}

impl<'a> From<&'a ImportFailure> for Failed<'a> {
    fn from(failure: &'a ImportFailure) -> Self {
        Failed { at: failure.at, person: failure.person.as_ref(), error: (&failure.error).into() }
    }
}

impl Import {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        // The gallery's folder is made last, so that a mistyped name leaves nothing behind.
        std::fs::metadata(&self.file).map_err(|error| Error::io(&self.file, "read", error))?;
        let options = ImportOptions {
            format: self.format.map(Format::from),
            namespace: self.namespace.clone(),
            space: self.space.as_ref().zip(self.threshold).map(|(id, threshold)| EmbeddingSpace::new(id, threshold)),
            skip_errors: !self.all_or_nothing,
            ..ImportOptions::default()
        };
        let report = Gallery::open(&self.gallery)?.import_with(&self.file, &options, output.steps());
        output.progress_done();
        let report = report?;
        if !report.failed.is_empty() {
            output.fail();
        }
        if output.json() {
            let failed: Vec<Failed<'_>> = report.failed.iter().map(Failed::from).collect();
            return output.object(&json!({
                "gallery": self.gallery, "persons": report.persons, "faces": report.faces,
                "duplicates": report.duplicates, "kept_ids": report.kept_ids, "failed": failed,
            }));
        }
        for failure in &report.failed {
            output.complain(&failure.error);
        }
        let known = match report.duplicates {
            0 => String::new(),
            known => format!("; {} known before", count(known, "face")),
        };
        let failed = match report.failed.len() {
            0 => String::new(),
            failed => format!("; {} left out", count(failed, "item")),
        };
        output.line(format!("  {} new people, {}{known}{failed}", report.persons, count(report.faces, "new face")))
    }
}
