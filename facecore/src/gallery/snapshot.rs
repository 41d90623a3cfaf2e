//! Snapshots: what searches need, written to files that are mapped when the gallery is opened again.
//!
//! A snapshot is a manifest and the segment files it names. All of it is derived from the store: what is
//! missing, damaged or of another gallery is built anew, and what changed since is replayed from the store's
//! log. Files are written whole under names never used before, and become valid by the manifest, which
//! replaces the one before; then files that it does not name are removed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::change::pin_of;
use super::upkeep::{Saving, Wish};
use super::view::{Delta, Pinned, Placed, View};
use super::{IndexKind, PersonId, Shared};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::index::Index as _;
use crate::index::flat::{Part, Segment, SharedBytes};
use crate::index::hnsw::{Graph, Hnsw};
use crate::store::Read;
use crate::store::folder::Folder;
use crate::store::schema::{NamespaceRow, Rows};
use crate::store::sections::{self, Sections};

const MANIFEST: &str = "manifest";
const MANIFEST_KIND: [u8; 8] = *b"fc-index";
const SEGMENT_KIND: [u8; 8] = *b"fc-faces";
const GRAPH_KIND: [u8; 8] = *b"fc-graph";
/// How the names of graphs' files end.
const GRAPH_SUFFIX: &str = ".graph";

/// Segments of more rows are not merged with newer ones, but by compaction.
const MERGED_UP_TO: usize = 16_384;

#[derive(Serialize, Deserialize)]
struct Manifest {
    /// The gallery's random id, in hexadecimal.
    gallery: String,
    /// The commit that this is a snapshot of.
    sequence: u64,
    /// Namespaces from this number on were made later.
    next_namespace: u32,
    layout: u32,
    namespaces: Vec<ManifestNamespace>,
}

/// In the manifest's sections a namespace has its directory, and then the dead rows of each segment.
#[derive(Serialize, Deserialize)]
struct ManifestNamespace {
    number: u32,
    dimension: usize,
    files: Vec<String>,
    /// The file of the graph, if there is one. Older versions wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graph: Option<String>,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct SegmentHeader {
    gallery: String,
    namespace: u32,
    dimension: usize,
    layout: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct GraphHeader {
    gallery: String,
    namespace: u32,
    layout: u32,
    /// The files of the segments that it covers.
    files: Vec<String>,
}

impl View {
    /// The same faces, all in segments.
    pub fn sealed(&self) -> View {
        let mut view = self.clone();
        if let Some(pinned) = &mut view.pinned {
            pinned.index.seal();
            pinned.files.resize(pinned.index.flat().segments().len(), None);
        }
        view
    }

    /// The same without a graph if none is wanted.
    fn choosing(mut self, kind: IndexKind) -> View {
        if let Some(pinned) = &mut self.pinned {
            pinned.index.keep_only(kind.choose(pinned.index.len(), pinned.index.kind()).index);
        }
        self
    }

    /// Whether searches do without a graph that they should have.
    fn lacks_graph(&self, shared: &Shared) -> bool {
        let index = self.pinned.as_ref().map(|pinned| &pinned.index).filter(|index| index.may_cover());
        index.is_some_and(|index| shared.options.index.choose(index.len(), index.kind()).index != index.kind())
    }

    /// Makes fewer segments of those there are, sees to their graph, and in a folder has all in files.
    pub fn tidy(&mut self, wish: &Wish, gallery: &str, folder: Option<&Folder>, next_file: &AtomicU64) -> Result<()> {
        let Some(pinned) = &mut self.pinned else { return Ok(()) };
        let dimension = pinned.index.dimension();
        let header =
            SegmentHeader { gallery: gallery.to_owned(), namespace: self.number, dimension, layout: Segment::LAYOUT };
        let maker = Maker { folder, next_file, header };
        let before = pinned.index.clone();
        match wish.whole {
            true => pinned.merge_all(&maker)?,
            false => pinned.merge_small(&maker)?,
        }
        pinned.tidied = pinned.files.len();
        pinned.cover(&before, wish, &maker)
    }
}

/// Who makes segments: in a folder files that are mapped, else in memory.
struct Maker<'a> {
    folder: Option<&'a Folder>,
    next_file: &'a AtomicU64,
    header: SegmentHeader,
}

