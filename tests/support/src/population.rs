//! A generated population: people with enrolled faces and probes, as embeddings that are spread as
//! real ones are.
//!
//! Strangers of a real model are neither independent nor isotropic: a few directions hold much of
//! the variance, all faces share a mean, and some people are more alike than chance would have it.
//! A search that prunes or compresses depends on all three, so uniformly random vectors say little
//! about it. Here a stranger is
//!
//! ```text
//! rotate(spread * (mean + sqrt(share) * group + sqrt(1 - share) * own)), scaled to length 1
//! ```
//!
//! with `own` and `group` Gaussian, one of [`GROUPS`] groups drawn for each person, and `spread` a
//! falling sequence. The constants were fitted by `tools/fit_population.py`, so that 512 dimensions
//! give the numbers of [`REFERENCE`].
//!
//! The same options give the same bits on every machine: nothing but integers and the exactly
//! rounded operations of IEEE 754 is used, in an order that no thread changes.

use rayon::prelude::*;

use crate::random::SplitMix64;

/// What was measured of real embeddings: those of the 3,811 photographs of LFW's verification folds
/// 1 to 5 (2,086 people) by the 128-dimensional MobileFaceNet after YuNet, with `facecore embed`.
/// Five of the pairs have a cosine above 0.6; at least some of them are errors in LFW's names.
pub const REFERENCE: Reference = Reference {
    pairs: 7_255_541,
    impostors: [(0.01, -0.218), (0.5, 0.013), (0.99, 0.259), (0.999, 0.343), (0.9999, 0.412), (0.99999, 0.472)],
    spectrum: [(1, 0.023), (10, 0.189), (32, 0.480), (64, 0.750)],
};

/// How real embeddings of different people are spread.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// Pairs of photographs of different people.
    pub pairs: u64,
    /// Quantiles of their cosines: (share of the pairs at or below, cosine).
    pub impostors: [(f64, f64); 6],
    /// (n, share of the variance in the n directions that hold most of it).
    pub spectrum: [(usize, f64); 4],
}

/// The variance of a coordinate in that of the one before: `RATIO` at first, falling by the factor
/// `BEND` from each coordinate to the next.
const RATIO: f64 = 0.9823;
const BEND: f64 = 0.99996;
/// The mean of all strangers, in standard deviations, the same for every coordinate.
const MEAN: f32 = 0.12;
/// How many groups of people that are more alike there are.
pub const GROUPS: usize = 100;
/// The share of the variance that lies between groups.
const GROUP_SHARE: f64 = 0.18;
/// Rounds of sign flips and a Hadamard transform that make up the rotation.
const ROUNDS: usize = 3;

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationOptions {
    /// Coordinates of an embedding: a power of two, at least 64. The constants were fitted for 512.
    pub dimension: usize,
    /// Enrolled faces, at least 1.
    pub faces: usize,
    /// Enrolled faces of a person, at least 1; the last person has what is left.
    pub faces_per_person: usize,
    /// Probes, each of another person, spread evenly over them; at most as many as people.
    pub probes: usize,
    /// Lowest and highest cosine, drawn uniformly, of a person's first enrolled face with the
    /// person's other faces and probe. What two of those others have in common follows from it.
    pub mates: (f32, f32),
    /// Another seed gives other people of the same kind.
    pub seed: u64,
}

impl PopulationOptions {
    /// The standard set: mates at cosines of 0.5 to 0.8, three faces a person, 512 dimensions, and
    /// 2,000 probes where there are as many people.
    pub fn standard(faces: usize) -> Self {
        let (dimension, faces_per_person) = (512, 3);
        let probes = faces.div_ceil(faces_per_person).min(2_000);
        PopulationOptions { dimension, faces, faces_per_person, probes, mates: (0.5, 0.8), seed: 1 }
    }

    /// The hard set: as the standard one, with mates at 0.3 to 0.8. Of real mates 1 % are below 0.25.
    pub fn hard(faces: usize) -> Self {
        PopulationOptions { mates: (0.3, 0.8), ..PopulationOptions::standard(faces) }
    }

