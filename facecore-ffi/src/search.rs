//! Asking a namespace who somebody is.

use std::ffi::{CString, c_char, c_void};

use facecore::gallery::{Match, PersonId, Reach, SearchOptions, Vote};
use facecore::{Embedding, Error, ErrorKind, Result};

use crate::embedding::facecore_embedding;
use crate::handle::{Out, boxed, free, handle, null, peek, value};
use crate::input::{OutStruct, check_threshold, choice, no_item, read_options, slice, texts, versioned};
use crate::namespace::facecore_namespace;
use crate::status::guard;
use crate::text::c_string;

/// How far a search looks: what is right for the threshold and the size of the namespace.
pub const FACECORE_REACH_AUTO: i32 = 0;
/// Compares every face in full.
pub const FACECORE_REACH_EXACT: i32 = 1;
/// Compares the `reach_faces` faces that look nearest at first sight.
pub const FACECORE_REACH_NEAREST: i32 = 2;
/// Compares so many faces that one exactly at the threshold is missed with at most the probability `reach_miss`.
pub const FACECORE_REACH_WITHIN: i32 = 3;

/// Whether a search may consider a person (not 0) or not (0). `context` is the option's. It may be asked on several threads
/// at once, and may call any function of facecore, but holding no lock meanwhile that another call of it takes; it must
/// return, not jump or throw.
pub type facecore_filter = Option<unsafe extern "C" fn(context: *mut c_void, person_id: *const c_char) -> i32>;

/// What a search looks for. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_search_options {
    /// `sizeof(facecore_search_options)`.
    pub struct_size: usize,
    /// At most so many people are returned; 0 stands for 10.
    pub top_k: usize,
    /// 1 takes `threshold`, 0 that of the probe's embedding space.
    pub has_threshold: i32,
    /// A person matches if the cosine of its best face is at least this, -1 to 1; -1 takes everybody.
    pub threshold: f32,
    /// `FACECORE_REACH_AUTO`, `FACECORE_REACH_EXACT`, `FACECORE_REACH_NEAREST` or `FACECORE_REACH_WITHIN`.
    pub reach: i32,
    /// How many faces, with `FACECORE_REACH_NEAREST`.
    pub reach_faces: usize,
    /// Which probability, between 0 and 1, with `FACECORE_REACH_WITHIN`.
    pub reach_miss: f64,
    /// Only these people are considered; NULL considers all.
    pub among: *const *const c_char,
    /// How many ids `among` has; 0 with a pointer that is not NULL considers nobody.
    pub among_count: usize,
    /// These people are not considered.
    pub excluding: *const *const c_char,
    /// How many ids `excluding` has.
    pub excluding_count: usize,
    /// Decides who is considered, of those that `among` and `excluding` leave; NULL considers all.
    pub filter: facecore_filter,
    /// Handed to `filter`.
    pub filter_context: *mut c_void,
}

/// A person found by a search. The string lives as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_match {
    /// `sizeof(facecore_match)`.
    pub struct_size: usize,
    /// Who it is.
    pub person: *const c_char,
    /// Cosine of the probe with the person's best face, -1 to 1.
    pub score: f32,
    /// 1 if `probability` is there, 0 as long as the embedding space has no calibration.
    pub has_probability: i32,
    /// Probability, 0 to 1, that probe and person are the same.
    pub probability: f32,
    /// `score` minus the best score of any other person met, -2 to 2; near 0 the answer is ambiguous. `score` itself if
    /// nobody else was met.
    pub margin: f32,
    /// The face with that score.
    pub best_face: u64,
    /// How many faces of the person reach the threshold, as far as the search met them.
    pub hits: u32,
    /// 0.
    pub reserved: i32,
}

