//! Packs from folders and archives, for machines without a network.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::cache::{Packs, RECORD, stays_inside};
use super::report::Listener;
use super::staging::{Staging, write};
use super::tree::{Copied, Tree, TreeFile, sha256_of};
use super::{Checksum, InstallOptions, InstalledFile, InstalledPack, KnownFile, KnownPack, Part, names, selftest};
use crate::error::{Context, ErrorKind, Result, fail};
use crate::model::{LicenceClass, MANIFEST, Outline, Pack, licence_in_words};

/// What a folder or an archive was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundPack {
    /// The name under which it is installed.
    pub name: String,
    /// Its version, as its makers count.
    pub version: String,
    /// Under which terms its weights may be used.
    pub licence: String,
    /// What the licence allows.
    pub licence_class: LicenceClass,
}

/// What is to be installed, and from which files of a tree.
pub(super) struct Plan {
    name: String,
    version: String,
    licence: String,
    licence_class: LicenceClass,
    files: Vec<PlannedFile>,
    source: Source,
}

struct PlannedFile {
    part: Part,
    /// Its path in the tree.
    path: String,
    /// Its path in the pack.
    name: String,
    known: Option<&'static KnownFile>,
}

/// Who says what is to be known of the models.
enum Source {
    Known(&'static KnownPack),
    Manifest { text: String, declares: Vec<bool> },
}

impl Packs {
    /// What [`Packs::import`] would install from a folder or a zip archive, so that its licence can be shown.
    ///
    /// Errors as [`Packs::import`] does, where it does so before it copies anything.
    pub fn find_in(&self, from: impl AsRef<Path>, name: Option<&str>) -> Result<FoundPack> {
        let Plan { name, version, licence, licence_class, .. } = plan(&mut Tree::open(from.as_ref())?, name)?;
        Ok(FoundPack { name, version, licence, licence_class })
    }

    /// Installs a pack from a folder or a zip archive: one with `pack.toml`, or files that are recognised by the names
    /// that insightface and OpenCV give them, in any folder within. Other files are not kept. A pack that is
    /// installed under the same name is replaced once the new one has passed its self-test.
    ///
    /// `name` says which pack it is, where the files do not, or under which name a pack with `pack.toml` is kept.
    /// `listener` hears of progress, and says whether to go on.
    ///
    /// Errors with `LicenceRefused` if the licence is not accepted or the policy forbids it; `ModelNotFound` if there is
    /// nothing, or no pack in it; `InvalidArgument` if there are several; `ArchiveInvalid` if the archive is damaged or
    /// hostile; `ChecksumMismatch` if a file is another than the known pack's; `Cancelled`; `Io`, such as for a full
    /// disk; and as [`Pack::from_folder`] and [`Packs::verify`] do if the models do not work. Then the cache is as it was.
    pub fn import(
        &self,
        from: impl AsRef<Path>,
        name: Option<&str>,
        options: &InstallOptions,
        listener: &mut Listener,
    ) -> Result<InstalledPack> {
        let from = from.as_ref();
        let mut tree = Tree::open(from)?;
        let plan = plan(&mut tree, name).context_with(|| from.display().to_string())?;
        self.agree(&plan.name, &plan.licence, plan.licence_class, options)?;
        let staging = Staging::begin(self, &plan.name, listener)?;
        let origin = from.canonicalize().unwrap_or_else(|_| from.to_path_buf()).display().to_string();
        let provenance = Provenance { origin, archive_sha256: tree.archive_sha256()?, before: Vec::new() };
        install(&staging, &mut tree, plan, provenance, options, listener)
    }

