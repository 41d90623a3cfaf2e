//! Memory that calls use again.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What one call may leave behind for the next: more is given back to the system, so that a single huge image does
/// not stay.
const KEPT_BYTES: usize = 64 << 20;

/// Working memory that knows its size.
pub(crate) trait Memory: Default {
    /// Bytes kept.
    fn bytes(&self) -> usize;
}

/// Working memory for as many calls as run at once. Each call takes one for itself: the lock is held only while it is
/// taken out or put back, some nanoseconds of a call that takes milliseconds.
pub(crate) struct ScratchPool<T>(Mutex<Vec<Box<T>>>);

impl<T: Memory> ScratchPool<T> {
    pub(crate) fn new() -> Self {
        ScratchPool(Mutex::new(Vec::new()))
    }

    /// Runs `work` with memory of its own, which holds whatever the last call left in it.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let taken = self.lock().pop();
        let mut memory = taken.unwrap_or_default();
        let result = work(&mut memory);
        if memory.bytes() <= KEPT_BYTES {
            self.lock().push(memory);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<T>>> {
        // The list is whole at every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Memory for Vec<u8> {
        fn bytes(&self) -> usize {
            self.capacity()
        }
    }

    #[test]
    fn memory_is_used_again_unless_it_is_huge() {
        let pool = ScratchPool::<Vec<u8>>::new();
        pool.with(|memory| memory.extend([1, 2, 3]));
        pool.with(|memory| {
            assert_eq!(*memory, [1, 2, 3]);
            // Another call meanwhile has its own.
            pool.with(|other| assert!(other.is_empty()));
            memory.reserve(KEPT_BYTES + 1);
        });
        pool.with(|memory| assert!(memory.is_empty()));
    }
}
