//! The committed header is the one that cbindgen makes of the sources, and a C compiler takes it.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

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
fn c_and_cpp_compilers_take_the_header() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/facecore.h");
    for (compiler, language, standard) in [("cc", "c", "c99"), ("cc", "c", "c11"), ("c++", "c++", "c++17")] {
        let standard = format!("-std={standard}");
        let ran = Command::new(compiler)
            .args(["-x", language, &standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
            .arg(&header)
            .output();
        let output = match ran {
            Ok(output) => output,
            Err(error) if language == "c++" && error.kind() == std::io::ErrorKind::NotFound => {
                // Only a C compiler is asked for; where everything must be tested this one must be there too.
                let line = format!("skipped: the header in C++: there is no {compiler}\n");
                assert!(std::env::var("FACECORE_REQUIRE_TEST_DATA").as_deref() != Ok("1"), "{line}");
                // Past the capturing of test output, which would hide it.
                std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
                continue;
            }
            Err(error) => panic!("{compiler}: {error}"),
        };
        assert!(output.status.success(), "{compiler} {standard}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
