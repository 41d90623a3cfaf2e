//! Which photos a command works at, and how it goes through them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use facecore::{Error, ErrorKind, Result};

/// The suffixes by which a folder's photos are told from its other files. A file that is named itself is
/// opened whatever its suffix.
const SUFFIXES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];

/// The photos named: files as they are, folders as the image files directly in them, sorted.
pub fn expand(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut photos = Vec::new();
    for path in named {
        if path.is_dir() {
            photos.extend(images_in(path)?);
        } else {
            photos.push(path.clone());
        }
    }
    Ok(photos)
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| Error::io(folder, "read the folder", error);
    let mut images = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && is_image(&path) && path.is_file() {
            images.push(path);
        }
    }
    if images.is_empty() {
        let message = format!("there is no image file ({}) in {}", SUFFIXES.join(", "), folder.display());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    images.sort();
    Ok(images)
}

fn is_image(path: &Path) -> bool {
    let suffix = path.extension().and_then(|suffix| suffix.to_str());
    suffix.is_some_and(|suffix| SUFFIXES.iter().any(|known| known.eq_ignore_ascii_case(suffix)))
}

/// Runs `work` on 0..count in `workers` threads and hands the results to `take` in order, each as soon as
/// it and those before it are there. An error of `take` ends everything.
pub fn in_order<T: Send>(
    count: usize,
    workers: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, results) = mpsc::channel();
    let run = |sender: mpsc::Sender<(usize, T)>| {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || sender.send((index, work(index))).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, count.max(1)) {
            let sender = sender.clone();
            scope.spawn(|| run(sender));
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                if let Err(error) = take(due, result) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                due += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_the_work() {
        let mut taken = Vec::new();
        let slow_start = |index: usize| {
            std::thread::sleep(std::time::Duration::from_millis(if index == 0 { 20 } else { 0 }));
            index * 2
        };
        in_order(50, 4, slow_start, |index, double| {
            taken.push((index, double));
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, (0..50).map(|index| (index, index * 2)).collect::<Vec<_>>());

        let done = AtomicUsize::new(0);
        let stopped = in_order(
            1_000_000,
            2,
            |_| done.fetch_add(1, Ordering::Relaxed),
            |_, _| Err(Error::new(ErrorKind::Internal, "enough")),
        );
        assert!(stopped.is_err() && done.load(Ordering::Relaxed) < 1_000_000);
        assert!(in_order(0, 4, |_| (), |_, ()| Ok(())).is_ok());
    }
}
