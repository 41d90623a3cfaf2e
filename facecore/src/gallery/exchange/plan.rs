//! What a file wants, gathered and checked before anything is changed, and then done with one commit.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::{ImportFailure, ImportReport, Step, Teller};
use crate::embedding::EmbeddingSpace;
use crate::error::{Error, Result, fail};
use crate::gallery::change::{Editor, HIGHEST_FACE};
use crate::gallery::view::{View, check_fits, check_pin};
use crate::gallery::{FaceId, Metadata, NewFace, PersonId, Shared, Slot, person};

/// What a file holds, as far as it was read.
pub(super) struct Contents {
    /// By the name of the namespace.
    plans: BTreeMap<String, Plan>,
    /// What namespaces of the gallery are pinned to, so that faces that do not fit are refused one by one.
    known: BTreeMap<String, Pin>,
    /// How many dimensions faces have to have.
    dimension: Option<usize>,
    ids: HashSet<u64>,
    all_have_ids: bool,
    /// The lowest id that was never given out where the file was written, as far as it says so.
    next_face: Option<u64>,
    skip_errors: bool,
    failed: Vec<ImportFailure>,
}

type Pin = (EmbeddingSpace, usize);

/// What a file wants in one namespace.
#[derive(Default)]
struct Plan {
    pin: Option<Pin>,
    people: BTreeMap<PersonId, Planned>,
}

#[derive(Default)]
struct Planned {
    name: Option<String>,
    metadata: Option<Metadata>,
    faces: Vec<(Option<FaceId>, NewFace)>,
}

impl Contents {
    /// For a gallery: faces are to fit to what its namespaces hold now.
    pub fn new(shared: &Shared, skip_errors: bool) -> Self {
        let pin = |slot: &Slot| Some((slot.name.clone(), slot.view.load_full()?.pin()?));
        Contents {
            plans: BTreeMap::new(),
            known: shared.slots().iter().filter_map(|slot| pin(slot)).collect(),
            dimension: None,
            ids: HashSet::new(),
            all_have_ids: true,
            next_face: None,
            skip_errors,
            failed: Vec::new(),
        }
    }

    /// Faces are to have so many dimensions.
    #[cfg(feature = "exchange")]
    pub fn want(&mut self, dimension: Option<usize>) {
        self.dimension = dimension;
    }

    /// Whether it is the gallery, and not the file, that says what a namespace holds.
    pub fn is_pinned(&self, namespace: &str) -> bool {
        self.known.contains_key(namespace)
    }

    /// An item is bad: that is noted, or the end.
    pub fn refuse(&mut self, at: u64, person: Option<PersonId>, error: Error) -> Result<()> {
        if !self.skip_errors {
            return Err(error);
        }
        self.failed.push(ImportFailure { at, person, error });
        Ok(())
    }

    /// How many items were refused.
    #[cfg(feature = "exchange")]
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// No id below this one is to be given out.
    pub fn follow(&mut self, next_face: u64) {
        self.next_face = self.next_face.max(Some(next_face));
    }

    /// Whether there may be such a namespace, and embeddings of `pin` in it.
    pub fn check(&self, namespace: &str, pin: Option<(&EmbeddingSpace, usize)>) -> Result<()> {
        person::check_name("the name of a namespace", namespace)?;
        let Some((space, dimension)) = pin else { return Ok(()) };
        let planned = self.plans.get(namespace).and_then(|plan| plan.pin.as_ref());
        match self.known.get(namespace).or(planned) {
            Some((pinned, size)) => check_fits(namespace, (pinned, *size), space, dimension),
            None => check_pin(space, dimension),
        }
    }

    /// The plan of a namespace, made once it is known that it may be.
    fn plan(&mut self, namespace: &str, pin: Option<(&EmbeddingSpace, usize)>) -> Result<&mut Plan> {
        self.check(namespace, pin)?;
        let plan = self.plans.entry(namespace.to_owned()).or_default();
        if plan.pin.is_none() {
            plan.pin = pin.map(|(space, dimension)| (space.clone(), dimension));
        }
        Ok(plan)
    }

    /// A namespace is there, and pinned if `pin` says to what.
    pub fn namespace(&mut self, namespace: &str, pin: Option<(&EmbeddingSpace, usize)>) -> Result<()> {
        self.plan(namespace, pin).map(drop)
    }

