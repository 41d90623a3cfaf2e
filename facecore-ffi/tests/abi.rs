//! The ABI is what it was: every function, constant and field of the header, with offsets as a C compiler lays them out,
//! stands in `tests/abi/MAJOR.MINOR.txt`.
//!
//! Something added takes a new minor version and a file of its own; something changed or removed a new major one, as
//! programs built before would misbehave. A struct that grows states its first size (`Versioned` in `src/input.rs`). 1.0
//! is what it is from the first release on; until then its file is written anew after a change. `make abi` writes the file of the version that `src/status.rs` states, if there
//! is none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi")
}

/// A struct of the header: its name, and its fields as they are declared.
struct Struct {
    name: String,
    fields: Vec<String>,
}

/// What the header declares, without its comments.
struct Header {
    constants: Vec<String>,
    structs: Vec<Struct>,
    /// Functions, handles and types of callbacks, each in one line.
    declarations: Vec<String>,
}

impl Header {
    fn read() -> Header {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/facecore.h");
        let text = without_comments(&std::fs::read_to_string(path).expect("the header can be read"));
        let mut header = Header { constants: Vec::new(), structs: Vec::new(), declarations: Vec::new() };
        let mut rest = String::new();
        for line in text.lines() {
            if let Some(constant) = line.strip_prefix("#define FACECORE_").filter(|constant| constant.contains(' ')) {
                header.constants.push(format!("FACECORE_{}", in_one_line(constant)));
            } else if !line.starts_with('#') && !line.starts_with("extern \"C\"") && line != "}" {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        let mut statements = rest.split(';').map(in_one_line).filter(|statement| !statement.is_empty());
        while let Some(statement) = statements.next() {
            let Some(first) = statement.strip_prefix("typedef struct {") else {
                header.declarations.push(statement);
                continue;
            };
            let mut fields = vec![first.trim().to_owned()];
            for field in statements.by_ref() {
                match field.strip_prefix("} ") {
                    Some(name) => {
                        header.structs.push(Struct { name: name.to_owned(), fields: std::mem::take(&mut fields) });
                        break;
                    }
                    None => fields.push(field),
                }
            }
        }
        header
    }

    /// A line for each thing that a program may rely on, and at the end the sizes, which may grow.
    fn describe(&self) -> String {
        let mut text = String::new();
        for constant in &self.constants {
            text.push_str(&format!("constant {constant}\n"));
        }
        let (offsets, sizes) = self.layout();
        text.push_str(&offsets);
        for declaration in &self.declarations {
            text.push_str(&format!("declared {declaration}\n"));
        }
        text + &sizes
    }

    /// Offsets and sizes, as a C compiler has them.
    fn layout(&self) -> (String, String) {
        let mut program = "#include <stdio.h>\n#include \"facecore.h\"\nint main(void) {\n".to_owned();
        for Struct { name, fields } in &self.structs {
            for field in fields {
                let member = field_name(field);
                let line = format!("field {name} %zu {field}\\n");
                program.push_str(&format!("printf(\"{line}\", offsetof({name}, {member}));\n"));
            }
        }
        for Struct { name, .. } in &self.structs {
            program.push_str(&format!("printf(\"size {name} %zu\\n\", sizeof({name}));\n"));
        }
        program.push_str("return 0; }\n");
        let printed = compile_and_run(&program, "layout");
        let (offsets, sizes) = printed.split_at(printed.find("size ").expect("there are structs"));
        (offsets.to_owned(), sizes.to_owned())
    }
}

/// `const char *name` and `facecore_point landmarks[5]` to the name.
fn field_name(field: &str) -> &str {
    let declared = field.split('[').next().unwrap_or_default();
    declared.rsplit([' ', '*']).next().unwrap_or_default()
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut code = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

fn compile_and_run(program: &str, name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&source, program).expect("the program can be written");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let compiled = Command::new("cc").arg("-I").arg(include).arg("-o").arg(&binary).arg(&source).output();
    let compiled = compiled.expect("there is a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    String::from_utf8(Command::new(&binary).output().expect("the program runs").stdout).expect("it prints text")
}

/// A field that was added in such padding would not show in `struct_size`.
#[test]
fn no_struct_ends_with_padding() {
    let header = Header::read();
    let mut program = "#include <stdio.h>\n#include \"facecore.h\"\nint main(void) {\n".to_owned();
    for Struct { name, fields } in &header.structs {
        let last = field_name(fields.last().expect("a struct has fields"));
        let end = format!("offsetof({name}, {last}) + sizeof((({name} *)0)->{last})");
        program.push_str(&format!("if ({end} != sizeof({name})) puts(\"{name}\");\n"));
    }
    assert_eq!(compile_and_run(&(program + "return 0; }\n"), "padding"), "");
}

fn lines_kept(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.starts_with("size ") && !line.contains("FACECORE_ABI_MINOR")).collect()
}

#[test]
#[cfg_attr(not(target_pointer_width = "64"), ignore = "layouts are written down of 64-bit systems")]
fn the_abi_is_what_it_was() {
    let now = Header::read().describe();
    let (major, minor) = (facecore_ffi::FACECORE_ABI_MAJOR, facecore_ffi::FACECORE_ABI_MINOR);
    let path = folder().join(format!("{major}.{minor}.txt"));
    if std::env::var_os("FACECORE_WRITE_ABI").is_some() && !path.exists() {
        std::fs::write(&path, &now).expect("the file can be written");
    }
    let then = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; make abi", path.display()));
    for line in then.lines().filter(|line| !now.lines().any(|now| now == *line)) {
        eprintln!("gone:  {line}");
    }
    for line in now.lines().filter(|line| !then.lines().any(|then| then == *line)) {
        eprintln!("added: {line}");
    }
    assert!(now == then, "the ABI is not that of {}: see the top of this test for what to do", path.display());

    for older in 0..minor {
        let path = folder().join(format!("{major}.{older}.txt"));
        let older = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lost: Vec<_> = lines_kept(&older).difference(&lines_kept(&now)).copied().collect();
        assert!(lost.is_empty(), "programs built for {} rely on {lost:#?}", path.display());
    }
}

#[test]
fn the_header_is_read_whole() {
    let header = Header::read();
    let functions: Vec<_> = header.declarations.iter().filter(|line| !line.starts_with("typedef")).collect();
    assert!(functions.len() > 100 && functions.iter().all(|line| line.contains("facecore_")), "{functions:#?}");
    assert!(header.structs.iter().all(|it| it.name == "facecore_point" || it.fields[0] == "size_t struct_size"));
    let statuses = header.constants.iter().filter(|line| line.ends_with(" 900") || line.ends_with(" 0"));
    assert!(statuses.count() >= 2);
}
