//! `include/facecore.hpp` reaches everything of the header in C, and holds what it says: a program in C++ that uses every
//! class, built by two compilers and with sanitizers, and the example on photographs.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use facecore_testkit::{TestData, skip};
use support::{compile, folder, root, run};

/// Stricter than what users are likely to build with.
const WARNINGS: [&str; 5] = ["-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wold-style-cast"];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words of C code, without its comments.
fn words(code: &str) -> Vec<&str> {
    let words = code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| !word.is_empty()).collect()
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + part.split_once("*/").expect("comments end").1)
}

/// The functions of the header in C.
fn functions(header: &str) -> Vec<&str> {
    let declared = header.split("extern \"C\" {").nth(1).expect("functions are extern \"C\"");
    let called = declared.split(';').filter_map(|statement| words(statement.split('(').next()?).last().copied());
    called.filter(|name| name.starts_with("facecore_")).collect()
}

#[test]
fn every_function_is_within_reach() {
    let (c, cpp) = (without_comments(&read("include/facecore.h")), without_comments(&read("include/facecore.hpp")));
    let (functions, used) = (functions(&c), words(&cpp));
    assert!(functions.len() > 100, "{functions:?}");
    let missing: Vec<_> = functions.iter().filter(|name| !used.contains(name)).collect();
    assert!(missing.is_empty(), "facecore.hpp does not call {missing:#?}");
}

/// The constants that are no statuses, of which facecore.h is enough.
#[test]
fn every_choice_is_within_reach() {
    let (c, cpp) = (read("include/facecore.h"), read("include/facecore.hpp"));
    let used = words(&cpp);
    let defined = c.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let choices = defined.filter(|(_, number)| number.parse::<i32>().is_ok_and(|number| number < 100));
    let missing: Vec<_> = choices.map(|(name, _)| name).filter(|name| !used.contains(name)).collect();
    assert!(missing.is_empty(), "facecore.hpp does not know {missing:#?}");
}