impl Maker<'_> {
    /// A segment, and its file's name.
    fn make(&self, part: Part<'_>) -> Result<(Segment, Option<Arc<str>>)> {
        let Some(folder) = self.folder else { return Ok((part.segment(), None)) };
        let name: Arc<str> = format!("{}.faces", self.next_file.fetch_add(1, Ordering::Relaxed)).into();
        let path = folder.index_file(&name);
        sections::write(&path, SEGMENT_KIND, &to_json(&self.header)?, Segment::COLUMNS, |at, out| part.write(at, out))?;
        Ok((open_segment(path, &self.header)?, Some(name)))
    }

    /// The index's graph in a file, and that file's name; `files` has the names of all segments'.
    fn save_graph(&self, folder: &Folder, index: &Hnsw, files: &[String]) -> Result<Option<(Graph, Arc<str>)>> {
        let Some(graph) = index.graph() else { return Ok(None) };
        let name: Arc<str> = format!("{}{GRAPH_SUFFIX}", self.next_file.fetch_add(1, Ordering::Relaxed)).into();
        let path = folder.index_file(&name);
        let SegmentHeader { ref gallery, namespace, .. } = self.header;
        let covers = files.iter().take(graph.covers().len()).cloned().collect();
        let header = GraphHeader { gallery: gallery.clone(), namespace, layout: Graph::LAYOUT, files: covers };
        let columns = graph.columns();
        sections::write(&path, GRAPH_KIND, &to_json(&header)?, columns.len(), |at, out| out.write_all(columns[at]))?;
        Ok(Some((open_graph(path, &self.header, files, index)?, name)))
    }
}

impl Pinned {
    fn file_names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().chain([&self.graph_file]).flatten().map(|name| &**name)
    }

    /// Makes a graph if one is wanted and the one there is does not do, from that of `before`; and sees that it is in a
    /// file.
    fn cover(&mut self, before: &Hnsw, wish: &Wish, maker: &Maker<'_>) -> Result<()> {
        // `before`, as a graph over segments that were merged is gone from this one.
        let kind = wish.kind.choose(self.index.len(), before.kind()).index;
        self.index.cover(kind, before, wish.stop);
        let is_the_same = match (self.index.graph(), before.graph()) {
            (Some(now), Some(then)) => Arc::ptr_eq(now, then),
            _ => false,
        };
        if !is_the_same {
            self.graph_file = None;
        }
        if let (Some(folder), None) = (maker.folder, &self.graph_file) {
            let files: Vec<String> = self.files.iter().flatten().map(|name| name.to_string()).collect();
            if let Some((graph, file)) = maker.save_graph(folder, &self.index, &files)? {
                self.index.set_graph(graph)?;
                self.graph_file = Some(file);
            }
        }
        Ok(())
    }

    fn merge_all(&mut self, maker: &Maker<'_>) -> Result<()> {
        let segments = self.files.len();
        if segments > 1 || self.is_due(0..segments, maker) { self.merge(0..segments, maker) } else { Ok(()) }
    }

    /// Merges the newest segments as long as the one before them is small and not much larger, so that there are
    /// few and each row is copied few times; and rewrites segments in which nearly a third of the rows is dead.
    fn merge_small(&mut self, maker: &Maker<'_>) -> Result<()> {
        let rows: Vec<usize> = self.index.flat().segments().map(Segment::len).collect();
        let (mut start, mut live) = (rows.len(), 0usize);
        let live_in = |at: usize| rows[at] - self.index.flat().dead(at);
        while start > 0 && (start > self.tidied || live_in(start - 1) <= live.saturating_mul(2).min(MERGED_UP_TO)) {
            start -= 1;
            live += live_in(start);
        }
        let sparse: Vec<usize> = (0..start).filter(|at| self.index.flat().dead(*at) * 10 > rows[*at] * 3).collect();
        if rows.len() - start > 1 || self.is_due(start..rows.len(), maker) {
            self.merge(start..rows.len(), maker)?;
        }
        // From the end, so that the numbers of those before stay right.
        sparse.into_iter().rev().try_for_each(|at| self.merge(at..at + 1, maker))
    }

    /// Whether something of `range` was removed, or belongs into a file and is not in one.
    fn is_due(&self, mut range: Range<usize>, maker: &Maker<'_>) -> bool {
        range.any(|at| self.index.flat().dead(at) > 0 || maker.folder.is_some() && self.files[at].is_none())
    }

    fn merge(&mut self, range: Range<usize>, maker: &Maker<'_>) -> Result<()> {
        let mut files = Vec::new();
        self.index.merge(range.clone(), |part| {
            let (segment, file) = maker.make(part)?;
            files.push(file);
            Ok(segment)
        })?;
        self.files.splice(range, files);
        Ok(())
    }
}

