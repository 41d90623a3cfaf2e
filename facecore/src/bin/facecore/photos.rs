//! Which photos a command works at, and how it goes through them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};

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

/// How many results for each worker may wait for an earlier one, or for somebody who reads them.
const AHEAD: usize = 2;

/// Runs `work` on 0..count in `workers` threads and hands the results to `take` in order, each as soon as
/// it and those before it are there. An error of `take` ends everything.
///
/// The workers run ahead of what `take` is done with by [`AHEAD`] times their number at most, so that memory
/// is bounded however slow a single photo or the output is.
pub fn in_order<T: Send>(
    count: usize,
    workers: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let workers = workers.clamp(1, count.max(1));
    let queue = Queue { count, ahead: AHEAD * workers, state: Mutex::default(), moved: Condvar::new() };
    let (sender, results) = mpsc::channel();
    let run = |sender: mpsc::Sender<(usize, T)>| {
        let _others_end_too = StopOnPanic(&queue);
        while let Some(index) = queue.next() {
            if sender.send((index, work(index))).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        let _workers_end_too = StopOnPanic(&queue);
        for _ in 0..workers {
            let sender = sender.clone();
            scope.spawn(|| run(sender));
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                if let Err(error) = take(due, result) {
                    queue.stop();
                    return Err(error);
                }
                due += 1;
                queue.taken();
            }
        }
        Ok(())
    })
}

/// Gives out the numbers 0..count, `ahead` at most beyond those that are taken.
struct Queue {
    count: usize,
    ahead: usize,
    state: Mutex<QueueState>,
    moved: Condvar,
}

#[derive(Default)]
struct QueueState {
    next: usize,
    taken: usize,
    stop: bool,
}

impl Queue {
    /// The next number, waited for; `None` at the end.
    fn next(&self) -> Option<usize> {
        let full =
            |state: &mut QueueState| !state.stop && state.next < self.count && state.next >= state.taken + self.ahead;
        let mut state = self.moved.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        if state.stop || state.next >= self.count {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn taken(&self) {
        self.lock().taken += 1;
        self.moved.notify_all();
    }

    fn stop(&self) {
        self.lock().stop = true;
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // Poison can be ignored: nothing panics between two changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A panic must not leave threads that wait for a number which will never be due.
struct StopOnPanic<'a>(&'a Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

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

    #[test]
    fn workers_wait_for_an_early_result_and_for_a_slow_reader() {
        const WORKERS: usize = 3;
        let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let pause = |milliseconds| std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let work = |index: usize| {
            let ahead = begun.fetch_add(1, Ordering::SeqCst) + 1 - taken.load(Ordering::SeqCst);
            assert!(ahead <= AHEAD * WORKERS, "{ahead} ahead");
            pause(if index == 0 { 50 } else { 0 });
        };
        in_order(60, WORKERS, work, |index, ()| {
            pause(if index % 20 == 10 { 30 } else { 0 });
            taken.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert_eq!((begun.into_inner(), taken.into_inner()), (60, 60));
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let in_work = || in_order(100, 2, |index| assert!(index != 1), |_, ()| Ok(()));
        assert!(std::panic::catch_unwind(in_work).is_err());
        let in_take = || {
            in_order(
                100,
                2,
                |_| (),
                |index, ()| {
                    assert!(index != 1);
                    Ok(())
                },
            )
        };
        assert!(std::panic::catch_unwind(in_take).is_err());
    }
}
