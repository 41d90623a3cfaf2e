//! Programs in C against the library: `tests/c/*.c`, each a test of its own, compiled with every warning as an error.
//!
//! Three variables change how they run, for sanitizers: `FACECORE_C_FLAGS` are further arguments of the compiler,
//! `FACECORE_C_LIBRARY` is a folder with another `libfacecore.so`, and `FACECORE_C_WRAPPER` is a command that runs
//! them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use facecore_testkit::TestData;
use facecore_testkit::models::{Detector, Scores, nan_embedder, scrfd_like, tiny_embedder};

fn sources() -> PathBuf {
    support::root().join("facecore-ffi/tests/c")
}

fn words(variable: &str) -> Vec<String> {
    let words = std::env::var(variable).unwrap_or_default();
    words.split_whitespace().map(str::to_owned).collect()
}

/// Compiles `NAME.c`.
fn compiled(name: &str, program: &Path) {
    // The libraries stand before the sources.
    let mut arguments = ["-std=c99", "-Wl,--no-as-needed", "-lm"].map(str::to_owned).to_vec();
    arguments.extend(words("FACECORE_C_FLAGS"));
    if let Some(library) = std::env::var_os("FACECORE_C_LIBRARY") {
        let library = library.into_string().expect("FACECORE_C_LIBRARY is UTF-8");
        arguments.extend([format!("-L{library}"), format!("-Wl,-rpath,{library}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let files = match name {
        "overhead" => vec!["overhead.c".to_owned()],
        name => vec![format!("{name}.c"), "test.c".to_owned()],
    };
    let files: Vec<PathBuf> = files.iter().map(|file| sources().join(file)).collect();
    support::compile("cc", &arguments, &files, program);
}

/// The command that runs a program.
fn command(program: &Path) -> Command {
    let mut wrapper = words("FACECORE_C_WRAPPER").into_iter();
    match wrapper.next() {
        None => Command::new(program),
        Some(first) => {
            let mut command = Command::new(first);
            command.args(wrapper).arg(program);
            command
        }
    }
}

/// Compiles and runs a program with a folder for its files, one with generated models, and the test data if there is
/// some.
fn run(name: &str) -> String {
    let folder = support::folder(&format!("c-{name}"));
    let program = folder.join(name);
    compiled(name, &program);
    let files = folder.join("files");
    std::fs::create_dir(&files).expect("a folder can be made");
    let mut command = command(&program);
    command.arg(&files).arg(&*MODELS);
    if let Some(data) = TestData::or_skip(&format!("what tests/c/{name}.c does with photographs")) {
        command.arg(data.image("obama.jpg").ancestors().nth(2).expect("there are folders above"));
    }
    support::run(&mut command)
}

/// A folder of models made for tests.
static MODELS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = support::folder("generated-models");
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).expect("a file can be written");
    write("detector.onnx", scrfd_like(&Detector::default()));
    write("nan_detector.onnx", scrfd_like(&Detector { scores: Scores::Nan, ..Detector::default() }));
    write("no_landmarks.onnx", scrfd_like(&Detector { keypoints: false, ..Detector::default() }));
    write("embedder.onnx", tiny_embedder(128, None));
    write("nan_embedder.onnx", nan_embedder(128));
    write("unsupported_embedder.onnx", with_an_unknown_operator(tiny_embedder(128, None)));
    folder
});

/// The model with an operator that no runtime has.
fn with_an_unknown_operator(mut model: Vec<u8>) -> Vec<u8> {
    let at = model.windows(7).position(|window| window == b"Flatten").expect("the model flattens");
    model[at..at + 7].copy_from_slice(b"Unknown");
    model
}

macro_rules! programs {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )+

        /// The programs that are tests.
        const PROGRAMS: &[&str] = &[$(stringify!($name)),+];
    };
}

programs! {
    batch embeddings enrolment exchange faults images lifetimes models nulls_gallery nulls_models
    people processes recognition search statuses storage structs threads
}

#[test]
fn every_program_is_a_test() {
    let found: BTreeSet<String> = c_files().into_keys().collect();
    // `packs` is run by tests/packs.rs.
    let helpers = ["test", "overhead", "packs", "runtime"].map(str::to_owned);
    let run = PROGRAMS.iter().map(|name| (*name).to_owned()).chain(helpers).collect::<BTreeSet<_>>();
    assert_eq!(found, run);
}

/// Measuring is `make bench-c`'s; here the program only has to run.
#[test]
fn overhead() {
    let program = support::folder("c-overhead").join("overhead");
    compiled("overhead", &program);
    let printed = support::run(command(&program).arg("20"));
    assert_eq!(printed.lines().filter(|line| line.ends_with("ns added")).count(), 2, "{printed}");
}

/// The report on runtimes is read here, as C has no JSON.
#[test]
fn runtime() {
    let printed = run("runtime");
    let report: serde_json::Value = serde_json::from_str(&printed).expect("the report is JSON");
    let keys: Vec<&str> = report.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["builtin", "looked", "onnxruntime", "providers", "version"]);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["builtin"].as_str().is_some_and(|builtin| builtin.starts_with("rten")));
    let onnxruntime = &report["onnxruntime"];
    assert!(onnxruntime["found"].is_string() != onnxruntime["missing"].is_string(), "{onnxruntime}");
    let looked = report["looked"].as_array().expect("a list");
    assert!(!looked.is_empty());
    for place in looked {
        assert!(place["place"].is_string() && place["found"].is_array(), "{place}");
        assert!(place["missing"].is_string() || place["missing"].is_null(), "{place}");
    }
    for provider in report["providers"].as_array().expect("a list") {
        assert!(provider["name"].is_string() && provider["available"].is_boolean(), "{provider}");
        assert!(provider["available"] == provider["missing"].is_null(), "{provider}");
    }
}