impl Saving {
    /// The files that the snapshot consists of.
    pub fn file_names(&self) -> Vec<&str> {
        let pinned = self.views().filter_map(|view| view.pinned.as_ref());
        pinned.flat_map(Pinned::file_names).chain([MANIFEST]).collect()
    }
}

/// Makes the snapshot valid.
pub(super) fn write_manifest(folder: &Folder, saving: &Saving) -> Result<()> {
    let mut manifest = Manifest {
        gallery: saving.gallery.clone(),
        sequence: saving.sequence,
        next_namespace: saving.next_namespace,
        layout: Segment::LAYOUT,
        namespaces: Vec::new(),
    };
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for view in saving.views() {
        parts.push(directory_bytes(view));
        let mut entry = ManifestNamespace { number: view.number, dimension: 0, files: Vec::new(), graph: None };
        if let Some(pinned) = &view.pinned {
            entry.dimension = pinned.index.dimension();
            entry.files = pinned.files.iter().flatten().map(|name| name.to_string()).collect();
            entry.graph = pinned.graph_file.as_ref().map(|name| name.to_string());
            parts.extend((0..pinned.files.len()).map(|at| pinned.index.flat().dead_rows(at)));
        }
        manifest.namespaces.push(entry);
    }
    sections::write(&folder.index_file(MANIFEST), MANIFEST_KIND, &to_json(&manifest)?, parts.len(), |at, out| {
        out.write_all(&parts[at])
    })
}

/// For each person: number (u32), length of the id (u16), both little endian, and the id.
fn directory_bytes(view: &View) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, person) in view.directory.iter() {
        bytes.extend(number.to_le_bytes());
        bytes.extend((person.len() as u16).to_le_bytes());
        bytes.extend(person.as_bytes());
    }
    bytes
}

fn read_directory(mut bytes: &[u8], view: &mut View) -> Result<()> {
    let damaged = || Error::new(ErrorKind::GalleryCorrupt, "the list of persons is malformed");
    while let Some((head, rest)) = bytes.split_first_chunk::<6>() {
        let number = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let (person, rest) =
            rest.split_at_checked(u16::from_le_bytes([head[4], head[5]]).into()).ok_or_else(damaged)?;
        let person = std::str::from_utf8(person).map_err(|_| damaged())?;
        view.directory.set(number, Some(&PersonId::from(person)));
        bytes = rest;
    }
    if bytes.is_empty() { Ok(()) } else { Err(damaged()) }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::new(ErrorKind::Internal, error.to_string()).with_source(error))
}

fn from_json<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(ErrorKind::GalleryCorrupt, format!("malformed header: {error}")).with_source(error))
}

pub(super) fn gallery_id(read: &dyn Read) -> Result<String> {
    Ok(format!("{:032x}", Rows(read).gallery()?))
}

fn open_segment(path: PathBuf, expected: &SegmentHeader) -> Result<Segment> {
    let sections = Sections::open(&path, SEGMENT_KIND)?;
    if from_json::<SegmentHeader>(sections.header())? != *expected {
        fail!(GalleryCorrupt, "{} is of another gallery, namespace or version", path.display());
    }
    Segment::from_columns(expected.dimension, columns_of(&sections)).context_with(|| path.display().to_string())
}

/// The stored graph of an index whose segments are in `files`.
fn open_graph(path: PathBuf, of: &SegmentHeader, files: &[String], index: &Hnsw) -> Result<Graph> {
    let sections = Sections::open(&path, GRAPH_KIND)?;
    let header: GraphHeader = from_json(sections.header())?;
    let of = (&of.gallery, of.namespace, Graph::LAYOUT);
    if (&header.gallery, header.namespace, header.layout) != of || !files.starts_with(&header.files) {
        fail!(GalleryCorrupt, "{} is of other faces or of another version", path.display());
    }
    let covers = index.flat().segments().take(header.files.len()).cloned().collect();
    Graph::from_columns(covers, columns_of(&sections)).context_with(|| path.display().to_string())
}

fn columns_of(sections: &Sections) -> Vec<SharedBytes> {
    let sections = (0..sections.count()).filter_map(|at| sections.section(at));
    sections.map(|section| SharedBytes::new(Arc::new(section))).collect()
}