/// What the nearest faces agreed on. The string lives as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_vote {
    /// `sizeof(facecore_vote)`.
    pub struct_size: usize,
    /// Who it is.
    pub person: *const c_char,
    /// How many of the nearest faces are the person's.
    pub votes: u32,
    /// How many of the nearest faces reach the threshold.
    pub voters: u32,
    /// Cosine of the probe with the nearest of the person's faces, -1 to 1.
    pub score: f32,
    /// That face.
    pub best_face: u64,
}

versioned!(facecore_search_options, facecore_match, facecore_vote);

/// People who match a probe, best first; an unknown face is an empty list.
pub struct facecore_matches(Vec<(CString, Match)>);
handle!(facecore_matches, Vec<(CString, Match)>, "list of matches");

/// What the nearest faces agreed on: one answer, or none.
pub struct facecore_votes(Vec<(CString, Vote)>);
handle!(facecore_votes, Vec<(CString, Vote)>, "list of votes");

fn matches(found: Vec<Match>) -> Vec<(CString, Match)> {
    found.into_iter().map(|found| (c_string(found.person.as_str()), found)).collect()
}

/// A filter of the caller's with its context.
struct Filter {
    ask: unsafe extern "C" fn(*mut c_void, *const c_char) -> i32,
    context: *mut c_void,
}

// SAFETY: the header says that a filter may be asked on several threads at once.
unsafe impl Send for Filter {}
// SAFETY: as above.
unsafe impl Sync for Filter {}

impl Filter {
    fn lets_pass(&self, person: &PersonId) -> bool {
        let id = c_string(person.as_str());
        // SAFETY: the search that was given the filter has not returned; the id lives as long as the call.
        unsafe { (self.ask)(self.context, id.as_ptr()) != 0 }
    }
}

unsafe fn search_options(options: *const facecore_search_options) -> Result<SearchOptions> {
    let options = read_options(options)?;
    let usual = SearchOptions::default();
    let reaches =
        [Reach::Auto, Reach::Exact, Reach::Nearest(options.reach_faces), Reach::Within { miss: options.reach_miss }];
    check_threshold(options.has_threshold, options.threshold)?;
    let wanted = SearchOptions {
        top_k: if options.top_k == 0 { usual.top_k } else { options.top_k },
        threshold: (options.has_threshold != 0).then_some(options.threshold),
        reach: choice(options.reach, &reaches, "reach")?,
        ..usual
    };
    let people = |first, count, name| -> Result<std::collections::HashSet<PersonId>> {
        Ok(texts(first, count, name)?.into_iter().map(PersonId::from).collect())
    };
    let among = match options.among.is_null() && options.among_count == 0 {
        true => None,
        false => Some(people(options.among, options.among_count, "list `among`")?),
    };
    let excluding = people(options.excluding, options.excluding_count, "list `excluding`")?;
    let filter = options.filter.map(|ask| Filter { ask, context: options.filter_context });
    if among.is_none() && excluding.is_empty() && filter.is_none() {
        return Ok(wanted);
    }
    Ok(wanted.only(move |person| {
        among.as_ref().is_none_or(|among| among.contains(person))
            && !excluding.contains(person)
            && filter.as_ref().is_none_or(|filter| filter.lets_pass(person))
    }))
}

/// The people whose best face is at least as near to the probe as the threshold, best first. `options` may be NULL.
///
/// Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`, `FACECORE_INVALID_ARGUMENT` if an option is
/// out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_search(
    namespace: *const facecore_namespace,
    probe: *const facecore_embedding,
    options: *const facecore_search_options,
    found: *mut *mut facecore_matches,
) -> i32 {
    guard(|| {
        let out = Out::new(found, "matches")?;
        out.give(matches(value(namespace)?.people().search(value(probe)?, &search_options(options)?)?));
        Ok(())
    })
}