    /// How many people have faces.
    pub fn persons(&self) -> usize {
        self.faces.div_ceil(self.faces_per_person)
    }

    /// Draws the population, on all threads of the current rayon pool.
    ///
    /// # Panics
    ///
    /// If an option is out of its range.
    pub fn generate(&self) -> Population {
        assert!(self.dimension.is_power_of_two() && self.dimension >= 64, "dimension: a power of two, at least 64");
        assert!(self.faces > 0 && self.faces_per_person > 0, "there are no faces");
        assert!(self.probes <= self.persons(), "more probes than people");
        assert!(-1.0 < self.mates.0 && self.mates.0 <= self.mates.1 && self.mates.1 < 1.0, "mates are cosines");
        let law = Law::new(self);
        let mut faces = vec![0.0; self.faces * self.dimension];
        let people = faces.par_chunks_mut(self.faces_per_person * self.dimension).enumerate();
        people.for_each(|(person, faces)| law.enrolled(person, faces));

        let probe_persons: Vec<usize> = (0..self.probes).map(|probe| probe * self.persons() / self.probes).collect();
        let mut probes = vec![0.0; self.probes * self.dimension];
        let rows = probes.par_chunks_mut(self.dimension).zip(&probe_persons);
        rows.for_each(|(probe, &person)| law.probe(person, probe));
        Population {
            dimension: self.dimension,
            faces_per_person: self.faces_per_person,
            values: faces,
            probes,
            probe_persons,
        }
    }
}

/// Enrolled faces and probes, as vectors of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    dimension: usize,
    faces_per_person: usize,
    values: Vec<f32>,
    probes: Vec<f32>,
    probe_persons: Vec<usize>,
}

impl Population {
    /// The enrolled faces with their people, who are numbered from 0; the faces of one follow each other.
    pub fn faces(&self) -> impl ExactSizeIterator<Item = (usize, &[f32])> {
        let faces = self.values.chunks_exact(self.dimension).enumerate();
        faces.map(|(face, values)| (face / self.faces_per_person, values))
    }

    /// The probes with the people they show.
    pub fn probes(&self) -> impl ExactSizeIterator<Item = (usize, &[f32])> {
        self.probe_persons.iter().copied().zip(self.probes.chunks_exact(self.dimension))
    }

    /// The first face of each person.
    pub fn strangers(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(self.dimension * self.faces_per_person).map(|faces| &faces[..self.dimension])
    }
}

/// The distribution that people are drawn from.
struct Law<'a> {
    options: &'a PopulationOptions,
    /// Standard deviation of each coordinate before the rotation.
    spread: Vec<f32>,
    /// The expected stranger of each group, before the rotation.
    centres: Vec<Vec<f32>>,
    /// What each round of the rotation flips: factors of 1 or -1.
    signs: [Vec<f32>; ROUNDS],
}

impl<'a> Law<'a> {
    fn new(options: &'a PopulationOptions) -> Self {
        let spread = spread(options.dimension);
        let mut random = Random::new(options.seed, Stream::Law, 0);
        let mut centre = || {
            let between = GROUP_SHARE.sqrt() as f32;
            spread.iter().map(|spread| spread * (MEAN + between * random.normal())).collect()
        };
        let centres = (0..GROUPS).map(|_| centre()).collect();
        let mut signs =
            || (0..options.dimension).map(|_| if random.0.next() >> 63 == 0 { 1.0 } else { -1.0 }).collect();
        let signs = std::array::from_fn(|_| signs());
        Law { options, spread, centres, signs }
    }

    /// Fills `faces` with the enrolled faces of a person.
    fn enrolled(&self, person: usize, faces: &mut [f32]) {
        let mut random = Random::new(self.options.seed, Stream::Faces, person);
        let (first, others) = faces.split_at_mut(self.options.dimension);
        let group = self.first(&mut random, first);
        for other in others.chunks_exact_mut(self.options.dimension) {
            self.mate(&mut random, group, first, other);
            self.rotate(other);
        }
        self.rotate(first);
    }

