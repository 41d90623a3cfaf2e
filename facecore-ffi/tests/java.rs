//! The Java API of `examples/java`: built by its Makefile as users build it, with its own tests under the checks of
//! the Java machine, and its programs on photographs.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use facecore_testkit::{TestData, skip};

/// Where everything is built, once for all tests here; `None` after saying that `what` is skipped.
fn built(what: &str) -> Option<&'static Path> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    for tool in ["javac", "make", "cc", "pkg-config"] {
        if Command::new(tool).arg("--version").output().is_err() {
            skip(what, &format!("{tool} is not installed"));
            return None;
        }
    }
    Some(BUILT.get_or_init(|| {
        let folder = support::folder("java");
        installed(&folder);
        make(&folder, "tests", &[]);
        folder
    }))
}

/// What `make install` leaves: a prefix with the library, the header and facecore.pc.
fn installed(folder: &Path) {
    let prefix = folder.join("prefix");
    let config = prefix.join("pkgconfig");
    std::fs::create_dir_all(&config).expect("a folder can be made");
    std::os::unix::fs::symlink(support::library(), prefix.join("lib")).expect("a link can be made");
    std::os::unix::fs::symlink(support::root().join("include"), prefix.join("include")).expect("a link can be made");
    let template = support::root().join("facecore-ffi/facecore.pc.in");
    let template = std::fs::read_to_string(template).expect("facecore.pc.in is text");
    let text = template.replace("@PREFIX@", &prefix.display().to_string()).replace("@VERSION@", "0");
    std::fs::write(config.join("facecore.pc"), text.replace("@LIBS_PRIVATE@", "")).expect("facecore.pc can be written");
}

fn make(folder: &Path, target: &str, variables: &[String]) -> String {
    let mut command = Command::new("make");
    command.arg("-C").arg(support::root().join("examples/java")).arg("--no-print-directory").arg(target);
    command.arg(format!("BUILD={}", folder.join("build").display())).args(variables);
    command.env("PKG_CONFIG_PATH", folder.join("prefix/pkgconfig"));
    // Those of a make that runs these tests are not meant here.
    command.env_remove("MAKEFLAGS").env_remove("MFLAGS");
    support::run(&mut command)
}

/// The tests of the API. `-Xcheck:jni` prints what JNI was used wrongly for, and goes on.
#[test]
fn the_api_keeps_its_word() {
    let Some(folder) = built("the Java API") else { return };
    let printed = make(folder, "test", &["JAVA_FLAGS=-Xmx512m".to_owned()]);
    assert!(printed.contains(" checks passed"), "{printed}");
    for word in ["WARNING", "FATAL", "JNI local refs"] {
        assert!(!printed.contains(word), "-Xcheck:jni has something to say:\n{printed}");
    }
}

/// `examples/java/src/example/java`: names of known people, and the face in a camera's frame.
#[test]
fn the_programs_do_what_they_say() {
    let Some(data) = TestData::or_skip("the programs in Java on photographs") else { return };
    let Some(folder) = built("the programs in Java on photographs") else { return };
    let people = folder.join("people");
    for (person, photo) in [("obama", "obama.jpg"), ("biden", "biden.jpg")] {
        let own = people.join(person);
        std::fs::create_dir_all(&own).expect("a folder can be made");
        std::fs::copy(data.image(photo), own.join(photo)).expect("a photo can be copied");
    }
    std::fs::write(people.join("broken.jpg"), "no picture").expect("a file can be written");
    let photo = data.image("knn_obama_and_biden.jpg");
    let variables = [format!("PEOPLE={}", people.display()), format!("PHOTO={}", photo.display())];
    let printed = make(folder, "identify", &variables);
    assert!(printed.contains("enrolled 2 people, 2 faces"), "{printed}");
    // The small detector takes other things in the photo for faces too; none of them is anybody.
    let lines = |start: &str| printed.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    let (obama, biden) = (lines("obama "), lines("biden "));
    assert!(obama.len() == 1 && biden.len() == 1, "{printed}");
    let left = |line: &str| line.split(['[', ',']).nth(1).and_then(|x| x.parse::<f32>().ok()).expect("a box");
    assert!(left(biden[0]) < left(obama[0]), "{printed}");

    // The Java tests look at one photograph by every way into the library, and leave it as a frame.
    let frame = folder.join("frame");
    std::fs::create_dir_all(&frame).expect("a folder can be made");
    let images = data.image("obama.jpg").parent().expect("it lies in a folder").display().to_string();
    // This time the library is loaded by its path.
    let library = format!("{}facecore_jni{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = folder.join("build").join(library);
    let flags = format!("-Dfacecore.images={images} -Dfacecore.frame={}", frame.display());
    let flags = format!("JAVA_FLAGS={flags} -Dfacecore.load={}", library.display());
    let printed = make(folder, "test", &[flags, "TEST=photographs".to_owned()]);
    assert!(printed.contains("photographs: passed"), "{printed}");
    let made = std::fs::read_dir(&frame).expect("the folder is there").next().expect("a frame was made");
    let made = made.expect("the folder can be read").path();
    let name = made.file_stem().and_then(|name| name.to_str()).expect("its name is text").to_owned();
    let (width, height) = name.split_once('x').expect("it tells the size");
    let frame = [format!("FRAME={}", made.display()), format!("WIDTH={width}"), format!("HEIGHT={height}")];
    let printed = make(folder, "camera", &frame);
    assert!(printed.contains(&format!("1 faces in {width} x {height} upright pixels")), "{printed}");
}
