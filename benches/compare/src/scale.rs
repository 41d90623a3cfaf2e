//! What galleries too large for a machine would take, computed from what a face takes in one that fits.

use std::time::Instant;

use facecore::gallery::{Batch, IndexKind};
use facecore::{Embedding, SearchOptions};

use crate::gallery::{embedding, graph, in_memory};
use crate::{Failure, memory};

/// Faces of one commit.
const BATCH: usize = 10_000;
const PROBES: usize = 200;

/// Enrols random faces, one a person, and prints memory and time a search, measured and computed.
pub fn measure(faces: usize, dimension: usize, kind: IndexKind) -> Result<(), Failure> {
    let before = memory::anonymous()?;
    let gallery = in_memory(kind);
    let people = gallery.namespace("scale")?;
    let mut random = Random(1);
    let start = Instant::now();
    for first in (0..faces).step_by(BATCH) {
        let mut batch = Batch::new();
        for person in first..faces.min(first + BATCH) {
            batch.enrol(person.to_string(), vec![random.face(dimension)?.into()]);
        }
        people.apply(&batch)?;
    }
    println!("{faces} faces x {dimension} made and enrolled in {:.0} s", start.elapsed().as_secs_f64());
    let tidied = match kind {
        IndexKind::Hnsw => graph(&gallery, kind)?,
        _ => {
            let start = Instant::now();
            gallery.compact()?;
            start.elapsed()
        }
    };
    println!("compacted, and a graph made if one was asked for ({kind:?}), in {:.0} s", tidied.as_secs_f64());

    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let options = SearchOptions { top_k: 1, threshold: Some(0.4), ..SearchOptions::default() };
    let mut took = Vec::new();
    for _ in 0..PROBES {
        let probe = random.face(dimension)?;
        let start = Instant::now();
        one_thread.install(|| people.search(&probe, &options))?;
        took.push(start.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_unstable_by(f64::total_cmp);
    let median = took[took.len() / 2];
    let stats = &gallery.stats()?.namespaces[0];
    let (vectors, beside) = (stats.vector_bytes as f64 / faces as f64, stats.search_bytes as f64 / faces as f64);
    let all = (memory::anonymous()? - before) as f64 / faces as f64;
    println!(
        "bytes a face: {vectors:.0} vectors, {beside:.0} beside; {all:.0} of the process, rows of people included"
    );
    println!("a probe that nobody matches, threshold 0.4, one thread: {median:.2} ms");
    for (many, text) in [(10e6, "10 million"), (100e6, "100 million")] {
        let gigabytes = |bytes: f64| bytes * many / 1e9;
        // What is beside the vectors grows with the dimension by a code a coordinate.
        let beside_512 = beside + 512.0 - dimension.next_multiple_of(64) as f64;
        let time = if kind == IndexKind::Hnsw {
            median * (many.ln() / (faces as f64).ln())
        } else {
            median * many / faces as f64
        };
        println!(
            "{text} x 512: vectors {:.0} GB, {:.1} GB beside them; {time:.1} ms on one thread",
            gigabytes(2048.0),
            gigabytes(beside_512)
        );
    }
    Ok(())
}

/// Numbers that look random, always the same: splitmix64.
struct Random(u64);

impl Random {
    /// Values between -1 and 1, as an embedding.
    fn face(&mut self, dimension: usize) -> Result<Embedding, Failure> {
        let mut value = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        };
        let values: Vec<f32> = (0..dimension).map(|_| value()).collect();
        embedding(&values)
    }
}
