//! `facecore identify`

use std::path::{Path, PathBuf};

use facecore::{Gallery, Match, Namespace, Recognizer, Result, SearchOptions};

use crate::args::{ChoiceArgs, CommonArgs, Load};
use crate::draw::{self, Mark, Pictures};
use crate::gallery::open_to_read;
use crate::output::Output;
use crate::records::{FaceRecord, IdentifiedFaceRecord, NearestRecord, PhotoRecord};
use crate::stages::{self, Seen, box_in_words, heading, placements_in_words, timed, timings_in_words};
use crate::{enrol, photos};

const EXAMPLES: &str = "\
Examples:
  facecore identify crowd.jpg --people people/ --out crowd-named.png
  facecore identify crowd.jpg --gallery office
  facecore identify door/ --gallery office --threshold 0.45 --pack packs/office --json

With --people nothing is stored: the folder is learned first, each time, as `enrol` would.";

/// Tell whom the faces in photos belong to
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("known").required(true))]
pub struct Args {
    /// Photos, or folders of photos
    #[arg(value_name = "PHOTO", required = true)]
    photos: Vec<PathBuf>,
    /// The gallery that `enrol` made
    #[arg(long, value_name = "DIR", group = "known")]
    gallery: Option<PathBuf>,
    /// A folder with a sub-folder, or a photo, for each person, instead of a gallery
    #[arg(long, value_name = "FOLDER", group = "known")]
    people: Option<PathBuf>,
    /// Which set of people of the gallery
    #[arg(long, value_name = "NAME", default_value = "people")]
    namespace: String,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// The cosine from which on a face is taken for a person's, -1 to 1 [default: the model's]
    #[arg(long, value_name = "COSINE", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Name at most so many people for a face, the best matches
    #[arg(long, value_name = "K", default_value_t = 10,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    top: usize,
    /// Draw boxes and names into a picture (.png or .jpg), or into one for each photo in a folder
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// A photo whose faces were searched for.
struct Identified {
    seen: Seen,
    /// For each face.
    answers: Vec<Answer>,
}

struct Answer {
    /// Best first; none for an unknown face.
    matches: Vec<Match>,
    /// The nearest person, also under the threshold; none if nobody is enrolled.
    nearest: Option<Match>,
}

pub fn run(args: &Args, output: &mut Output) -> Result<()> {
    if args.threshold.is_some_and(|threshold| !(-1.0..=1.0).contains(&threshold)) {
        crate::usage_error("a threshold is a cosine, -1 to 1");
    }
    let paths = photos::expand(&args.photos)?;
    let pictures = Pictures::plan(args.out.as_deref(), &paths)?;
    let load = if args.people.is_some() { Load::ManyPhotos } else { Load::of(paths.len()) };
    let gallery = match &args.gallery {
        Some(folder) => open_to_read(folder)?,
        None => Gallery::in_memory(),
    };
    let recognizer = args.common.open_recognizer(load, output)?;
    let namespace = known_people(args, &gallery, &recognizer, output)?;
    let decode = args.common.decode_options();
    let bar = output.progress(paths.len());

    let work = |index: usize| {
        let (image, mut seen) = stages::recognize(&recognizer, &paths[index], &decode)?;
        let (answers, took) = timed(|| seen.embeddings.iter().map(|probe| args.ask(&namespace, probe)).collect());
        seen.stages.search = Some(took);
        let identified = Identified { seen, answers: Result::<_>::from_iter::<Vec<Result<Answer>>>(answers)? };
        if let Some(picture) = pictures.of(index) {
            draw::save(&image, &identified.seen.faces, &identified.marks(), picture)?;
        }
        Ok(identified)
    };
    let workers = args.common.parallel_photos(load);
    photos::in_order(paths.len(), workers, work, |index, result: Result<Identified>| {
        bar.inc(1);
        let path = &paths[index];
        match result {
            Err(error) => output.photo_failed(path, &error),
            Ok(found) if output.json() => output.object(&found.record(path, args.common.output.timings)),
            Ok(found) => output.line(found.in_words(path, &recognizer)),
        }
    })?;
    output.progress_done();
    Ok(())
}

/// The namespace to search in: stored, or learned from a folder now.
///
/// Errors with `EmbeddingSpaceMismatch` if it has faces of another model.
fn known_people(args: &Args, gallery: &Gallery, recognizer: &Recognizer, output: &mut Output) -> Result<Namespace> {
    let Some(folder) = &args.people else {
        let namespace = gallery.existing_namespace(&args.namespace)?;
        // Said here, so that it is said also where no photo shows a face.
        namespace.check(recognizer.embedder().space(), recognizer.embedder().dimension())?;
        return Ok(namespace);
    };
    let namespace = gallery.namespace(&args.namespace)?;
    let people = enrol::find_photos(folder)?;
    let enrolment = enrol::enrol(people, recognizer, &namespace, &args.choice, output)?;
    if enrolment.skipped().next().is_some() {
        output.note(enrol::in_words(&enrolment));
    }
    Ok(namespace)
}

impl Args {
    fn ask(&self, namespace: &Namespace, probe: &facecore::Embedding) -> Result<Answer> {
        let _entered = tracing::debug_span!("search").entered();
        let wanted = SearchOptions { top_k: self.top, threshold: self.threshold, ..SearchOptions::default() };
        let matches = namespace.search(probe, &wanted)?;
        let nearest = match matches.first() {
            Some(first) => Some(first.clone()),
            None => namespace.search(probe, &SearchOptions::nearest(1))?.pop(),
        };
        Ok(Answer { matches, nearest })
    }
}

impl Identified {
    fn marks(&self) -> Vec<Mark> {
        let mark = |answer: &Answer| match (answer.matches.first(), &answer.nearest) {
            (Some(found), _) => Mark::known(format!("{} {:.2}", found.person, found.score)),
            (None, Some(nearest)) => Mark::unknown(format!("unknown {:.2}", nearest.score)),
            (None, None) => Mark::unknown("unknown".into()),
        };
        self.answers.iter().map(mark).collect()
    }