    /// Errors with `LicenceRefused` if the policy forbids the licence, or nobody accepted it.
    pub(super) fn agree(&self, name: &str, licence: &str, class: LicenceClass, options: &InstallOptions) -> Result<()> {
        self.policy().check(name, licence, class)?;
        if options.accept_licence {
            return Ok(());
        }
        fail!(
            LicenceRefused,
            "the licence of the pack {name} was not accepted: {}. Read it, and accept it if you keep to it: \
             --accept-license on the command line, accept_licence in the library",
            licence_in_words(licence)
        );
    }
}

/// Where the files of a pack come from, and what was installed before.
pub(super) struct Provenance {
    pub origin: String,
    pub archive_sha256: Option<String>,
    /// What recorded checksums the files are held to: names and SHA-256.
    pub before: Vec<(String, String)>,
}

/// Copies what was planned beside the cache, tests it, and puts it in its place.
pub(super) fn install(
    staging: &Staging,
    tree: &mut Tree,
    plan: Plan,
    provenance: Provenance,
    options: &InstallOptions,
    listener: &mut Listener,
) -> Result<InstalledPack> {
    let Plan { name, version, licence, licence_class, files: planned, source } = plan;
    let folder = staging.new_folder()?;
    let mut files = Vec::new();
    for (at, file) in planned.iter().enumerate() {
        let copied = tree.copy(&file.path, &folder.join(&file.name), listener)?;
        let checksum = match (&source, file.known) {
            (_, Some(known)) => hold_to_catalogue(known, &copied)?,
            (Source::Manifest { declares, .. }, _) if declares[at] => Checksum::Declared,
            _ => Checksum::Recorded,
        };
        let Copied { bytes, sha256 } = copied;
        files.push(InstalledFile { part: file.part, name: file.name.clone(), bytes, sha256, checksum });
    }
    hold_to_before(&provenance.before, &files, &name)?;
    let manifest = match &source {
        Source::Known(known) => known.manifest(&files.iter().map(|file| file.sha256.clone()).collect::<Vec<_>>()),
        Source::Manifest { text, .. } => text.clone(),
    };
    let manifest_sha256 = write_manifest(&folder, &manifest)?;
    let pack = Pack::from_folder(&folder)?;
    selftest::run(&pack, &name, &options.runtime, listener).context_with(|| name.clone())?;
    drop(pack);
    let installed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let Provenance { origin, archive_sha256, .. } = provenance;
    staging.publish(InstalledPack {
        name,
        version,
        licence,
        licence_class,
        origin,
        archive_sha256,
        installed,
        files,
        manifest_sha256,
        folder,
    })
}

/// Writes `pack.toml`; gives its SHA-256.
fn write_manifest(folder: &Path, manifest: &str) -> Result<String> {
    let path = folder.join(MANIFEST);
    write(&path, manifest.as_bytes())?;
    sha256_of(&path)
}

/// Holds a file to what is known of it for certain.
fn hold_to_catalogue(known: &KnownFile, copied: &Copied) -> Result<Checksum> {
    let Some(sha256) = known.sha256 else { return Ok(Checksum::Recorded) };
    if copied.sha256 != sha256 {
        fail!(
            ChecksumMismatch,
            "{} is another file than the known one: its SHA-256 is {} with {} bytes, not {sha256} with {}; the known one \
             is at {}, and a pack.toml beside this one makes it a pack of your own (docs/packs.md)",
            known.name,
            copied.sha256,
            copied.bytes,
            known.bytes.unwrap_or_default(),
            known.urls.first().copied().unwrap_or_default()
        );
    }
    Ok(Checksum::Pinned)
}

/// Holds files to what was recorded when the pack was installed before.
fn hold_to_before(before: &[(String, String)], files: &[InstalledFile], pack: &str) -> Result<()> {
    for file in files {
        if let Some((_, then)) = before.iter().find(|(name, _)| *name == file.name)
            && !then.eq_ignore_ascii_case(&file.sha256)
        {
            fail!(
                ChecksumMismatch,
                "{} is another file than when {pack} was first installed: its SHA-256 is {}, {then} was recorded; if \
                 that is meant, remove the pack before",
                file.name,
                file.sha256
            );
        }
    }
    Ok(())
}

/// Finds out what a tree holds.
fn plan(tree: &mut Tree, name: Option<&str>) -> Result<Plan> {
    if let Some(name) = name {
        names::check(name)?;
    }
    let files = tree.files();
    match (manifest_of(&files)?, name) {
        // A known pack is what is known of it, whatever somebody wrote beside its files.
        (Some(path), name) => {
            let text = tree.text(&path)?;
            let outline = Pack::outline(&text).context_with(|| path.clone())?;
            let name = name.unwrap_or(&outline.name).to_owned();
            if let Some(known) = KnownPack::named(&name) {
                return plan_known(known, tree)
                    .context_with(|| format!("{name} is the name of a known pack, and yours needs another (--name)"));
            }
            if path != MANIFEST {
                refuse_others(&name, &path, &files, &tree.stem())?;
            }
            manifest_plan(name, &path, text, outline, &files)
        }
        (None, name) => recognised(&files, &tree.stem(), name),
    }
}

/// Errors with `InvalidArgument` if there are known packs outside the folder of the manifest at `path`.
fn refuse_others(name: &str, path: &str, files: &[TreeFile], stem: &str) -> Result<()> {
    let outside: Vec<TreeFile> = files.iter().filter(|file| !file.path.starts_with(folder_of(path))).cloned().collect();
    match recognised(&outside, stem, None) {
        Ok(other) => {
            fail!(InvalidArgument, "there are several packs ({name}, {}); name the folder of one", other.name)
        }
        Err(error) if error.kind() == ErrorKind::InvalidArgument => Err(error),
        Err(_) => Ok(()),
    }
}

/// The models of a known pack in a tree that is said to have them.
pub(super) fn plan_known(known: &'static KnownPack, tree: &Tree) -> Result<Plan> {
    Ok(plan_of(known, paths_of(known, &tree.files(), &tree.stem())?))
}

/// The `pack.toml` of the tree, if there is one: the one nearest to its root.
fn manifest_of(files: &[TreeFile]) -> Result<Option<String>> {
    let depth = |path: &str| path.matches('/').count();
    let is_manifest = |path: &str| path == MANIFEST || path.ends_with(&format!("/{MANIFEST}"));
    let all: Vec<&str> = files.iter().map(|file| file.path.as_str()).filter(|path| is_manifest(path)).collect();
    let Some(nearest) = all.iter().map(|path| depth(path)).min() else { return Ok(None) };
    match all.iter().filter(|path| depth(path) == nearest).collect::<Vec<_>>()[..] {
        [one] => Ok(Some((*one).to_owned())),
        _ => fail!(InvalidArgument, "there are several packs ({}); name the folder of one", all.join(", ")),
    }
}

fn manifest_plan(name: String, path: &str, text: String, outline: Outline, files: &[TreeFile]) -> Result<Plan> {
    if let Err(error) = names::check(&name) {
        return Err(error.context("the pack's own name cannot be that of an installed one; give it another"));
    }
    let folder = path.strip_suffix(MANIFEST).unwrap_or_default();
    let (mut planned, mut declares) = (Vec::new(), Vec::new());
    for (part, file, sha256) in outline.files {
        if !stays_inside(&file) {
            fail!(PackInvalid, "the file `{file}` is not inside the pack's folder");
        }
        if [MANIFEST, RECORD].iter().any(|ours| file.eq_ignore_ascii_case(ours)) {
            fail!(PackInvalid, "the model is called {file}, which an installed pack has for itself");
        }
        if planned.iter().any(|planned: &PlannedFile| planned.name == file) {
            fail!(PackInvalid, "the file {file} is both of its models");
        }
        let path = format!("{folder}{file}");
        if !files.iter().any(|file| file.path == path) {
            fail!(ModelNotFound, "{MANIFEST} names {file}, which is not there");
        }
        let part = if part == "detector" { Part::Detector } else { Part::Embedder };
        planned.push(PlannedFile { part, path, name: file, known: None });
        declares.push(sha256.is_some());
    }
    // A manifest may call anything free; not the models of a known pack that are not, under their own names.
    let not_free = |known: &&KnownPack| {
        known.licence_class != LicenceClass::Permissive
            && planned.iter().any(|planned| known.file(file_name(&planned.name)).is_some())
    };
    let licence_class = KnownPack::ALL.iter().find(not_free).map_or(outline.licence_class, |known| known.licence_class);
    Ok(Plan {
        name,
        version: outline.version,
        licence: outline.licence,
        licence_class,
        files: planned,
        source: Source::Manifest { text, declares },
    })
}

/// The known pack whose files are here, by their names.
fn recognised(files: &[TreeFile], stem: &str, name: Option<&str>) -> Result<Plan> {
    if let Some(name) = name {
        let Some(known) = KnownPack::named(name) else {
            fail!(
                ModelNotFound,
                "there is no {MANIFEST}, and {name} is no known pack; write a {MANIFEST} beside the models (docs/packs.md)"
            );
        };
        return Ok(plan_of(known, paths_of(known, files, stem)?));
    }
    let all: Vec<(&'static KnownPack, Vec<String>)> =
        KnownPack::ALL.iter().filter_map(|known| Some((known, paths_of(known, files, stem).ok()?))).collect();
    // Of packs that share their models the one that the folder is called after, or else the one of which the most is
    // here.
    let rank = |known: &KnownPack, paths: &[String]| {
        let named = folder_name(&paths[0]) == known.name || known.name == stem;
        (named, known.others.iter().all(|other| beside(other, &paths[0], files)), known.others.len())
    };
    let outdone = |known: &KnownPack, paths: &Vec<String>| {
        all.iter().any(|(other, theirs)| theirs == paths && rank(other, theirs) > rank(known, paths))
    };
    let found: Vec<_> = all.iter().filter(|(known, paths)| !outdone(known, paths)).collect();
    match &found[..] {
        [(known, paths)] => Ok(plan_of(known, paths.clone())),
        [] => fail!(
            ModelNotFound,
            "there is neither {MANIFEST} nor all models of a known pack{}; known are {}",
            what_is_there(files),
            KnownPack::ALL.iter().map(files_of).collect::<Vec<_>>().join("; ")
        ),
        several => fail!(
            InvalidArgument,
            "there are several packs ({}); say which",
            several.iter().map(|(known, _)| known.name).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Which models of known packs are among the files, where they are not all of a pack.
fn what_is_there(files: &[TreeFile]) -> String {
    let is_there = |name: &str| files.iter().any(|file| file_name(&file.path) == name);
    let models = KnownPack::ALL.iter().flat_map(|known| known.files).map(|file| file.name);
    let mut there: Vec<&str> = models.filter(|name| is_there(name)).collect();
    there.sort_unstable();
    there.dedup();
    if there.is_empty() { String::new() } else { format!(" (there is only {})", there.join(", ")) }
}

fn files_of(known: &KnownPack) -> String {
    let files: Vec<&str> = known.files.iter().map(|file| file.name).collect();
    format!("{} ({})", known.name, files.join(", "))
}

/// Where the models of a known pack are in the tree: together in a folder, or, if they are published apart, anywhere.
fn paths_of(known: &KnownPack, files: &[TreeFile], stem: &str) -> Result<Vec<String>> {
    let places = |name: &str| -> Vec<&str> {
        let paths = files.iter().map(|file| file.path.as_str());
        paths.filter(|path| file_name(path) == name).collect()
    };
    let firsts = places(known.files[0].name);
    let mut together: Vec<Vec<String>> = firsts
        .iter()
        .map(|first| known.files.iter().map(|file| format!("{}{}", folder_of(first), file.name)).collect())
        .filter(|paths: &Vec<String>| paths.iter().all(|path| files.iter().any(|file| file.path == *path)))
        .collect();
    if together.len() > 1 {
        together.retain(|paths| {
            folder_name(&paths[0]) == known.name || folder_of(&paths[0]).is_empty() && stem == known.name
        });
    }
    if let [paths] = &together[..] {
        return Ok(paths.clone());
    }
    let apart: Vec<Vec<&str>> = known.files.iter().map(|file| places(file.name)).collect();
    if known.archive.is_none() && apart.iter().all(|places| places.len() == 1) {
        return Ok(apart.iter().map(|places| places[0].to_owned()).collect());
    }
    let what = known.name;
    if apart.iter().any(Vec::is_empty) {
        fail!(ModelNotFound, "the models of {what} are not all there: {}", files_of(known));
    }
    fail!(InvalidArgument, "the models of {what} are there several times; name the folder that they are in");
}

fn plan_of(known: &'static KnownPack, paths: Vec<String>) -> Plan {
    let file = |(file, path): (&'static KnownFile, String)| PlannedFile {
        part: file.part,
        path,
        name: file.name.to_owned(),
        known: Some(file),
    };
    Plan {
        name: known.name.to_owned(),
        version: known.version.to_owned(),
        licence: known.licence.to_owned(),
        licence_class: known.licence_class,
        files: known.files.iter().zip(paths).map(file).collect(),
        source: Source::Known(known),
    }
}

/// The path of the folder of a file, empty or with a `/` at its end.
fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// The name of a file, without its folders.
fn file_name(path: &str) -> &str {
    &path[folder_of(path).len()..]
}

/// The name of the folder that a file is in.
fn folder_name(path: &str) -> &str {
    file_name(folder_of(path).trim_end_matches('/'))
}

fn beside(name: &str, path: &str, files: &[TreeFile]) -> bool {
    let wanted = format!("{}{name}", folder_of(path));
    files.iter().any(|file| file.path == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Vec<TreeFile> {
        paths.iter().map(|path| TreeFile { path: (*path).to_owned() }).collect()
    }

    fn found(paths: &[&str], stem: &str, name: Option<&str>) -> Result<String, ErrorKind> {
        recognised(&tree(paths), stem, name).map(|plan| plan.name).map_err(|error| error.kind())
    }

    #[test]
    fn packs_are_recognised_by_the_names_of_their_files() {
        assert_eq!(found(&["det_10g.onnx", "w600k_r50.onnx", "genderage.onnx"], "x", None), Ok("buffalo_l".into()));
        let nested = ["antelopev2/scrfd_10g_bnkps.onnx", "antelopev2/glintr100.onnx"];
        assert_eq!(found(&nested, "antelopev2", None), Ok("antelopev2".into()));
        let zoo = [
            "models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
            "models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
        ];
        assert_eq!(found(&zoo, "opencv_zoo", None), Ok("opencv".into()));
        assert_eq!(found(&["det_10g.onnx", "glintr100.onnx"], "x", None), Err(ErrorKind::ModelNotFound));
        assert_eq!(found(&["a/det_10g.onnx", "b/w600k_r50.onnx"], "x", None), Err(ErrorKind::ModelNotFound));
    }

    #[test]
    fn packs_with_the_same_models_are_told_apart() {
        let small = ["det_500m.onnx", "w600k_mbf.onnx"];
        let whole = ["det_500m.onnx", "w600k_mbf.onnx", "1k3d68.onnx", "2d106det.onnx", "genderage.onnx"];
        assert_eq!(found(&small, "models", None), Ok("buffalo_sc".into()));
        assert_eq!(found(&whole, "models", None), Ok("buffalo_s".into()));
        assert_eq!(found(&small, "buffalo_s", None), Ok("buffalo_s".into()));
        assert_eq!(found(&whole, "models", Some("buffalo_sc")), Ok("buffalo_sc".into()));
    }

    #[test]
    fn of_several_packs_one_must_be_named() {
        let home = [
            "antelopev2/glintr100.onnx",
            "antelopev2/scrfd_10g_bnkps.onnx",
            "buffalo_l/det_10g.onnx",
            "buffalo_l/w600k_r50.onnx",
            "buffalo_l/old/det_10g.onnx",
            "buffalo_l/old/w600k_r50.onnx",
        ];
        assert_eq!(found(&home, "models", Some("buffalo_l")), Ok("buffalo_l".into()));
        let twice = ["a/det_10g.onnx", "a/w600k_r50.onnx", "b/det_10g.onnx", "b/w600k_r50.onnx"];
        assert_eq!(found(&twice, "x", Some("buffalo_l")), Err(ErrorKind::InvalidArgument));
    }
}
