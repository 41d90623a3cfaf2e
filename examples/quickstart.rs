//! Recognise people in a photograph, from scratch.
//!
//! ```text
//! cargo run --release --example quickstart -- PEOPLE PHOTO [PACK]
//! ```
//!
//! PEOPLE is a folder with a sub-folder of photos for each person, PHOTO the picture in which they are looked
//! for. PACK is a folder with `pack.toml` and its models; without it those that come with the library serve.

use facecore::{FaceChoice, Gallery, Image, Recognizer};

fn main() -> facecore::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [people, photo, pack @ ..] = arguments.as_slice() else {
        eprintln!("usage: quickstart PEOPLE PHOTO [PACK]");
        std::process::exit(2);
    };

    // A recognizer is a detector, an aligner and an embedder. It is `Send + Sync`: one serves all threads.
    let recognizer = match pack.first() {
        Some(pack) => Recognizer::open(pack)?,
        None => Recognizer::lite()?,
    };

    // What really runs is reported, never assumed: without ONNX Runtime the built-in runtime serves.
    println!("detector on {}", recognizer.detector().placement());
    println!("embedder on {}", recognizer.embedder().placement());

    // A gallery holds people in namespaces (tenants, collections, "directories").
    let gallery = Gallery::in_memory();
    let namespace = gallery.namespace("people")?;

    // A folder is enrolled in one call. A photo with no face, or several, is skipped with its reason; it
    // loses nobody else's.
    let enrolment = recognizer.enrol_folder(people, &namespace, FaceChoice::Only, |_| {})?;
    println!("enrolled {} people, {} faces", enrolment.persons(), enrolment.faces());
    for (photo, reason) in enrolment.skipped() {
        println!("skipped {}: {reason}", photo.path.display());
    }

    // Photos are decoded upright, as their EXIF note says. A camera frame would be an `ImageView` over the
    // camera's own buffer instead.
    let image = Image::open(photo)?;
    for found in recognizer.recognize(&image)? {
        let rect = found.face.rect;
        let place = format!("[{:.0}, {:.0}, {:.0}, {:.0}]", rect.x1, rect.y1, rect.x2, rect.y2);
        // "Unknown" is an answer: nobody is named below the embedder's decision threshold.
        match namespace.identify(&found.embedding)? {
            Some(person) => println!("{} {:.2}, margin {:.2}, {place}", person.person, person.score, person.margin),
            None => println!("unknown {place}"),
        }
    }
    Ok(())
}
