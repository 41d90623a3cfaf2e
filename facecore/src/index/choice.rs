//! Whether faces are scanned, or found by way of a graph.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::hnsw::WIDER_FROM;
use super::kernels::{CODE_BLOCK, GROUP_ROWS, Group, Kernels, Sketch, prefetch_all};

/// With fewer faces `Auto` never has a graph: no processor is known on which one would pay.
const ALWAYS_SCANNED: usize = 200_000;

/// With so many faces `Auto` always has one: a scan takes more than 10 ms of any processor known, and who is there is found
/// by a graph in a fraction of what a stranger takes.
const ALWAYS_GRAPH: usize = 10_000_000;

/// A default search for somebody unknown among `WIDER_FROM` faces takes as long on a graph as comparing the codes of so
/// many rows: 0.5 ms, where codes take 76 ns a row.
const COMPARED: f64 = 6_500.0;

/// Among more faces it takes as much longer as this power of how many times as many there are: it keeps more people, and
/// comes to more that are in no cache. From 100,000 to 1,000,000 generated faces (`make compare-index`, 512 dimensions)
/// it was 6.2 times, from 500,000 to 5,000,000 random ones (`make compare-scale`, 128 dimensions) 7.3 times.
const GROWTH: f64 = 0.8;

/// A graph pays if it is so many times as fast: it takes all cores for minutes to make, 197 bytes a face, and cannot say
/// how sure it is to miss nobody.
const PAYS: f64 = 2.0;

/// A graph that is there is kept as long as there are at least so many times the faces from which on one is made, so that
/// what two processes measure differently does not throw away the work of minutes.
const KEPT: f64 = 0.5;

/// What faces are found with. Scores are exact with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndexKind {
    /// `Hnsw` from so many faces on that it is twice as fast for a stranger, by two measurements on this processor, at
    /// least from 200,000 and at most from 10 million on; else `Flat`. `NamespaceStats` says which, and why.
    #[default]
    Auto,
    /// Every search looks at all faces, most of them only as 512 signs, and says how sure it is to miss nobody. Takes
    /// changes fastest.
    Flat,
    /// A graph leads searches to the faces that are near (HNSW), so that their time hardly grows with the number of
    /// faces; how often they miss somebody is a matter of measurement. Faces are added to the graph by a thread, and by
    /// `Gallery::compact`: a million takes minutes. Until then they are scanned.
    Hnsw,
    /// A graph of the library `hnsw_rs`, to compare with: it takes another copy of the vectors, and is never stored but
    /// made anew whenever the gallery is opened or many faces were removed. Answers keep the same promises.
    #[cfg(feature = "hnsw_rs")]
    HnswRs,
}

impl fmt::Display for IndexKind {
    /// As it is serialised: `auto`, `flat`, `hnsw`, `hnsw_rs`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IndexKind::Auto => "auto",
            IndexKind::Flat => "flat",
            IndexKind::Hnsw => "hnsw",
            #[cfg(feature = "hnsw_rs")]
            IndexKind::HnswRs => "hnsw_rs",
        })
    }
}

/// What serves a number of faces best: never `Auto`.
pub(crate) struct Choice {
    pub index: IndexKind,
    pub why: String,
}

impl IndexKind {
    /// What so many faces are to be found with, which are found with `now` now.
    pub(crate) fn choose(self, faces: usize, now: IndexKind) -> Choice {
        match self {
            IndexKind::Auto
                if (faces as f64) < ALWAYS_SCANNED as f64 * if now == IndexKind::Hnsw { KEPT } else { 1.0 } =>
            {
                let why = format!("a graph does not pay for fewer than {ALWAYS_SCANNED} faces");
                Choice { index: IndexKind::Flat, why }
            }
            IndexKind::Auto => Costs::here().choose(faces, now),
            index => Choice { index, why: "asked for".to_owned() },
        }
    }
}

/// What the two ways of searching are made of, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Costs {
    /// Comparing the signs of a row, one row after the other.
    sign: f64,
    /// Comparing the codes of a row, here and there in memory.
    codes: f64,
}

impl Costs {
    /// Those of this processor, measured when they are first asked for: it takes some hundredths of a second.
    fn here() -> Costs {
        static HERE: OnceLock<Costs> = OnceLock::new();
        *HERE.get_or_init(|| Costs::measure(Kernels::best()))
    }

    fn choose(self, faces: usize, now: IndexKind) -> Choice {
        let Costs { sign, codes } = self;
        let crossover = Costs { sign, codes }.crossover();
        let kept = now == IndexKind::Hnsw && faces as f64 >= KEPT * crossover as f64;
        let (index, how) = match faces >= crossover {
            true => (IndexKind::Hnsw, "pays"),
            false if kept => (IndexKind::Hnsw, "that is there is kept"),
            false => (IndexKind::Flat, "would not pay"),
        };
        let because = match crossover {
            ALWAYS_SCANNED => ", and never for fewer".to_owned(),
            ALWAYS_GRAPH => ", whatever is measured".to_owned(),
            _ => format!(", as comparing the signs of a face takes {sign:.2} ns here, and its codes {codes:.0} ns"),
        };
        let why = format!("for {faces} faces a graph {how}: one pays from {crossover} on{because}");
        Choice { index, why }
    }

