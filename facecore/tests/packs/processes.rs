//! Processes that meet, are killed, or run out of disk.

#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use facecore::ErrorKind;
use facecore::packs::Packs;
use facecore_testkit::server::{self, Server};

use super::{Place, accepted, buffalo_sc, detector, embedder, from_mirrors, go_on};

/// The command, pulling a pack into a cache.
fn pull(cache: &Path, server: &Server) -> Child {
    Command::new(env!("CARGO_BIN_EXE_facecore"))
        .args([
            "models",
            "pull",
            "buffalo_sc",
            "--accept-license",
            "--mirrors-only",
            "--mirror",
            &server.url(),
            "--cache",
        ])
        .arg(cache)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn of_two_that_pull_at_once_one_fetches_and_both_have_it() {
    let place = Place::new();
    let content = Arc::new(buffalo_sc());
    let server = Server::http(move |request, to| {
        let start = server::file_head(request, to, &content, "1")?;
        // Slowly enough that the others come meanwhile.
        for piece in content[start..].chunks(content.len() / 20) {
            to.write_all(piece)?;
            to.flush()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    });
    let cache = place.folder.join("cache");
    let children: Vec<Child> = (0..4).map(|_| pull(&cache, &server)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("buffalo_sc 0.7: installed"));
    }
    assert_eq!(server.requests().len(), 1);
    place.packs.verify("buffalo_sc", &accepted(), &mut go_on).unwrap();
}

#[test]
fn a_pull_that_was_killed_is_gone_on_with() {
    let place = Place::new();
    let content = Arc::new(buffalo_sc());
    let (half_is_out, halves) = channel();
    let asked = AtomicUsize::new(0);
    let half = content.len() / 2;
    let server = Server::http(move |request, to| {
        let start = server::file_head(request, to, &content, "1")?;
        if asked.fetch_add(1, Ordering::SeqCst) > 0 {
            return to.write_all(&content[start..]);
        }
        to.write_all(&content[..half])?;
        to.flush()?;
        half_is_out.send(()).unwrap();
        // Until the client is gone.
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    });
    let cache = place.folder.join("cache");
    let mut child = pull(&cache, &server);
    halves.recv_timeout(Duration::from_secs(60)).unwrap();
    while place.unfinished("buffalo_sc") < half as u64 {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(place.packs.installed("buffalo_sc").unwrap().is_none());

    let output = pull(&cache, &server).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.requests()[1].start(), half);
    assert_eq!(place.unfinished("buffalo_sc"), 0);
    place.packs.verify("buffalo_sc", &accepted(), &mut go_on).unwrap();
}

#[test]
fn what_a_killed_install_left_is_cleared_or_put_back() {
    let place = Place::new();
    place.write("x/det_500m.onnx", &detector());
    place.write("x/w600k_mbf.onnx", &embedder());
    let from = place.folder.join("x");
    place.import(&from).unwrap();
    let sound = place.files();
    let work = place.packs.folder().join(".work/buffalo_sc");

    // Killed while the new pack was put together.
    std::fs::create_dir_all(work.join("new")).unwrap();
    std::fs::write(work.join("new/det_500m.onnx"), b"half").unwrap();
    place.import(&from).unwrap();
    assert_eq!(place.files().len(), sound.len());

    // Killed between taking the old one away and putting the new one in its place: a failing import, too, puts the
    // old one back.
    std::fs::create_dir_all(&work).unwrap();
    std::fs::rename(place.packs.folder().join("buffalo_sc"), work.join("old")).unwrap();
    place.write("x/w600k_mbf.onnx", b"no model");
    assert_eq!(place.import(&from).unwrap_err().kind(), ErrorKind::ModelCorrupt);
    place.packs.verify("buffalo_sc", &accepted(), &mut go_on).unwrap();
    assert_eq!(place.files().len(), sound.len());

    // Whoever opens it does so, too.
    std::fs::create_dir_all(&work).unwrap();
    std::fs::rename(place.packs.folder().join("buffalo_sc"), work.join("old")).unwrap();
    place.packs.open("buffalo_sc").unwrap();
    assert_eq!(place.files().len(), sound.len());
}

#[test]
fn whoever_opens_a_pack_that_is_being_replaced_has_one_of_the_two() {
    let place = Place::new();
    place.write("x/det_500m.onnx", &detector());
    place.write("x/w600k_mbf.onnx", &embedder());
    let from = place.folder.join("x");
    place.import(&from).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| {
            let mut opened = 0;
            while !done.load(Ordering::SeqCst) {
                place.packs.open("buffalo_sc").unwrap();
                opened += 1;
            }
            opened
        });
        let replaced = (0..30).try_for_each(|_| place.import(&from).map(drop));
        done.store(true, Ordering::SeqCst);
        replaced.unwrap();
        assert!(opening.join().unwrap() > 0);
    });
}

/// A mounted file system of a few megabytes, taken away after the test.
#[cfg(target_os = "linux")]
struct Disk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Disk {
    /// `None` where this user may not mount one.
    fn mount(place: &Place, kilobytes: u64) -> Option<Disk> {
        let path = place.folder.join("disk");
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(&path);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Disk(path))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_left_as_it_was() {
    let content = buffalo_sc();
    let models = (detector().len() + embedder().len()) as u64;
    let server = Server::http(move |request, to| server::file(request, to, &content, "1"));
    // Too small for the archive; large enough for it, but not for what is in it.
    for bytes in [buffalo_sc().len() as u64 / 2, buffalo_sc().len() as u64 + models / 2] {
        let place = Place::new();
        let Some(disk) = Disk::mount(&place, bytes / 1024) else {
            return facecore_testkit::skip("packs on a full disk", "this user may not mount a file system");
        };
        let packs = Packs::at(&disk.0);
        let error = packs.pull("buffalo_sc", &from_mirrors(&[&server]), &mut go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().contains("free some space"), "{error}");
        assert!(packs.installed("buffalo_sc").unwrap().is_none());
        let listed = packs.list().unwrap();
        let unfinished: u64 = listed.iter().map(|pack| pack.unfinished_bytes).sum();
        assert_eq!(unfinished, 0, "what came fills the disk no more");
        drop(disk);
    }
}
