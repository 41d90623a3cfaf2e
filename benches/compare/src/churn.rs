//! What many changes do to a graph: how often searches are right, and how long they take, beside a graph made at once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use facecore::gallery::{Batch, IndexKind};
use facecore::{Gallery, Namespace, SearchOptions};
use facecore_testkit::population::{Population, PopulationOptions};

use crate::Failure;
use crate::gallery::{embedding, graph, in_memory, person_id};

/// Faces replaced between two snapshots.
const STEP: usize = 10_000;

/// So many regions are emptied, each of so large a share of the faces.
const REGIONS: usize = 4;
const SHARE_OF_REGION: f64 = 0.08;

/// How often each gallery's probes are timed.
const ROUNDS: usize = 5;

/// Replaces every face twice, empties whole regions, and removes four of five of the other people; after each, prints how
/// a default search does before and after `compact`, and in a gallery made of the same faces at once. The latter two are
/// timed in turns; what is timed before may have met another hour.
pub fn measure(faces: usize) -> Result<(), Failure> {
    // Three populations of the same people: what they looked like, and twice what they look like after.
    let [old, middle, new] = [1, 2, 3].map(|seed| {
        let options = PopulationOptions { seed, ..PopulationOptions::standard(faces) };
        options.generate()
    });
    let gallery = in_memory(IndexKind::Hnsw);
    let people = gallery.namespace("churned")?;
    enrol(&people, &old, |_| true)?;
    println!("{faces} faces x 512, {} people; one thread", old.faces().last().map_or(0, |face| face.0 + 1));
    report("enrolled", &gallery, &old, |_| true)?;
    for later in [&middle, &new] {
        let ids: Vec<_> = people
            .persons()?
            .into_iter()
            .flat_map(|person| {
                let number: usize = person.id.as_str().trim_start_matches("person-").parse().unwrap_or_default();
                person.faces.into_iter().map(move |face| (number, face))
            })
            .collect();
        let mut of_person: std::collections::BTreeMap<usize, Vec<&[f32]>> = Default::default();
        later.faces().for_each(|(person, values)| of_person.entry(person).or_default().push(values));
        for ids in ids.chunks(STEP) {
            let mut batch = Batch::new();
            for (person, id) in ids {
                if let Some(values) = of_person.get_mut(person).and_then(Vec::pop) {
                    batch.replace_face(*id, embedding(values)?);
                }
            }
            people.apply(&batch)?;
            gallery.compact()?;
        }
    }
    report("replaced twice", &gallery, &new, |_| true)?;
    let clustered = in_regions(&new);
    let stays = |person: usize| !clustered.contains(&person);
    remove(&people, &new, |person| !stays(person))?;
    report("whole regions removed", &gallery, &new, stays)?;
    let stays = |person: usize| !clustered.contains(&person) && person.is_multiple_of(5);
    remove(&people, &new, |person| !clustered.contains(&person) && !stays(person))?;
    report("four of five of these removed", &gallery, &new, stays)
}

/// The people with a face in one of some regions: the faces nearest to a face, as many as a region has.
fn in_regions(population: &Population) -> HashSet<usize> {
    let faces: Vec<(usize, &[f32])> = population.faces().collect();
    let size = (faces.len() as f64 * SHARE_OF_REGION) as usize;
    let mut people = HashSet::new();
    for region in 0..REGIONS {
        let (_, centre) = faces[region * faces.len() / REGIONS];
        let cosine = |values: &[f32]| -> f32 { values.iter().zip(centre).map(|(a, b)| a * b).sum() };
        let mut near: Vec<(f32, usize)> = faces.iter().map(|(person, values)| (cosine(values), *person)).collect();
        near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        people.extend(near[..size].iter().map(|(_, person)| *person));
    }
    people
}

fn enrol(people: &Namespace, population: &Population, of: impl Fn(usize) -> bool) -> Result<(), Failure> {
    let mut batch = Batch::new();
    for (person, values) in population.faces().filter(|face| of(face.0)) {
        batch.enrol(person_id(person), vec![embedding(values)?.into()]);
    }
    people.apply(&batch)?;
    Ok(())
}

fn remove(people: &Namespace, population: &Population, gone: impl Fn(usize) -> bool) -> Result<(), Failure> {
    let mut numbers: Vec<usize> = population.faces().map(|face| face.0).filter(|person| gone(*person)).collect();
    numbers.dedup();
    let mut batch = Batch::new();
    for person in numbers {
        batch.remove_person(person_id(person));
    }
    people.apply(&batch)?;
    Ok(())
}

fn report(
    what: &str,
    gallery: &Gallery,
    population: &Population,
    stays: impl Fn(usize) -> bool + Copy,
) -> Result<(), Failure> {
    let people = gallery.existing_namespace("churned")?;
    let [before] = search([&people], population, stays)?;
    let compacting = graph(gallery, IndexKind::Hnsw)?;
    let fresh = in_memory(IndexKind::Hnsw);
    enrol(&fresh.namespace("fresh")?, population, stays)?;
    let making = graph(&fresh, IndexKind::Hnsw)?;
    let [after, made] = search([&people, &fresh.existing_namespace("fresh")?], population, stays)?;
    println!("{what}, {} faces left:", people.face_count());
    for (how, (right, median), took) in
        [("as it is", before, None), ("compacted", after, Some(compacting)), ("made anew", made, Some(making))]
    {
        let took = took.map_or(String::new(), |took| format!(", in {:.1} s", took.as_secs_f64()));
        println!("  {how:<10} {:.2} % right, {:.0} µs a probe{took}", right * 100.0, median.as_secs_f64() * 1e6);
    }
    let (points, times) = ((after.0 - made.0) * 100.0, after.1.as_secs_f64() / made.1.as_secs_f64());
    println!("  compacted beside made anew: {points:+.2} points, {times:.2} times the time");
    Ok(())
}

/// Of each namespace, the share of probes whose person comes first and the median time of a search.
///
/// Namespaces take turns, so that what else the machine does meets all of them alike.
fn search<const N: usize>(
    namespaces: [&Namespace; N],
    population: &Population,
    stays: impl Fn(usize) -> bool,
) -> Result<[(f64, Duration); N], Failure> {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let options = SearchOptions { top_k: 1, ..SearchOptions::default() };
    let mut results = namespaces.map(|people| (people, 0, Vec::new()));
    for round in 0..=ROUNDS {
        for (people, right, took) in &mut results {
            for (person, values) in population.probes().filter(|probe| stays(probe.0)) {
                let probe = embedding(values)?;
                let start = Instant::now();
                let found = one_thread.install(|| people.search(&probe, &options))?;
                // The first round brings what was not used lately back into the caches.
                if round > 0 {
                    took.push(start.elapsed());
                    *right += usize::from(found.first().is_some_and(|first| first.person == *person_id(person)));
                }
            }
        }
    }
    Ok(results.map(|(_, right, mut took)| {
        took.sort_unstable();
        (right as f64 / took.len().max(1) as f64, took.get(took.len() / 2).copied().unwrap_or_default())
    }))
}
