//! `facecore gallery search`: whom a face is like.

use std::path::PathBuf;

use facecore::gallery::Vote;
use facecore::{Embedding, FaceChoice, FaceId, Match, Namespace, Result, SearchOptions};
use serde_json::json;

use super::open_to_read;
use crate::args::{CommonArgs, Load};
use crate::output::Output;

/// Say whom a photo's face, or an enrolled face, is like
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("probe").required(true))]
#[command(override_usage = "facecore gallery search [OPTIONS] <DIR> <PHOTO|--face <ID>>")]
pub struct Args {
    /// The gallery's folder
    #[arg(value_name = "DIR")]
    gallery: PathBuf,
    /// A photo; of several faces the one that is both large and near the centre
    #[arg(value_name = "PHOTO", group = "probe")]
    photo: Option<PathBuf>,
    /// A face of the gallery, by its number; whose it is is left out of the answer
    #[arg(long, value_name = "ID", group = "probe")]
    face: Option<u64>,
    /// Which set of people
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    /// At most so many people
    #[arg(long, value_name = "K", default_value_t = 10,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    top: usize,
    /// The cosine from which on somebody is listed, -1 to 1 [default: -1, the nearest however far]
    #[arg(long, value_name = "COSINE", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Compare with every face in full
    #[arg(long)]
    exact: bool,
    /// Let the N nearest faces vote instead; those under the threshold (the model's) have no vote
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    vote: Option<usize>,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl Args {
    pub fn run(&self, output: &mut Output) -> Result<()> {
        if self.threshold.is_some_and(|threshold| !(-1.0..=1.0).contains(&threshold)) {
            crate::usage_error("a threshold is a cosine, -1 to 1");
        }
        let namespace = open_to_read(&self.gallery)?.existing_namespace(&self.namespace)?;
        let mut options = SearchOptions { threshold: self.threshold, ..SearchOptions::nearest(self.top) };
        if self.exact {
            options = options.exact();
        }
        let probe = match (self.face, &self.photo) {
            (Some(id), _) => {
                let face = namespace.face(FaceId::from(id))?;
                options = options.excluding([face.person]);
                face.embedding
            }
            (None, Some(photo)) => {
                let recognizer = self.common.open_recognizer(Load::OnePhoto, output)?;
                recognizer.recognize_one_file(photo, FaceChoice::Central)?.embedding
            }
            (None, None) => crate::usage_error("a photo or --face says whom to search for"),
        };
        match self.vote {
            Some(faces) => vote(&namespace, &probe, faces, &options, output),
            None => {
                options.threshold = Some(self.threshold.unwrap_or(-1.0));
                list(&namespace.search(&probe, &options)?, output)
            }
        }
    }
}

fn list(matches: &[Match], output: &mut Output) -> Result<()> {
    if output.json() {
        return output.object(&json!({ "matches": matches }));
    }
    if matches.is_empty() {
        return output.line("  nobody");
    }
    for found in matches {
        let place = format!("margin {:.2}  face {}", found.margin, found.best);
        output.line(format!("  {}  {:.2}  {place}", found.person, found.score))?;
    }
    Ok(())
}

fn vote(
    namespace: &Namespace,
    probe: &Embedding,
    faces: usize,
    options: &SearchOptions,
    output: &mut Output,
) -> Result<()> {
    let vote = namespace.vote(probe, faces, options)?;
    if output.json() {
        return output.object(&json!({ "vote": vote }));
    }
    match vote {
        None => output.line("  nobody"),
        Some(Vote { person, votes, voters, score, best }) => {
            output.line(format!("  {person}  {votes} of {voters} votes  {score:.2}  face {best}"))
        }
    }
}