    /// From how many faces on a graph pays: where a scan of all takes `PAYS` times what a walk takes.
    ///
    /// The two grow so alike that a tenth more of either moves it by half: hence `KEPT`, and the limits.
    fn crossover(self) -> usize {
        let scanned = PAYS * COMPARED * self.codes / self.sign;
        let times = (scanned / WIDER_FROM as f64).powf(1.0 / (1.0 - GROWTH));
        ((WIDER_FROM as f64 * times) as usize).clamp(ALWAYS_SCANNED, ALWAYS_GRAPH)
    }

    fn measure(kernels: Kernels) -> Costs {
        // Larger than caches of the second level, as galleries that need a graph are.
        const GROUPS: usize = 1 << 15;
        const ROWS: usize = 1 << 16;
        const STRIDE: usize = 8 * CODE_BLOCK;
        const VISITS: usize = 1 << 13;
        const AHEAD: usize = 4;
        // Not zeros, which a system may keep in one place for all.
        let groups: Vec<Group> = (0..GROUPS).map(|at| [[at as u64 | 1; GROUP_ROWS]; _]).collect();
        let codes: Vec<u8> = (0..ROWS * STRIDE).map(|at| at as u8 | 1).collect();
        let row = |visit: usize| {
            let at = visit.wrapping_mul(0x9e37_79b9) >> 3 & (ROWS - 1);
            &codes[at * STRIDE..(at + 1) * STRIDE]
        };
        let (sketch, probe, mut found) = (Sketch::default(), vec![1i8; STRIDE], Vec::new());
        let sign = fastest(|| {
            found.clear();
            kernels.scan(&groups, &sketch, 0, 0, &mut found);
        });
        let codes = fastest(|| {
            for visit in 0..VISITS {
                prefetch_all(row(visit + AHEAD));
                std::hint::black_box(kernels.dot(row(visit), &probe));
            }
        });
        let nanoseconds = |took: Duration, count: usize| took.as_secs_f64() * 1e9 / count as f64;
        Costs { sign: nanoseconds(sign, GROUPS * GROUP_ROWS), codes: nanoseconds(codes, VISITS) }
    }
}

/// The shortest of some runs: the others were disturbed.
fn fastest(mut run: impl FnMut()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..5).map(timed).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_taken() {
        for faces in [0, 5_000_000] {
            for kind in [IndexKind::Flat, IndexKind::Hnsw] {
                assert_eq!(kind.choose(faces, IndexKind::Flat).index, kind);
            }
        }
        for (faces, now, then) in [
            (ALWAYS_SCANNED - 1, IndexKind::Flat, IndexKind::Flat),
            (ALWAYS_SCANNED / 2 - 1, IndexKind::Hnsw, IndexKind::Flat),
            (100_000_000, IndexKind::Flat, IndexKind::Hnsw),
        ] {
            assert_eq!(IndexKind::default().choose(faces, now).index, then);
        }
    }

    #[test]
    fn the_choice_follows_from_the_costs() {
        let costs = Costs { sign: 6.0, codes: 76.0 };
        let (scanned, graph) = (IndexKind::Flat, IndexKind::Hnsw);
        let crossover = costs.crossover();
        // As many as a scan of 7.2 ms takes twice the time of a walk among: 0.494 ms times 12 to the power of 0.8.
        assert!((1_150_000..1_250_000).contains(&crossover), "{crossover}");
        for (faces, now, then) in [
            (crossover - 1, scanned, scanned),
            (crossover, scanned, graph),
            (crossover - 1, graph, graph),
            (crossover / 2 + 1, graph, graph),
            (crossover / 2 - 1, graph, scanned),
        ] {
            let choice = costs.choose(faces, now);
            assert_eq!(choice.index, then, "{}", choice.why);
            assert!(choice.why.contains(&format!("from {crossover} on")), "{}", choice.why);
        }
        // It is for codes that cost more that a scan is the better choice for longer.
        assert_eq!(Costs { codes: 100.0, ..costs }.choose(crossover, scanned).index, scanned);
        // Whatever is measured, few faces are scanned, and very many are not.
        assert_eq!(Costs { sign: 1e6, codes: 1.0 }.choose(ALWAYS_SCANNED - 1, scanned).index, scanned);
        assert_eq!(Costs { sign: 1.0, codes: 1e6 }.choose(ALWAYS_GRAPH, scanned).index, graph);
    }

    #[test]
    fn costs_are_measured_with_all_kernels() {
        for kernels in Kernels::available() {
            let Costs { sign, codes } = Costs::measure(kernels);
            assert!(sign.is_normal() && sign > 0.0 && codes.is_normal() && codes > 0.0, "{kernels:?}: {sign}, {codes}");
        }
    }
}
