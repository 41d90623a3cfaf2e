//! What is measured of a gallery in a folder.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use facecore::gallery::Batch;
use facecore::{Gallery, Namespace};
use facecore_testkit::population::Population;
use serde_json::{Value, json};

use crate::gallery::{embedding, person_id};
use crate::{Failure, memory};

/// Faces of one commit.
const BATCH: usize = 1000;
/// Commits of one face each.
const SINGLES: usize = 500;

/// Enrols the population in a folder, opens it again, and compares with appending the same vectors to a file.
pub fn measure(population: &Population, folder: &Path) -> Result<Value, Failure> {
    let place = folder.join("gallery");
    std::fs::remove_dir_all(&place).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let faces: Vec<(usize, &[f32])> = population.faces().collect();

    let plain = append(&faces, &folder.join("plain"))?;
    let gallery = Gallery::open(&place)?;
    let namespace = gallery.namespace("compared")?;
    let batches = enrol(&namespace, &faces)?;
    let start = Instant::now();
    for (_, values) in faces.iter().rev().take(SINGLES) {
        // Another person's, so that it is not the face that is there already.
        namespace.add("somebody", &embedding(values)?)?;
    }
    let singles = SINGLES as f64 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    drop((namespace, gallery));
    let close = start.elapsed().as_secs_f64();

    // Once to have the files in memory.
    drop(Gallery::open(&place)?);
    let before = memory::anonymous()?;
    let start = Instant::now();
    let gallery = Gallery::open(&place)?;
    let open = start.elapsed().as_secs_f64();
    let stats = gallery.stats()?;
    let here = &stats.namespaces[0];
    let anonymous = memory::anonymous()?.saturating_sub(before) as f64;
    let count = here.faces as f64;
    let start = Instant::now();
    gallery.compact()?;
    Ok(json!({
        "faces": here.faces,
        "plain_faces_per_s": plain,
        "batch_faces_per_s": batches,
        "single_faces_per_s": singles,
        "close_s": close,
        "open_ms": open * 1e3,
        "open_ms_per_100k": open * 1e3 * 1e5 / count,
        "search_bytes_a_face": here.search_bytes as f64 / count,
        "anonymous_bytes_a_face": anonymous / count,
        "store_bytes_a_face": stats.store_bytes as f64 / count,
        "compact_s": start.elapsed().as_secs_f64(),
    }))
}

/// Appends the vectors to a file, synced after each batch; faces a second.
fn append(faces: &[(usize, &[f32])], path: &Path) -> Result<f64, Failure> {
    let mut file = File::create(path)?;
    let batches: Vec<Vec<u8>> = faces
        .chunks(BATCH)
        .map(|batch| batch.iter().flat_map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes())).collect())
        .collect();
    let start = Instant::now();
    for batch in &batches {
        file.write_all(batch)?;
        file.sync_data()?;
    }
    let rate = faces.len() as f64 / start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}

/// Faces a second in batches; making embeddings and batches is not counted.
fn enrol(namespace: &Namespace, faces: &[(usize, &[f32])]) -> Result<f64, Failure> {
    let mut took = 0.0;
    for some in faces.chunks(BATCH) {
        let mut batch = Batch::new();
        for (person, values) in some {
            batch.enrol(person_id(*person), vec![embedding(values)?.into()]);
        }
        let start = Instant::now();
        let outcomes = namespace.apply(&batch)?;
        took += start.elapsed().as_secs_f64();
        if let Some(refused) = outcomes.into_iter().find_map(Result::err) {
            return Err(refused.into());
        }
    }
    Ok(faces.len() as f64 / took)
}