    fn probe(&self, person: usize, probe: &mut [f32]) {
        let mut first = vec![0.0; self.options.dimension];
        let group = self.first(&mut Random::new(self.options.seed, Stream::Faces, person), &mut first);
        self.mate(&mut Random::new(self.options.seed, Stream::Probes, person), group, &first, probe);
        self.rotate(probe);
    }

    /// The first face of a person, before the rotation. Returns the person's group.
    fn first(&self, random: &mut Random, face: &mut [f32]) -> usize {
        let group = random.0.below(GROUPS as u64) as usize;
        self.draw(random, group, 1.0, face);
        normalise(face);
        group
    }

    /// A face at an exact cosine to the person's `first`: that one and a vector at a right angle to
    /// it, added in the proportion that the cosine asks for. The other vector has just so much of
    /// the group's centre that the sum has the mean, and so the impostors, of a first face.
    fn mate(&self, random: &mut Random, group: usize, first: &[f32], face: &mut [f32]) {
        let (lowest, highest) = self.options.mates;
        let cosine = lowest + (highest - lowest) * random.uniform();
        let sine = (1.0 - cosine * cosine).sqrt();
        self.draw(random, group, (1.0 - cosine) / sine, face);
        let along = dot(face, first) as f32;
        face.iter_mut().zip(first).for_each(|(value, first)| *value -= along * first);
        normalise(face);
        face.iter_mut().zip(first).for_each(|(value, first)| *value = cosine * first + sine * *value);
    }

    fn draw(&self, random: &mut Random, group: usize, centre_share: f32, face: &mut [f32]) {
        let own = (1.0 - GROUP_SHARE).sqrt() as f32;
        for ((value, centre), spread) in face.iter_mut().zip(&self.centres[group]).zip(&self.spread) {
            *value = centre_share * centre + own * spread * random.normal();
        }
    }

    /// Turns the axes, so that no coordinate is one of the directions that the faces vary in.
    fn rotate(&self, face: &mut [f32]) {
        for signs in &self.signs {
            face.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
            hadamard(face);
            // Also takes back the transform's factor, the root of the dimension.
            normalise(face);
        }
    }
}

/// Standard deviations that fall from coordinate to coordinate; their squares add up to 1.
fn spread(dimension: usize) -> Vec<f32> {
    let (mut variance, mut ratio) = (1.0, RATIO);
    let variances: Vec<f64> = (0..dimension)
        .map(|_| {
            let this = variance;
            variance *= ratio;
            ratio *= BEND;
            this
        })
        .collect();
    let sum: f64 = variances.iter().sum();
    variances.iter().map(|variance| (variance / sum).sqrt() as f32).collect()
}

/// The Walsh-Hadamard transform, without its factor.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn normalise(values: &mut [f32]) {
    let length = dot(values, values).sqrt();
    values.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
}

/// What random numbers are drawn for; streams are independent of each other.
#[derive(Clone, Copy)]
enum Stream {
    Law,
    Faces,
    Probes,
}

/// The random numbers of one person or group.
struct Random(SplitMix64);

impl Random {
    fn new(seed: u64, stream: Stream, number: usize) -> Self {
        let mut state = 0;
        for part in [seed, stream as u64, number as u64] {
            state = SplitMix64(state ^ part).next();
        }
        Random(SplitMix64(state))
    }

    /// From 0 to below 1.
    fn uniform(&mut self) -> f32 {
        (self.0.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Mean 0, variance 1; Gaussian as 64 tosses of a coin are. Every coordinate of a face is the
    /// sum of all of these, which makes it smooth, and logarithms would round differently elsewhere.
    fn normal(&mut self) -> f32 {
        (self.0.next().count_ones() as f32 - 32.0) / 4.0
    }
}

#[cfg(test)]
mod tests;
