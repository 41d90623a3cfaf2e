//! The rules of ARCHITECTURE.md that a compiler does not check: which module may use which, what a
//! gallery-only build must not pull in, and how long a file may grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each module of `facecore/src`, the modules that it may use, and why not others. All may use `error`.
const ARROWS: [(&str, &[&str], &str); 17] = [
    ("error", &[], "everything else reports through it"),
    ("files", &[], "it makes files durable, whatever is in them"),
    ("scratch", &[], "it lends memory, whatever that holds"),
    ("geometry", &[], "it is arithmetic, without pixels"),
    ("embedding", &[], "it is arithmetic, without models or galleries"),
    ("image", &["geometry"], "it knows pixels, not faces or tensors"),
    ("model", &["geometry"], "it declares what models are, without running them"),
    ("preprocess", &["geometry", "image", "model"], "it fills tensors for any model, detector or not"),
    ("backend", &["model"], "a runtime runs tensors and knows no faces"),
    (
        "detect",
        &["backend", "geometry", "image", "model", "preprocess", "scratch"],
        "detection ends with boxes and points; crops and embeddings come after it",
    ),
    ("align", &["geometry", "image", "model"], "cropping needs points and a template, wherever they come from"),
    (
        "embed",
        &["align", "backend", "embedding", "geometry", "image", "model", "preprocess", "scratch"],
        "embedding starts from crops and ends before the gallery",
    ),
    ("index", &["embedding"], "an index knows vectors and slots, not people or disks"),
    ("store", &["files"], "a store keeps what is true, without searching it"),
    (
        "packs",
        &["align", "backend", "detect", "embed", "files", "image", "model"],
        "a pack is installed and tested before anybody recognises anything with it",
    ),
    ("gallery", &["embedding", "files", "index", "store"], "a gallery-only build has neither images nor runtimes"),
    (
        "pipeline",
        &[
            "align",
            "backend",
            "detect",
            "embed",
            "embedding",
            "gallery",
            "geometry",
            "image",
            "model",
            "packs",
            "preprocess",
            "scratch",
        ],
        "it joins the two halves and reaches into the internals of neither",
    ),
];

/// Binaries see everything; the crate's root declares and re-exports everything.
const UNRESTRICTED: [&str; 2] = ["bin", "lib"];

const LONGEST_FILE: usize = 600;

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("facecore/src")
}

/// Every Rust file of the crate, as a path relative to its `src`, with its text.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source_root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&source_root(), &mut found);
    found
}

