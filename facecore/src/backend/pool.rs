//! A bounded set of things that only one caller at a time may use.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Result;

/// Hands out items, makes a new one when all are in use and the limit allows, else lets callers wait.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
    limit: usize,
    make: Box<dyn Fn() -> Result<T> + Send + Sync>,
}

struct State<T> {
    idle: Vec<T>,
    made: usize,
}

impl<T> Pool<T> {
    /// A pool that starts with `first` and grows to `limit` items by `make`.
    pub(super) fn new(first: T, limit: usize, make: impl Fn() -> Result<T> + Send + Sync + 'static) -> Self {
        let state = Mutex::new(State { idle: vec![first], made: 1 });
        Pool { state, returned: Condvar::new(), limit: limit.max(1), make: Box::new(make) }
    }

    /// Runs `work` with an item. Fails only if `work` does, or if a new item cannot be made.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut lent = Lent { item: Some(self.take()?), pool: self };
        match lent.item.as_mut() {
            Some(item) => work(item),
            None => unreachable!("an item is taken out only by drop"),
        }
    }

    fn take(&self) -> Result<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.idle.pop() {
                return Ok(item);
            }
            if state.made < self.limit {
                // Counted before it exists, so that others do not overshoot the limit meanwhile.
                state.made += 1;
                drop(state);
                let made = Unmade { pool: self };
                let item = (self.make)()?;
                std::mem::forget(made);
                return Ok(item);
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of ours can panic while the lock is held, and the state is whole at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the item when the work is done, also when it panics.
struct Lent<'a, T> {
    item: Option<T>,
    pool: &'a Pool<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.pool.lock().idle.push(item);
            self.pool.returned.notify_one();
        }
    }
}

/// Takes back the count of an item that could not be made.
struct Unmade<'a, T> {
    pool: &'a Pool<T>,
}

impl<T> Drop for Unmade<'_, T> {
    fn drop(&mut self) {
        self.pool.lock().made -= 1;
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn callers_run_side_by_side_up_to_the_limit() {
        let pool = Pool::new(0, 3, || Ok(1));
        let together = Barrier::new(3);
        // Would hang if fewer than three callers were let in at once.
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| pool.with(|_| Ok(together.wait())));
            }
        });
    }

    #[test]
    fn the_limit_holds_and_nobody_starves() {
        let pool = Pool::new((), 2, || Ok(()));
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        pool.with(|()| {
                            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            std::thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                            done.fetch_add(1, Ordering::SeqCst);
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 400);
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn failures_and_panics_give_everything_back() {
        let pool = Pool::new(7, 1, || Ok(8));
        assert!(pool.with(|_| Err::<(), _>(Error::new(ErrorKind::Inference, "no"))).is_err());
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.with(|_| -> Result<()> { panic!("no") })));
        assert!(panicked.is_err());
        assert_eq!(pool.with(|item| Ok(*item)).unwrap(), 7);

        let empty = Pool::new(7, 2, || Err(Error::new(ErrorKind::Inference, "cannot make")));
        empty
            .with(|_| {
                assert!(empty.with(|_| Ok(())).is_err());
                Ok(())
            })
            .unwrap();
        assert_eq!(empty.with(|item| Ok(*item)).unwrap(), 7);
    }
}
