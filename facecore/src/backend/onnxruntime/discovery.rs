//! Where an ONNX Runtime library may lie.

use std::env;
use std::path::{Path, PathBuf};

/// One place that was looked at for ONNX Runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What kind of place it is.
    pub place: String,
    /// The libraries found there, absolute.
    pub found: Vec<PathBuf>,
    /// Why nothing was found there, if nothing was.
    pub missing: Option<String>,
}

/// Looks in every place, in the order in which libraries are tried. An explicit path is the only place, and `first`
/// come before the usual ones but after `ORT_DYLIB_PATH`.
///
/// Never the current folder: a library lying there may be somebody else's.
pub(in crate::backend) fn look(explicit: Option<&Path>, first: &[PathBuf]) -> Vec<Looked> {
    if let Some(path) = explicit {
        return vec![at("the path given", path)];
    }
    let mut places = Vec::new();
    places.push(match env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty()) {
        Some(value) => at("ORT_DYLIB_PATH", Path::new(&value)),
        None => nothing("ORT_DYLIB_PATH", "unset".into()),
    });
    places.extend(first.iter().map(|folder| at("the program's environment", folder)));
    if let Some(folder) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        places.push(at("beside the executable", folder));
        places.push(at("lib beside the executable's folder", &folder.join("../lib")));
    }
    match runtime_folder() {
        Some(folder) => places.push(at("facecore's runtime folder", &folder.join("onnxruntime/capi"))),
        None => places.push(nothing("facecore's runtime folder", "neither XDG_DATA_HOME nor HOME is set".into())),
    }
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        places.push(match env::var_os(variable).filter(|value| !value.is_empty()) {
            Some(prefix) => in_python_environment(variable, Path::new(&prefix)),
            None => nothing(variable, "unset".into()),
        });
    }
    places.push(on_the_system());
    places
}

/// Where `make runtime` puts ONNX Runtime: `$XDG_DATA_HOME/facecore/runtime`, by default
/// `~/.local/share/facecore/runtime`.
pub(super) fn runtime_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .or_else(|| set("LOCALAPPDATA"))?;
    Some(data.join("facecore/runtime"))
}

fn at(place: &str, path: &Path) -> Looked {
    // Relative paths would be resolved beside the executable by the loader: make them what the user meant.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let place = format!("{place} ({})", path.display());
    if path.is_file() {
        return Looked { place, found: vec![path], missing: None };
    }
    if !path.is_dir() {
        return nothing(&place, "not there".into());
    }
    // A Python package given by its root holds the library further down.
    let found = [path.clone(), path.join("capi"), path.join("onnxruntime/capi")].iter().find_map(|folder| {
        let libraries = libraries_in(folder);
        (!libraries.is_empty()).then_some(libraries)
    });
    match found {
        Some(found) => Looked { place, found, missing: None },
        None => nothing(&place, format!("no {} in it", library_name())),
    }
}

fn in_python_environment(variable: &str, prefix: &Path) -> Looked {
    let mut folders = vec![prefix.join("Lib/site-packages/onnxruntime/capi")];
    if let Ok(entries) = std::fs::read_dir(prefix.join("lib")) {
        let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        let is_python = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python"))
        };
        folders.extend(versions.into_iter().filter(is_python).map(|path| path.join("site-packages/onnxruntime/capi")));
    }
    let place = format!("{variable} ({})", prefix.display());
    let found: Vec<PathBuf> = folders.iter().flat_map(|folder| libraries_in(folder)).collect();
    match found.is_empty() {
        true => nothing(&place, "no onnxruntime package in it".into()),
        false => Looked { place, found, missing: None },
    }
}

fn on_the_system() -> Looked {
    let mut folders: Vec<PathBuf> = Vec::new();
    for variable in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(paths) = env::var_os(variable) {
            folders.extend(env::split_paths(&paths).filter(|path| path.is_absolute()));
        }
    }
    let architecture = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    folders.extend(["/usr/local/lib", &architecture, "/usr/lib64", "/usr/lib", "/opt/homebrew/lib"].map(PathBuf::from));
    let found: Vec<PathBuf> = folders.iter().flat_map(|folder| libraries_in(folder)).collect();
    let place = "the system's library folders";
    match found.is_empty() {
        true => nothing(place, format!("no {}", library_name())),
        false => Looked { place: place.into(), found, missing: None },
    }
}

fn nothing(place: &str, why: String) -> Looked {
    Looked { place: place.into(), found: Vec::new(), missing: Some(why) }
}

fn library_name() -> &'static str {
    if cfg!(windows) {
        "onnxruntime.dll"
    } else if cfg!(target_os = "macos") {
        "libonnxruntime.dylib"
    } else {
        "libonnxruntime.so"
    }
}

/// The runtime itself under any version suffix (`libonnxruntime.so.1.24.1`), not its provider plug-ins.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_runtime = |name: &str| match name.strip_prefix("libonnxruntime.") {
        Some(rest) => rest == "so" || rest.starts_with("so.") || rest.ends_with("dylib"),
        None => name.eq_ignore_ascii_case("onnxruntime.dll"),
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_runtime))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    // The full version names itself in reports; links to it come after.
    found.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len()));
    found.truncate(1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_path_is_the_only_place() {
        let places = look(Some(Path::new("/nowhere/libonnxruntime.so")), &[]);
        assert_eq!(places.len(), 1);
        assert!(places[0].found.is_empty() && places[0].missing.is_some());
    }

    #[test]
    fn the_programs_environment_comes_before_the_usual_places() {
        let places = look(None, &[PathBuf::from("/nowhere/capi")]);
        assert!(places[0].place.starts_with("ORT_DYLIB_PATH"));
        assert_eq!(places[1].place, "the program's environment (/nowhere/capi)");
        assert!(places.len() > 3);
    }

    #[test]
    fn provider_plugins_are_not_taken_for_the_runtime() {
        let folder = env::temp_dir().join(format!("facecore-discovery-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("onnxruntime/capi")).unwrap();
        for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.so.1", "libonnxruntime.so.1.24.1"] {
            std::fs::write(folder.join("onnxruntime/capi").join(name), b"").unwrap();
        }
        let looked = at("test", &folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(looked.found, [folder.join("onnxruntime/capi/libonnxruntime.so.1.24.1")]);
    }
}
