//! Compiling programs against the library as users do, and running them.

#![allow(dead_code, reason = "every test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// A folder for this test's files, made anew.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A folder with `libfacecore.so`, as `make install` leaves one: the library that cargo built for this test, with the
/// feature `fake`.
pub fn library() -> PathBuf {
    static LINKED: LazyLock<PathBuf> = LazyLock::new(link);
    LINKED.clone()
}

fn link() -> PathBuf {
    let built = std::env::current_exe().expect("the test is a file");
    let file = std::env::consts::DLL_PREFIX.to_owned() + "facecore_ffi" + std::env::consts::DLL_SUFFIX;
    let built = built.with_file_name(file);
    assert!(built.exists(), "cargo built no {}", built.display());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lib");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let linked = folder.join(std::env::consts::DLL_PREFIX.to_owned() + "facecore" + std::env::consts::DLL_SUFFIX);
    // Test programs that run at the same time make the same link.
    let made = linked.with_extension(std::process::id().to_string());
    drop(std::fs::remove_file(&made));
    std::os::unix::fs::symlink(&built, &made).expect("a link can be made");
    std::fs::rename(&made, &linked).expect("the link can be put in place");
    folder
}

/// Compiles sources with every warning as an error, and links them with the library.
pub fn compile(compiler: &str, arguments: &[&str], sources: &[PathBuf], program: &Path) {
    let lib = library();
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-O1", "-g", "-pthread"]).args(arguments);
    command.arg("-I").arg(root().join("include")).args(sources).arg("-o").arg(program);
    command.arg("-L").arg(&lib).arg("-lfacecore").arg(format!("-Wl,-rpath,{}", lib.display()));
    let output = command.output().unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs a program that must succeed, and gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{printed}{said}", output.status);
    printed.into_owned()
}