/// The C sources, by their names without suffix.
fn c_files() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(sources()).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let c = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "c"));
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("text"))
    };
    c.map(read).collect()
}

/// The header without comments and directives.
fn header() -> String {
    let text = std::fs::read_to_string(support::root().join("include/facecore.h")).expect("the header can be read");
    let mut code = String::new();
    for part in text.split("/*") {
        code.push_str(part.split_once("*/").map_or(part, |(_, rest)| rest));
    }
    code.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ")
}

/// Every function of the header, with the names of its arguments that are pointers.
fn functions() -> BTreeMap<String, Vec<String>> {
    let header = header();
    let last_word = |text: &str| text.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    let mut functions = BTreeMap::new();
    for statement in header.split(';').filter(|statement| !statement.contains("typedef") && !statement.contains('{')) {
        let Some((before, arguments)) = statement.trim().strip_suffix(')').and_then(|text| text.split_once('(')) else {
            continue;
        };
        let callbacks = ["facecore_write ", "facecore_read ", "facecore_filter ", "facecore_photo_done "];
        let is_pointer = |argument: &&str| {
            argument.contains('*') || callbacks.iter().any(|callback| argument.trim().starts_with(callback))
        };
        let pointers = arguments.split(',').filter(is_pointer).filter_map(last_word).collect();
        functions.insert(last_word(before).expect("a name"), pointers);
    }
    functions
}

/// What stands within the brackets of each call of one of the macros, up to the first two commas.
fn rows(text: &str, macros: &[&str]) -> BTreeSet<(String, String)> {
    let lines = text.lines().map(str::trim);
    let rows = lines.filter_map(|line| {
        let (name, rest) = line.split_once('(')?;
        let mut columns = rest.split([',', ')']).map(|column| column.trim().to_owned());
        macros.contains(&name).then(|| Some((columns.next()?, columns.next()?)))?
    });
    rows.collect()
}

#[test]
fn every_function_is_called() {
    let files = c_files();
    let functions = functions();
    assert!(functions.len() > 140, "{}", functions.len());
    let called = |name: &str| files.values().any(|text| text.contains(&format!("{name}(")));
    let missing: Vec<_> = functions.keys().filter(|name| !called(name)).collect();
    assert!(missing.is_empty(), "not called in tests/c: {missing:#?}");
}

#[test]
fn every_status_is_reached() {
    let files = c_files();
    let text = std::fs::read_to_string(support::root().join("include/facecore.h")).expect("the header can be read");
    let statuses = text.lines().filter_map(|line| {
        let (name, number) = line.strip_prefix("#define ")?.split_once(' ')?;
        let number: i32 = number.parse().ok()?;
        (name != "FACECORE_OK" && (100..1000).contains(&number)).then(|| name.to_owned())
    });
    let statuses: Vec<String> = statuses.collect();
    assert!(statuses.len() > 30, "{statuses:?}");
    for status in statuses {
        let row = format!("ROW({status})");
        assert!(files["faults"].contains(&row), "{status} is not in the table of tests/c/faults.c");
        let injected = files["faults"].contains(&format!("INJECTED[] = {{{status}}}"));
        let reached = ["FAILS", "LEAVES"].map(|name| format!("{name}({status}, "));
        let reached = files.values().any(|text| reached.iter().any(|call| text.contains(call)));
        assert!(injected || reached, "{status} is reached nowhere in tests/c");
    }
}

/// For each pointer of each function there is a call with NULL there.
#[test]
fn every_pointer_is_tried_with_null() {
    let files = c_files();
    let nulls = files.iter().filter(|(name, _)| name.starts_with("nulls"));
    let tried: BTreeSet<_> = nulls.flat_map(|(_, text)| rows(text, &["REFUSES", "TAKES", "PASSES"])).collect();
    let mut pointers = BTreeSet::new();
    for (function, names) in functions() {
        pointers.extend(names.into_iter().map(|name| (function.clone(), name)));
    }
    assert!(pointers.len() > 300, "{}", pointers.len());
    assert_eq!(pointers.difference(&tried).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not tried");
    assert_eq!(tried.difference(&pointers).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "not in the header");
}

/// For each versioned struct there is a row in the table of sizes.
#[test]
fn every_struct_is_tried_with_other_sizes() {
    let header = header();
    let structs = header.split("typedef struct {").skip(1).filter_map(|text| {
        let (fields, rest) = text.split_once('}')?;
        fields.trim().starts_with("size_t struct_size").then(|| rest.split(';').next().unwrap_or("").trim().to_owned())
    });
    let structs: BTreeSet<String> = structs.collect();
    assert!(structs.len() > 20, "{structs:?}");
    let tried: BTreeSet<String> = rows(&c_files()["structs"], &["IN", "OUT"]).into_iter().map(|row| row.0).collect();
    assert_eq!(structs, tried);
}
