//! The examples in C, built as their first lines say, find and name the right people.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use facecore::Image;
use facecore_testkit::TestData;
use support::{compile, folder, root, run};

fn example(name: &str, folder: &Path) -> PathBuf {
    let program = folder.join(name);
    compile("cc", &["-std=c99"], &[root().join(format!("examples/c/{name}.c"))], &program);
    program
}

#[test]
fn identify_names_who_is_in_a_photo() {
    let Some(data) = TestData::or_skip("C: identify.c on photographs") else { return };
    let folder = folder("identify");
    let people = folder.join("people");
    std::fs::create_dir_all(people.join("obama")).unwrap();
    std::fs::copy(data.image("obama.jpg"), people.join("obama/1.jpg")).unwrap();
    std::fs::copy(data.image("obama2.jpg"), people.join("obama/2.jpg")).unwrap();
    std::fs::copy(data.image("biden.jpg"), people.join("biden.jpg")).unwrap();
    std::fs::write(people.join("broken.jpg"), b"no picture").unwrap();

    let mut command = Command::new(example("identify", &folder));
    let printed = run(command.arg(&people).arg(data.image("knn_obama_and_biden.jpg")));
    assert!(printed.starts_with("enrolled 2 people, 3 faces\n"), "{printed}");
    let names: Vec<_> = printed.lines().skip(2).filter_map(|line| line.split_whitespace().next()).collect();
    for (name, times) in [("obama", 1), ("biden", 1)] {
        assert_eq!(names.iter().filter(|found| **found == name).count(), times, "{printed}");
    }

    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("broken.jpg: skipped: ") && said.lines().count() == 1, "{said}");
}

#[test]
fn identify_says_what_is_wrong() {
    let folder = folder("identify-errors");
    let program = example("identify", &folder);
    let usage = Command::new(&program).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let output =
        Command::new(&program).args([&folder, &folder.join("none.jpg"), &folder.join("pack")]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("there is no pack"), "{said}");
}

/// An upright picture as a camera that is held sideways delivers it: stored so that a quarter turn clockwise puts it
/// upright, luma first, then (V, U) pairs at half resolution.
fn nv21(picture: &Image) -> (Vec<u8>, usize, usize) {
    let (width, height) = (picture.height() & !1, picture.width() & !1);
    // The stored pixel (x, y) stands upright at (height - 1 - y, x).
    let rgb = |x: usize, y: usize| -> [f32; 3] {
        let at = (x * picture.width() + height - 1 - y) * 3;
        std::array::from_fn(|channel| f32::from(picture.pixels()[at + channel]))
    };
    let mut frame = Vec::with_capacity(width * height * 3 / 2);
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = rgb(x, y);
            frame.push((0.299 * r + 0.587 * g + 0.114 * b).round() as u8);
        }
    }
    for y in (0..height).step_by(2) {
        for x in (0..width).step_by(2) {
            let [r, g, b] = rgb(x, y);
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            frame.push(((r - luma) / 1.402 + 128.0).round().clamp(0.0, 255.0) as u8);
            frame.push(((b - luma) / 1.772 + 128.0).round().clamp(0.0, 255.0) as u8);
        }
    }
    (frame, width, height)
}

#[test]
fn camera_finds_a_face_in_a_turned_frame() {
    let Some(data) = TestData::or_skip("C: camera.c on a photograph") else { return };
    let folder = folder("camera");
    let picture = Image::open(data.image("obama.jpg")).unwrap();
    let (frame, width, height) = nv21(&picture);
    let file = folder.join("frame.nv21");
    std::fs::write(&file, frame).unwrap();

    let mut command = Command::new(example("camera", &folder));
    let printed = run(command.arg(&file).args([width.to_string(), height.to_string(), "90".to_owned()]));
    assert!(printed.starts_with(&format!("1 faces in {height} x {width} upright pixels")), "{printed}");

    // The box, within a few pixels of where it is in the photo.
    let detector =
        facecore::Recognizer::builder().opened_pack(facecore::Pack::lite().unwrap()).build_detector().unwrap();
    let face = detector.detect(&picture).unwrap()[0].rect;
    let line = printed.lines().nth(1).unwrap();
    let corners = line.split(['[', ']']).nth(1).unwrap().split(", ").map(|corner| corner.parse::<f32>().unwrap());
    for (found, wanted) in corners.zip([face.x1, face.y1, face.x2, face.y2]) {
        assert!((found - wanted).abs() < 0.05 * face.width(), "{line}, wanted {face:?}");
    }
}
