//! The committed header is the one that cbindgen makes of the sources, and a C compiler takes it.

use std::path::Path;
use std::process::Command;

use facecore::ErrorKind;

#[test]
fn the_header_is_up_to_date() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bindings = cbindgen::generate(crate_folder).expect("cbindgen reads the crate");
    let mut generated = Vec::new();
    bindings.write(&mut generated);
    let path = crate_folder.join("../include/facecore.h");
    if std::env::var_os("FACECORE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &generated).expect("the header can be written");
    }
    let committed = std::fs::read(&path).expect("include/facecore.h is there");
    assert!(committed == generated, "include/facecore.h is out of date: run `make header`");
}

#[test]
fn what_is_for_tests_stays_out() {
    assert!(!header().contains("fake"));
}

#[test]
fn what_cbindgen_does_not_see_is_right() {
    let lite = format!("#define FACECORE_LITE \"{}\"\n", facecore_ffi::FACECORE_LITE);
    assert!(header().contains(&lite), "FACECORE_LITE is written out in cbindgen.toml");
}

/// The table of errors is written out in `src/status.rs`, where cbindgen sees it.
#[test]
fn the_header_has_the_table_of_errors() {
    let text = header();
    let defined = text.lines().filter_map(|line| line.strip_prefix("#define FACECORE_")?.split_once(' '));
    let numbers = defined.filter_map(|(name, number)| Some((format!("FACECORE_{name}"), number.parse::<i32>().ok()?)));
    let statuses: Vec<_> = numbers.filter(|(_, number)| *number >= 100).collect();
    let table: Vec<_> = ErrorKind::ALL.iter().map(|kind| (kind.c_name().to_owned(), kind.code())).collect();
    assert_eq!(statuses, table);
}

fn header() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/facecore.h");
    std::fs::read_to_string(path).expect("include/facecore.h is there")
}

#[test]
fn c_and_cpp_compilers_take_the_header() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/facecore.h");
    for (compiler, language, standard) in [
        ("gcc", "c", "c99"),
        ("gcc", "c", "c11"),
        ("g++", "c++", "c++17"),
        ("clang", "c", "c99"),
        ("clang", "c", "c11"),
        ("clang++", "c++", "c++17"),
    ] {
        let standard = format!("-std={standard}");
        let ran = Command::new(compiler)
            .args(["-x", language, &standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
            .arg(&header)
            .output();
        let output = match ran {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Any one compiler will do for users; where everything must be tested all must be there.
                facecore_testkit::skip(&format!("the header with {compiler}"), "it is not installed");
                continue;
            }
            Err(error) => panic!("{compiler}: {error}"),
        };
        assert!(output.status.success(), "{compiler} {standard}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
