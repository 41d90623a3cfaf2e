//! Work on all cores, in threads of its own: whoever makes a graph may hold a gallery's lock, for which the threads of
//! a shared pool may be waiting.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Fewer items are not worth a thread.
const LEAST: usize = 32;

/// What `work` makes of each item, in their order. Each thread has one of `rooms` for itself; there is one at least.
pub(super) fn map<T: Sync, R: Send, S: Send>(
    items: &[T],
    rooms: &mut [S],
    work: impl Fn(&T, &mut S) -> R + Sync,
) -> Vec<R> {
    let threads = rooms.len().min(items.len() / LEAST);
    if threads < 2 {
        let Some(room) = rooms.first_mut() else { return Vec::new() };
        return items.iter().map(|item| work(item, room)).collect();
    }
    let (next, work) = (AtomicUsize::new(0), &work);
    let pieces: Vec<&[T]> = items.chunks((items.len() / (threads * 8)).max(1)).collect();
    let of_thread = |room: &mut S| {
        let mut done: Vec<(usize, Vec<R>)> = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { return done };
            done.push((at, piece.iter().map(|item| work(item, room)).collect()));
        }
    };
    let of_thread = &of_thread;
    let mut done: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
        let (own, others) = rooms[..threads].split_at_mut(1);
        // Where the system gives no thread the others do its work.
        let spawn = |room| std::thread::Builder::new().spawn_scoped(scope, move || of_thread(room)).ok();
        let others: Vec<_> = others.iter_mut().filter_map(spawn).collect();
        let mut done: Vec<_> = own.iter_mut().flat_map(of_thread).collect();
        for thread in others {
            done.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, piece)| piece).collect()
}

/// As many threads as there are cores for this process.
pub(super) fn available() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_whatever_the_threads() {
        for count in [0, 1, 31, 64, 1000] {
            let items: Vec<usize> = (0..count).collect();
            for threads in [1, 2, 7] {
                let mut rooms = vec![0usize; threads];
                let doubled = map(&items, &mut rooms, |item, done| {
                    *done += 1;
                    item * 2
                });
                assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
                assert_eq!(rooms.iter().sum::<usize>(), count);
            }
        }
    }
}