/// Searches for `count` probes at once, which costs less than one at a time. `found` takes `count` lists, in the order of
/// the probes, each to be freed; on error none is written.
///
/// Errors: as `facecore_namespace_search`, for the whole batch, naming the first bad probe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_search_batch(
    namespace: *const facecore_namespace,
    probes: *const *const facecore_embedding,
    count: usize,
    options: *const facecore_search_options,
    found: *mut *mut facecore_matches,
) -> i32 {
    guard(|| {
        let namespace = value(namespace)?.people();
        if count > 0 && found.is_null() {
            return Err(null("array of matches"));
        }
        let probes = slice(probes, count, "probes")?.iter().map(|probe| value(*probe).cloned());
        let probes: Vec<Embedding> = probes.collect::<Result<_>>()?;
        let lists = namespace.search_batch(&probes, &search_options(options)?)?;
        if lists.len() != count {
            return Err(Error::new(ErrorKind::Internal, "there is not one answer for each probe"));
        }
        for (at, list) in lists.into_iter().enumerate() {
            found.add(at).write(boxed(matches(list)));
        }
        Ok(())
    })
}

/// Who this is: a list of the best match at or above the threshold of the probe's embedding space, or an empty one if it
/// is nobody enrolled here.
///
/// Errors: as `facecore_namespace_search`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_identify(
    namespace: *const facecore_namespace,
    probe: *const facecore_embedding,
    found: *mut *mut facecore_matches,
) -> i32 {
    guard(|| {
        let out = Out::new(found, "matches")?;
        let best = value(namespace)?.people().identify(value(probe)?)?;
        out.give(matches(best.into_iter().collect()));
        Ok(())
    })
}

/// Lets the `faces` nearest faces vote: those under the threshold are dropped, and the person with the most of the rest is
/// the answer; of several, the one with the nearest face. The list is empty if no face reaches the threshold. `options`
/// may be NULL; `top_k` has no meaning here.
///
/// Errors: as `facecore_namespace_search`, and `FACECORE_INVALID_ARGUMENT` if `faces` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_namespace_vote(
    namespace: *const facecore_namespace,
    probe: *const facecore_embedding,
    faces: usize,
    options: *const facecore_search_options,
    found: *mut *mut facecore_votes,
) -> i32 {
    guard(|| {
        let out = Out::new(found, "votes")?;
        let vote = value(namespace)?.people().vote(value(probe)?, faces, &search_options(options)?)?;
        out.give(vote.into_iter().map(|vote| (c_string(vote.person.as_str()), vote)).collect());
        Ok(())
    })
}

/// How many people match; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_matches_count(found: *const facecore_matches) -> usize {
    peek(found).map_or(0, Vec::len)
}

/// The match at `index`, from 0, the best first.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_matches_get(
    found: *const facecore_matches,
    index: usize,
    one: *mut facecore_match,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(one)?;
        let found = value(found)?;
        let (person, found) = found.get(index).ok_or_else(|| no_item("match", index, found.len()))?;
        out.write(&facecore_match {
            struct_size: 0,
            person: person.as_ptr(),
            score: found.score,
            has_probability: i32::from(found.probability.is_some()),
            probability: found.probability.unwrap_or(0.0),
            margin: found.margin,
            best_face: found.best.get(),
            hits: found.hits,
            reserved: 0,
        });
        Ok(())
    })
}

/// Frees the list. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_matches_free(found: *mut facecore_matches) {
    free(found);
}

/// How many answers there are, 0 or 1; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_votes_count(found: *const facecore_votes) -> usize {
    peek(found).map_or(0, Vec::len)
}

/// The answer at `index`, from 0.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_votes_get(
    found: *const facecore_votes,
    index: usize,
    one: *mut facecore_vote,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(one)?;
        let found = value(found)?;
        let (person, vote) = found.get(index).ok_or_else(|| no_item("vote", index, found.len()))?;
        out.write(&facecore_vote {
            struct_size: 0,
            person: person.as_ptr(),
            votes: vote.votes,
            voters: vote.voters,
            score: vote.score,
            best_face: vote.best.get(),
        });
        Ok(())
    })
}

/// Frees the list. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_votes_free(found: *mut facecore_votes) {
    free(found);
}