    fn in_words(&self, path: &Path, recognizer: &Recognizer) -> String {
        let (detector, embedder) = (recognizer.detector().placement(), recognizer.embedder().placement());
        let mut text = heading(path, self.seen.faces.len());
        text += &format!("  {}   ", timings_in_words(&self.seen.stages));
        text += &placements_in_words(detector, Some(embedder));

        let names = self.answers.iter().map(|answer| answer.matches.first().map_or("unknown", |it| it.person.as_str()));
        let widest = names.clone().map(|name| name.chars().count()).max().unwrap_or(0);
        for ((face, answer), name) in self.seen.faces.iter().zip(&self.answers).zip(names) {
            let score = answer.nearest.as_ref().map_or(String::new(), |nearest| format!("{:.2}", nearest.score));
            let margin = answer.matches.first().map_or(String::new(), |found| format!("margin {:.2}", found.margin));
            text += &format!("\n    {name:widest$} {score:>5}  {margin:12}  {}", box_in_words(&face.rect));
            for other in answer.matches.iter().skip(1) {
                text += &format!("  also {} {:.2}", other.person, other.score);
            }
        }
        text
    }

    fn record<'a>(&'a self, path: &'a Path, timings: bool) -> PhotoRecord<'a, IdentifiedFaceRecord<'a>> {
        let faces = self.seen.faces.iter().zip(&self.answers);
        PhotoRecord {
            image: path.to_string_lossy(),
            width: self.seen.width,
            height: self.seen.height,
            space: None,
            faces: faces
                .map(|(face, answer)| IdentifiedFaceRecord {
                    face: FaceRecord::from(face),
                    matches: &answer.matches,
                    best: answer.nearest.as_ref().map(NearestRecord::from),
                })
                .collect(),
            timings_ms: timings.then(|| self.seen.stages.into()),
        }
    }
}