    /// A person is there, with a name and metadata if they are not `None`.
    pub fn person(
        &mut self,
        namespace: &str,
        id: PersonId,
        name: Option<String>,
        metadata: Option<Metadata>,
    ) -> Result<()> {
        id.check()?;
        let planned = self.plan(namespace, None)?.people.entry(id).or_default();
        planned.name = name.or(planned.name.take());
        planned.metadata = metadata.or(planned.metadata.take());
        Ok(())
    }

    /// A person, and a face that is theirs.
    pub fn face(
        &mut self,
        namespace: &str,
        id: PersonId,
        name: Option<String>,
        face: Option<FaceId>,
        new: NewFace,
    ) -> Result<()> {
        id.check()?;
        if let Some(face) = face.filter(|face| self.ids.contains(&face.get())) {
            fail!(GalleryCorrupt, "face {face} was there before");
        }
        let dimension = new.embedding.dimension();
        if let Some(wanted) = self.dimension.filter(|wanted| *wanted != dimension) {
            fail!(DimensionMismatch, "it has {dimension} dimensions, where {wanted} are wanted");
        }
        let plan = self.plan(namespace, Some((new.embedding.space(), dimension)))?;
        let planned = plan.people.entry(id).or_default();
        planned.name = name.or(planned.name.take());
        planned.faces.push((face, new));
        self.all_have_ids &= face.is_some();
        self.ids.extend(face.map(FaceId::get));
        Ok(())
    }

    /// Does all of it with one commit.
    pub fn store(self, shared: &Arc<Shared>, teller: &mut Teller<'_>) -> Result<ImportReport> {
        let range = self.ids.iter().min().copied().zip(self.ids.iter().max().copied());
        let items = |planned: &Planned| 1 + planned.faces.len() as u64;
        teller.begin(Step::Storing, self.plans.values().flat_map(|plan| plan.people.values()).map(items).sum())?;
        let mut upkeep = shared.lock()?;
        let mut change = shared.begin(&mut upkeep)?;
        let free = range
            .filter(|(lowest, highest)| self.all_have_ids && *lowest >= change.next_face && *highest < HIGHEST_FACE);
        if let Some((_, highest)) = free {
            change.next_face = highest + 1;
        }
        // A file that has come further with its ids is not followed: ids must stay below 2^53.
        change.next_face = change.next_face.max(self.next_face.filter(|next| *next <= HIGHEST_FACE).unwrap_or(0));

        let mut report = ImportReport { kept_ids: free.is_some(), failed: self.failed, ..ImportReport::default() };
        let mut made = Vec::new();
        for (name, plan) in self.plans {
            let slot = match shared.slot(&name) {
                Some(slot) => slot,
                None => {
                    let view = View { number: change.add_namespace(&name)?, ..View::default() };
                    let slot = Arc::new(Slot { name, view: ArcSwapOption::from_pointee(view) });
                    made.push(slot.clone());
                    slot
                }
            };
            plan.apply(&mut change.of(&slot)?, &mut report, teller)?;
        }
        teller.end()?;
        shared.commit(change, &mut upkeep)?;
        made.into_iter().for_each(|slot| shared.insert_slot(slot));
        shared.keep_up(&mut upkeep);
        Ok(report)
    }
}

impl Plan {
    fn apply(self, editor: &mut Editor<'_, '_>, report: &mut ImportReport, teller: &mut Teller<'_>) -> Result<()> {
        if let Some((space, dimension)) = &self.pin {
            editor.pin_if_free(space, *dimension)?;
        }
        for (id, planned) in self.people {
            let (number, is_new) = editor.ensure_person(&id)?;
            report.persons += usize::from(is_new);
            if planned.name.is_some() {
                editor.set_name(id.as_str(), planned.name.as_deref())?;
            }
            if let Some(metadata) = &planned.metadata {
                editor.set_metadata(id.as_str(), metadata)?;
            }
            for (face, new) in &planned.faces {
                let added = editor.insert(number, new, face.filter(|_| report.kept_ids))?;
                *(if added.is_new { &mut report.faces } else { &mut report.duplicates }) += 1;
            }
            teller.add(1 + planned.faces.len() as u64)?;
        }
        Ok(())
    }
}
