//! What galleries too large for a machine would take, computed from one of a tenth of the faces and checked with one of
//! them all.

use std::time::{Duration, Instant};

use facecore::gallery::{Batch, IndexKind};
use facecore::{Embedding, Gallery, Namespace, SearchOptions};

use crate::gallery::{embedding, graph, in_memory};
use crate::{Failure, memory};

/// Faces of one commit.
const BATCH: usize = 10_000;
const PROBES: usize = 200;
/// The time of a walk grows with this power of the number of faces: 1.34 ms among 500,000 and 9.74 ms among 5,000,000, of 128
/// dimensions.
const WALKS: f64 = 0.86;

/// Enrols random faces, one a person, and prints memory and time of a search: measured with a tenth of them, computed from
/// that for all of them and measured, and computed for 10 and 100 million.
pub fn measure(faces: usize, dimension: usize, index: IndexKind) -> Result<(), Failure> {
    let before = memory::anonymous()?;
    let gallery = in_memory(index);
    let people = gallery.namespace("scale")?;
    let mut random = Random(1);
    println!("{index}, {dimension} dimensions; a probe that nobody matches, threshold 0.4, one thread");
    let tenth = (faces / 10).max(1);
    enrol(&people, 0..tenth, dimension, &mut random)?;
    let few = Measured::new(&gallery, &people, index, before, dimension, &mut random)?;
    few.print();
    let computed = few.scaled(faces, dimension, index);
    println!("{:>12} faces, computed: {computed}", faces);
    enrol(&people, tenth..faces, dimension, &mut random)?;
    let all = Measured::new(&gallery, &people, index, before, dimension, &mut random)?;
    all.print();
    for many in [10_000_000, 100_000_000] {
        println!("{many:>12} faces x 512, computed: {}", all.scaled(many, 512, index));
    }
    Ok(())
}

fn enrol(
    people: &Namespace,
    range: std::ops::Range<usize>,
    dimension: usize,
    random: &mut Random,
) -> Result<(), Failure> {
    for first in range.clone().step_by(BATCH) {
        let mut batch = Batch::new();
        for person in first..range.end.min(first + BATCH) {
            batch.enrol(person.to_string(), vec![random.face(dimension)?.into()]);
        }
        people.apply(&batch)?;
    }
    Ok(())
}

/// What some faces take.
struct Measured {
    faces: usize,
    dimension: usize,
    /// Bytes a face: exact vectors, what searches need beside them, and of the whole process.
    vectors: f64,
    beside: f64,
    process: f64,
    /// To tidy the rows, and to make the graph if one was asked for.
    tidying: Duration,
    search: Duration,
}

impl Measured {
    fn new(
        gallery: &Gallery,
        people: &Namespace,
        index: IndexKind,
        before: u64,
        dimension: usize,
        random: &mut Random,
    ) -> Result<Measured, Failure> {
        let start = Instant::now();
        let tidying = match index {
            IndexKind::Flat => gallery.compact().map(|()| start.elapsed())?,
            _ => graph(gallery, index)?,
        };
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        let options = SearchOptions { top_k: 1, threshold: Some(0.4), ..SearchOptions::default() };
        let mut took = Vec::new();
        for _ in 0..PROBES {
            let probe = random.face(dimension)?;
            let start = Instant::now();
            one_thread.install(|| people.search(&probe, &options))?;
            took.push(start.elapsed());
        }
        took.sort_unstable();
        let stats = &gallery.stats()?.namespaces[0];
        let a_face = |bytes: usize| bytes as f64 / stats.faces as f64;
        let process = memory::anonymous()?.saturating_sub(before) as usize;
        Ok(Measured {
            faces: stats.faces,
            dimension,
            vectors: a_face(stats.vector_bytes),
            beside: a_face(stats.search_bytes),
            process: a_face(process),
            tidying,
            search: took[took.len() / 2],
        })
    }

    fn print(&self) {
        println!(
            "{:>12} faces, measured: {:.0} + {:.0} bytes a face, {:.0} of the process with its rows; {:.2} ms; compacted \
             in {:.0} s",
            self.faces,
            self.vectors,
            self.beside,
            self.process,
            self.search.as_secs_f64() * 1e3,
            self.tidying.as_secs_f64(),
        );
    }

    /// The same for another number of faces: memory grows with them, by a code for each coordinate, and so does the time of
    /// a scan; that of a walk by a power.
    fn scaled(&self, faces: usize, dimension: usize, index: IndexKind) -> String {
        let codes = |dimension: usize| dimension.next_multiple_of(64) as f64;
        let beside = self.beside + codes(dimension) - codes(self.dimension);
        let vectors = (dimension * size_of::<f32>()) as f64;
        let (many, few) = (faces as f64, self.faces as f64);
        let longer = (many / few).powf(if index == IndexKind::Flat { 1.0 } else { WALKS });
        format!(
            "vectors {:.1} GB, {:.2} GB beside them; {:.2} ms",
            vectors * many / 1e9,
            beside * many / 1e9,
            self.search.as_secs_f64() * 1e3 * longer
        )
    }
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
