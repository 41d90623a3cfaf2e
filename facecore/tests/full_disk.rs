//! A gallery on a disk that is full: a file system in memory of a few megabytes.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::PathBuf;
use std::process::Command;

use facecore::gallery::Batch;
use facecore::{Embedding, EmbeddingSpace, ErrorKind, Gallery};

/// A mounted file system, taken away after the test.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount one.
    fn mount(megabytes: u32) -> Option<Disk> {
        let path = std::env::temp_dir().join(format!("facecore-full-disk-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(&path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Disk(path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().unwrap();
        std::fs::remove_dir(&self.0).unwrap_or_default();
    }
}

fn face(number: usize) -> Embedding {
    let values: Vec<f32> = (0..512).map(|at| ((number * 512 + at) as f32 * 0.731).sin()).collect();
    Embedding::from_raw(values, EmbeddingSpace::new("test-512", 0.9)).unwrap()
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let Some(disk) = Disk::mount(24) else {
        return facecore_testkit::skip("a full disk", "this user may not mount a file system");
    };
    // Something that can be removed later to make room.
    std::fs::write(disk.0.join("ballast"), vec![1u8; 4 << 20]).unwrap();
    let folder = disk.0.join("gallery");
    let gallery = Gallery::open(&folder).unwrap();
    let people = gallery.namespace("people").unwrap();
    let batch = |number: usize| {
        let mut batch = Batch::new();
        for at in number * 200..(number + 1) * 200 {
            batch.enrol(format!("p{at}"), vec![face(at).into()]);
        }
        batch
    };
    let mut done = 0;
    let error = loop {
        match people.apply(&batch(done)) {
            Ok(_) => done += 1,
            Err(error) => break error,
        }
    };
    assert!(done > 0, "it held something");
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("full") || error.to_string().contains("No space left"), "{error}");

    let holds = |gallery: &Gallery, batches: usize| {
        let people = gallery.existing_namespace("people").unwrap();
        assert_eq!(people.face_count(), batches * 200);
        for at in 0..batches * 200 {
            assert_eq!(people.identify(&face(at)).unwrap().unwrap().person, *format!("p{at}"));
        }
        assert_eq!(gallery.verify().unwrap().problems, Vec::<String>::new());
    };
    holds(&gallery, done);
    // Full it stays: the same again, and nothing is lost by trying.
    assert_eq!(people.apply(&batch(done)).unwrap_err().kind(), ErrorKind::Io);
    holds(&gallery, done);

    std::fs::remove_file(disk.0.join("ballast")).unwrap();
    people.apply(&batch(done)).unwrap();
    done += 1;
    holds(&gallery, done);
    drop((people, gallery));
    holds(&Gallery::open(&folder).unwrap(), done);
}