/// Fills the gallery's namespaces: from the snapshot as far as there is one, and else from the store. A
/// snapshot that is damaged, or would be long in replaying, is replaced at once.
pub(super) fn load(shared: &Shared) -> Result<()> {
    let Some(folder) = &shared.folder else { return Ok(()) };
    let mut upkeep = shared.hold_still();
    let read = shared.store.read()?;
    let rows = Rows(&*read);
    let mut snapshot = match read_snapshot(folder, rows) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            upkeep.distrust("the gallery", &error);
            None
        }
    };
    for (name, row) in rows.namespace_entries()? {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                tracing::error!("not opened: {error}");
                continue;
            }
        };
        let view = match snapshot.as_mut().map(|snapshot| snapshot.bring_up(rows, &row)) {
            Some(Ok((view, changes))) => {
                upkeep.committed_before(changes);
                view
            }
            Some(Err(error)) => {
                upkeep.distrust(&format!("namespace `{name}`"), &error);
                rebuild(rows, &row)?
            }
            None => {
                let view = rebuild(rows, &row)?;
                upkeep.committed_before(view.faces());
                view
            }
        };
        shared.add_slot(&name, view.choosing(shared.options.index));
    }
    drop(read);
    if !shared.options.read_only {
        shared.keep_up_at_once(&mut upkeep);
        if shared.slots().iter().any(|slot| slot.view.load().as_ref().is_some_and(|view| view.lacks_graph(shared))) {
            upkeep.lacks_graph();
        }
    }
    Ok(())
}

/// What a manifest describes.
struct Snapshot {
    next_namespace: u32,
    namespaces: BTreeMap<u32, Result<View>>,
    /// What changed since, by namespace.
    log: BTreeMap<u32, Changed>,
}

#[derive(Default)]
struct Changed {
    faces: BTreeSet<u64>,
    persons: BTreeSet<u32>,
}

fn read_snapshot(folder: &Folder, rows: Rows<'_>) -> Result<Option<Snapshot>> {
    let path = folder.index_file(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let sections = Sections::open(&path, MANIFEST_KIND)?;
    let manifest: Manifest = from_json(sections.header())?;
    let gallery = format!("{:032x}", rows.gallery()?);
    if manifest.gallery != gallery || manifest.layout != Segment::LAYOUT {
        fail!(GalleryCorrupt, "{} is of another gallery or version", path.display());
    }
    // Older, and the log does not reach back; newer, and the store was put back to an older state.
    if !(rows.snapshot()?..=rows.sequence()?).contains(&manifest.sequence) {
        fail!(GalleryCorrupt, "{} is of another time than the store", path.display());
    }
    let mut log: BTreeMap<u32, Changed> = BTreeMap::new();
    for (_, change) in rows.log_since(manifest.sequence)? {
        let changed = log.entry(change.namespace).or_default();
        changed.faces.extend(change.faces);
        changed.persons.extend(change.persons);
    }
    let mut parts = columns_of(&sections).into_iter();
    let mut namespaces = BTreeMap::new();
    for entry in manifest.namespaces {
        let parts: Vec<_> = parts.by_ref().take(1 + entry.files.len()).collect();
        let Some((directory, dead)) = parts.split_first() else {
            fail!(GalleryCorrupt, "{} lacks a part", path.display());
        };
        let number = entry.number;
        let dead: Vec<&[u8]> = dead.iter().map(|part| &**part).collect();
        namespaces.insert(number, entry.load(folder, &gallery, directory, &dead));
    }
    Ok(Some(Snapshot { next_namespace: manifest.next_namespace, namespaces, log }))
}

impl ManifestNamespace {
    fn load(self, folder: &Folder, gallery: &str, directory: &[u8], dead: &[&[u8]]) -> Result<View> {
        let mut view = View { number: self.number, ..View::default() };
        read_directory(directory, &mut view)?;
        if self.dimension == 0 {
            return Ok(view);
        }
        let header = SegmentHeader {
            gallery: gallery.to_owned(),
            namespace: self.number,
            dimension: self.dimension,
            layout: Segment::LAYOUT,
        };
        let mut index = Hnsw::new(self.dimension);
        for (file, dead) in self.files.iter().zip(dead) {
            index.push_segment(open_segment(index_file(folder, file)?, &header)?, dead)?;
        }
        let graph = self.graph.as_ref().map(|file| {
            index.set_graph(open_graph(index_file(folder, file)?, &header, &self.files, &index)?)?;
            Ok(Arc::from(&**file))
        });
        // Searches do without a graph until it is made anew.
        let graph_file = graph.transpose().unwrap_or_else(|error: Error| {
            tracing::warn!("the graph of a namespace is built anew: {error}");
            None
        });
        // The space is the store's to tell.
        let files = self.files.into_iter().map(|file| Some(file.into())).collect();
        Ok(View { pinned: Some(Pinned::without_space(index, files, graph_file)), ..view })
    }
}

/// A file of the index that a manifest names.
fn index_file(folder: &Folder, name: &str) -> Result<PathBuf> {
    // A name that leads elsewhere is not ours.
    if name.contains(['/', '\\']) {
        fail!(GalleryCorrupt, "`{name}` is no name of a file of an index");
    }
    Ok(folder.index_file(name))
}

impl Snapshot {
    /// A namespace as it is in the store, and how many changes that took.
    fn bring_up(&mut self, rows: Rows<'_>, row: &NamespaceRow) -> Result<(View, usize)> {
        let view = self.take(row.number)?;
        let delta = self.replay(rows, row)?;
        Ok((view.after(&delta), delta.faces.len() + delta.persons.len()))
    }

    /// The namespace as of the snapshot: empty if it was made later.
    fn take(&mut self, number: u32) -> Result<View> {
        match self.namespaces.remove(&number) {
            Some(view) => view,
            None if number >= self.next_namespace => Ok(View { number, ..View::default() }),
            None => fail!(GalleryCorrupt, "it is not in the snapshot, and should be"),
        }
    }

    /// What brings a namespace from the snapshot to where the store is.
    fn replay(&self, rows: Rows<'_>, row: &NamespaceRow) -> Result<Delta> {
        let (number, pin, known_below) = (row.number, pin_of(row), u64::MAX);
        let mut delta = Delta { number, pin, known_below, ..Delta::default() };
        let Some(changed) = self.log.get(&row.number) else { return Ok(delta) };
        for number in &changed.persons {
            delta.persons.insert(*number, named(rows, row.number, *number)?);
        }
        for face in &changed.faces {
            delta.faces.insert(*face, placed(rows, row, *face)?);
        }
        Ok(delta)
    }
}

/// The files of the snapshot that cannot be trusted, and why. They are replaced when the gallery is opened.
pub(super) fn damaged_files(folder: &Folder) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for name in folder.index_files()? {
        let kind = match &*name {
            MANIFEST => MANIFEST_KIND,
            name if name.ends_with(GRAPH_SUFFIX) => GRAPH_KIND,
            _ => SEGMENT_KIND,
        };
        if let Err(error) = Sections::open(&folder.index_file(&name), kind) {
            problems.push(error.to_string());
        }
    }
    Ok(problems)
}

