//! The files that other libraries read.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::Path;

use facecore_testkit::population::{Population, PopulationOptions, REFERENCE};
use serde_json::json;

use crate::Failure;
use crate::gallery::embedding;

/// Writes vectors and people as plain little-endian arrays, and `data.json`, which describes them.
pub fn write(folder: &Path, set: &str, options: &PopulationOptions, population: &Population) -> Result<(), Failure> {
    create_dir_all(folder)?;
    write_faces(folder, "faces", population.faces())?;
    write_faces(folder, "probes", population.probes())?;
    let description = json!({
        "set": set,
        "dimension": options.dimension,
        "faces": options.faces,
        "persons": options.persons(),
        "faces_per_person": options.faces_per_person,
        "probes": options.probes,
        "mates": [options.mates.0, options.mates.1],
        "seed": options.seed,
        "reference": {
            "pairs": REFERENCE.pairs,
            "impostors": REFERENCE.impostors,
            "spectrum": REFERENCE.spectrum,
        },
    });
    std::fs::write(folder.join("data.json"), serde_json::to_string_pretty(&description)?)?;
    Ok(())
}

/// `NAME.f32`, a row a face as the gallery holds it, and `NAME.u32`, the person of each.
fn write_faces<'a>(folder: &Path, name: &str, faces: impl Iterator<Item = (usize, &'a [f32])>) -> Result<(), Failure> {
    let mut vectors = BufWriter::new(File::create(folder.join(format!("{name}.f32")))?);
    let mut people = BufWriter::new(File::create(folder.join(format!("{name}.u32")))?);
    for (person, values) in faces {
        // An embedding normalises what it is given, which can change the last bits.
        for value in embedding(values)?.values() {
            vectors.write_all(&value.to_le_bytes())?;
        }
        people.write_all(&u32::try_from(person)?.to_le_bytes())?;
    }
    vectors.flush()?;
    people.flush()?;
    Ok(())
}