/// The fields of structs that are not handed through as they are in C.
#[test]
fn every_field_is_within_reach() {
    let (c, cpp) = (without_comments(&read("include/facecore.h")), without_comments(&read("include/facecore.hpp")));
    let used = words(&cpp);
    let mut seen = 0;
    for body in c.split("typedef struct {").skip(1) {
        let (fields, name) = body.split_once('}').expect("structs end");
        let name = words(name)[0];
        if cpp.contains(&format!("= Sized<{name}>")) || cpp.contains(&format!("= {name};")) {
            continue;
        }
        for field in fields.split(';').filter_map(|field| words(field.split('[').next()?).last().copied()) {
            // facecore_verify_report is a member of what `verify` returns, and facecore_image a base, whole.
            let whole = ["facecore_verify_report", "facecore_image"].contains(&name);
            let whole = whole || field == "reserved";
            assert!(whole || used.contains(&field), "facecore.hpp does nothing with {field} of {name}");
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}

fn sources() -> Vec<PathBuf> {
    let names = ["main", "basics", "models", "people", "searches", "threads"];
    names.iter().map(|name| root().join(format!("facecore-ffi/tests/cpp/{name}.cpp"))).collect()
}

/// Whether a compiler is there, after saying so if it is not.
fn is_there(compiler: &str) -> bool {
    let there = Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        skip(&format!("facecore.hpp with {compiler}"), "it is not installed");
    }
    there
}

/// Builds the test of all classes in a folder of its own and runs it there.
fn build_and_run(compiler: &str, arguments: &[&str], name: &str) {
    if !is_there(compiler) {
        return;
    }
    let (folder, fake) = (folder(name), root().join("facecore-ffi/tests/c"));
    let include = format!("-I{}", fake.display());
    let program = folder.join("test");
    compile(compiler, &[&WARNINGS, arguments, &[&include]].concat(), &sources(), &program);
    let files = folder.join("files");
    std::fs::create_dir(&files).expect("a folder can be made");
    // A panic is part of the test.
    assert_eq!(run(Command::new(&program).arg(&files).env("RUST_BACKTRACE", "0")), "ok\n");
}

/// With sanitizers. The library itself is not instrumented, so what they see is what facecore.hpp and the program do,
/// and every allocation that is not freed.
#[test]
fn every_class_does_what_it_says_with_gcc() {
    // Unoptimised, for these builds take long.
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0"];
    let sanitizers = if cfg!(target_os = "linux") { &sanitizers[..] } else { &[] };
    build_and_run("g++", &[&["-std=c++17"], sanitizers].concat(), "cpp-gcc");
}

#[test]
fn every_class_does_what_it_says_with_clang() {
    build_and_run("clang++", &["-std=c++20"], "cpp-clang");
}

#[test]
fn compilers_take_the_header_by_itself() {
    for compiler in ["g++", "clang++"].into_iter().filter(|compiler| is_there(compiler)) {
        for standard in ["-std=c++17", "-std=c++20"] {
            let mut command = Command::new(compiler);
            command.args([standard, "-Wall", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c++"]).args(WARNINGS);
            run(command.arg(root().join("include/facecore.hpp")));
        }
    }
}

#[test]
fn a_library_that_is_too_old_is_told() {
    let program = folder("cpp-abi").join("abi");
    compile("g++", &["-std=c++17"], &[root().join("facecore-ffi/tests/cpp/abi.cpp")], &program);
    let said = run(&mut Command::new(program));
    assert!(said.contains(env!("CARGO_PKG_VERSION")) && said.contains("ABI 1.99"), "{said}");
}

fn example(folder: &Path) -> PathBuf {
    let program = folder.join("identify");
    compile("g++", &["-std=c++17"], &[root().join("examples/cpp/identify.cpp")], &program);
    program
}

#[test]
fn the_example_names_who_is_in_a_photo_and_keeps_them() {
    let Some(data) = TestData::or_skip("C++: identify.cpp on photographs") else { return };
    let folder = folder("cpp-identify");
    let (people, gallery) = (folder.join("people"), folder.join("office"));
    std::fs::create_dir_all(people.join("obama")).unwrap();
    std::fs::copy(data.image("obama.jpg"), people.join("obama/1.jpg")).unwrap();
    std::fs::copy(data.image("obama2.jpg"), people.join("obama/2.jpg")).unwrap();
    std::fs::copy(data.image("biden.jpg"), people.join("biden.jpg")).unwrap();
    std::fs::write(people.join("broken.jpg"), b"no picture").unwrap();
    let program = example(&folder);

    let photo = data.image("knn_obama_and_biden.jpg");
    let first = Command::new(&program).args([&gallery, &photo, &people]).output().unwrap();
    let printed = String::from_utf8(first.stdout).unwrap();
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(first.status.success() && printed.starts_with("enrolled 3 of 4 photos\n"), "{printed}{said}");
    assert!(said.contains("broken.jpg: skipped: ") && said.lines().count() == 1, "{said}");
    assert_eq!(named(&printed), ["biden", "obama"], "{printed}");
    assert!(printed.contains("\ndetector: ") && printed.contains("\nembedder: "), "{printed}");
    for line in printed.lines().filter(|line| line.contains("margin")) {
        let number = |after: &str| line.split(after).nth(1)?.split_whitespace().next()?.parse::<f32>().ok();
        let score = number("obama").or_else(|| number("biden")).expect("a score");
        assert!(score > 0.42 && number("margin").expect("a margin") > 0.1, "{line}");
    }

    // They are still known to the next call, and enrolling them again changes nothing.
    let second = run(Command::new(&program).args([&gallery, &photo]));
    assert_eq!((named(&second), second.contains("2 people known")), (named(&printed), true), "{second}");
    run(Command::new(&program).args([&gallery, &photo, &people]));
    let kept = facecore::Gallery::open(&gallery).unwrap();
    assert_eq!(kept.existing_namespace("staff").unwrap().face_count(), 3);

    let stranger = run(Command::new(&program).args([&folder.join("empty"), &data.image("obama.jpg")]));
    assert!(stranger.contains("\nunknown "), "{stranger}");
}

/// Who was named, sorted.
fn named(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter(|line| line.contains("margin"));
    let mut names: Vec<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_example_says_what_is_wrong() {
    let folder = folder("cpp-identify-errors");
    let program = example(&folder);
    assert_eq!(Command::new(&program).output().unwrap().status.code(), Some(2));
    let paths = [folder.join("office"), folder.join("none.jpg"), PathBuf::from("-"), folder.join("pack")];
    let output = Command::new(&program).args(&paths[..2]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("none.jpg"), "{said}");
    let output = Command::new(&program).args(&paths).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("there is no pack"), "{said}");
}