/// `image/view.rs` belongs to `image`.
fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The text without comments and without test modules. By rustfmt's layout, a test module at the
/// outermost level ends with the first brace in column 0.
fn code_of(file: &str, text: &str) -> String {
    if file.ends_with("/tests.rs") || file.contains("/tests/") {
        return String::new();
    }
    let mut code = String::new();
    let mut lines = text.lines().map(|line| line.split("//").next().unwrap());
    while let Some(line) = lines.next() {
        if line.starts_with("#[cfg(test)]") {
            let inline = lines.by_ref().find(|line| !line.starts_with("#[")).is_some_and(|item| item.ends_with('{'));
            if inline {
                lines.by_ref().find(|line| line.starts_with('}'));
            }
        } else {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The first names of all paths that start at the crate's root: `crate::a::b`, `crate::{a::b, c}`, and
/// `super::` repeated up to the root.
fn used_by(file: &str, code: &str) -> BTreeSet<String> {
    let mut used: BTreeSet<String> = after(code, "crate::").flat_map(first_names).collect();
    let depth = file.trim_end_matches("/mod.rs").split('/').count();
    let climbed = after(code, &"super::".repeat(depth)).flat_map(first_names).collect::<Vec<_>>();
    // From a module within the file, as many steps end short of the root: not every name is a module.
    used.extend(climbed.into_iter().filter(|name| ARROWS.iter().any(|arrow| arrow.0 == name)));
    used
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows each path that begins with `prefix`.
fn after<'a>(code: &'a str, prefix: &str) -> impl Iterator<Item = &'a str> {
    let starts = code.match_indices(prefix).filter(|(at, _)| !code[..*at].ends_with(|c| is_word(c) || c == ':'));
    starts.map(|(at, found)| &code[at + found.len()..]).collect::<Vec<_>>().into_iter()
}

/// `a::b` to `a`; `{a::{b, c}, d}` to `a` and `d`.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| path.trim_start().chars().take_while(|&c| is_word(c)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = vec![name(group)];
    let mut level = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        if UNRESTRICTED.contains(&module) {
            continue;
        }
        let Some((_, allowed, why)) = ARROWS.iter().find(|arrow| arrow.0 == module) else {
            wrong.push(format!("facecore/src/{file}: module `{module}` is not in the table of tests/architecture.rs"));
            continue;
        };
        for used in used_by(&file, &code_of(&file, &text)) {
            if used == module || used == "error" || allowed.contains(&used.as_str()) {
                continue;
            }
            let reason = if used.starts_with(char::is_uppercase) {
                "name the module that it lives in".to_owned()
            } else {
                format!("not allowed in `{module}`, because {why}")
            };
            wrong.push(format!("facecore/src/{file} uses `crate::{used}`: {reason}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn arrows_have_no_cycle() {
    let mut placed = BTreeSet::from(["error"]);
    for _ in 0..ARROWS.len() {
        placed.extend(
            ARROWS
                .iter()
                .filter(|arrow| arrow.1.iter().all(|used| placed.contains(used)))
                .map(|arrow| arrow.0)
                .collect::<Vec<_>>(),
        );
    }
    let stuck: Vec<_> = ARROWS.iter().map(|arrow| arrow.0).filter(|module| !placed.contains(module)).collect();
    assert!(stuck.is_empty(), "cycle, or an unknown module, below {stuck:?}");
}

#[test]
fn the_scan_sees_all_forms() {
    let code = code_of(
        "a/b.rs",
        "use crate::{one::{x, y}, two};\nuse crate::three::Z; // crate::comment\nfn f() -> crate::four::T {}\n\
         use super::super::geometry::X;\nuse super::sibling;\nfail!(X); $crate::six::y();\n\
         #[cfg(test)]\nmod tests {\n    use crate::test_only;\n}\nuse crate::{\n    seven,\n    eight::{self, A},\n};\n",
    );
    let expected = ["eight", "four", "geometry", "one", "seven", "six", "three", "two"];
    assert_eq!(used_by("a/b.rs", &code).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> =
        sources().into_iter().filter(|(_, text)| text.lines().count() > LONGEST_FILE).map(|(file, _)| file).collect();
    assert!(long.is_empty(), "more than {LONGEST_FILE} lines: {long:?}");
}

#[test]
fn a_gallery_needs_no_runtime_and_no_images() {
    let tree = |network: &[&str]| {
        let arguments = "tree -p facecore --no-default-features -e normal --prefix none";
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments.split(' ')).args(network).output().unwrap()
    };
    let mut output = tree(&["--offline"]);
    if !output.status.success() {
        output = tree(&[]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    // What a gallery is made of; whatever else appears was pulled in by the image half or a runtime.
    let wanted = [
        "aligned-vec",
        "arc-swap",
        "bytemuck",
        "facecore",
        "memmap2",
        "rayon",
        "redb",
        "rustc-hash",
        "serde",
        "serde_derive",
        "serde_json",
        "thiserror",
        "tracing",
        "tracing-attributes",
        "xxhash-rust",
    ];
    let below = [
        "crossbeam-deque",
        "crossbeam-epoch",
        "crossbeam-utils",
        "either",
        "equator",
        "equator-macro",
        "itoa",
        "libc",
        "memchr",
        "once_cell",
        "pin-project-lite",
        "proc-macro2",
        "quote",
        "rayon-core",
        "rustversion",
        "ryu",
        "serde_core",
        "syn",
        "thiserror-impl",
        "tracing-core",
        "unicode-ident",
        "zmij",
    ];
    assert!(crates.contains("facecore"));
    let others: Vec<&&str> = crates.iter().filter(|name| !wanted.contains(name) && !below.contains(name)).collect();
    assert!(others.is_empty(), "a gallery-only build pulls in {others:?}");
}