/// Everything of a namespace from the store. A damaged face is left out, with a warning.
pub(super) fn rebuild(rows: Rows<'_>, row: &NamespaceRow) -> Result<View> {
    let mut view = View { number: row.number, ..View::default() };
    for found in rows.numbers(row.number)? {
        match found {
            Ok((number, _)) => view.directory.set(number, named(rows, row.number, number)?.as_ref()),
            Err(error) if error.kind() == ErrorKind::GalleryCorrupt => tracing::warn!("left out of searches: {error}"),
            Err(error) => return Err(error),
        }
    }
    view = view.after(&Delta { number: row.number, pin: pin_of(row), ..Delta::default() });
    if let Some(pinned) = &mut view.pinned {
        for (face, _) in rows.faces_of_namespace(row.number)? {
            if let Some(Placed { owner, values }) = placed(rows, row, face)? {
                pinned.index.insert(face, owner, &values);
            }
        }
    }
    Ok(view)
}

/// The person that has a number. That is said twice in the store; one that is said once only is left out, with a
/// warning.
fn named(rows: Rows<'_>, namespace: u32, number: u32) -> Result<Option<PersonId>> {
    let Some(id) = rows.person_id(namespace, number)? else { return Ok(None) };
    match rows.person(namespace, &id) {
        Ok(Some(row)) if row.number == number => Ok(Some(PersonId::from(id))),
        Ok(_) => {
            tracing::warn!("left out of searches: who has number {number} is damaged");
            Ok(None)
        }
        // It is the person's name or metadata that cannot be read.
        Err(error) if error.kind() == ErrorKind::GalleryCorrupt => {
            tracing::warn!("{error}");
            Ok(Some(PersonId::from(id)))
        }
        Err(error) => Err(error),
    }
}

/// What the store has of a face, if it is in this namespace and can be read.
fn placed(rows: Rows<'_>, namespace: &NamespaceRow, face: u64) -> Result<Option<Placed>> {
    match rows.face(face) {
        Ok(Some(row)) if row.namespace == namespace.number && row.values.len() == namespace.dimension as usize => {
            Ok(Some(Placed { owner: row.person, values: row.values }))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::GalleryCorrupt => {
            tracing::warn!("left out of searches: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
