//! Which process the library belongs to.
//!
//! A forked child has its parent's memory, but none of its threads: those of the pools that galleries and models share
//! among others. It would wait for them for ever, with old handles and new ones alike, and it holds the parent's locks on
//! galleries. So the process that uses the library first is the only one, and its children are refused.
//!
//! The system tells a child that it is one: asking for the process's number at every call takes a third of a microsecond.

use std::sync::atomic::{AtomicBool, Ordering};

use facecore::{Error, ErrorKind, Result};

/// Whether this process was forked by one that used the library.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Takes the library for this process. Errors with `Forked` if it is that of a parent.
pub(crate) fn claim() -> Result<()> {
    // No lock: a child would find it as it was when the parent forked.
    static CLAIMED: AtomicBool = AtomicBool::new(false);
    if !CLAIMED.load(Ordering::Relaxed) && !CLAIMED.swap(true, Ordering::Relaxed) {
        watch();
    }
    if is_ours() {
        return Ok(());
    }
    let message = "this process was forked by one that had used facecore, whose threads it lacks; use facecore only \
                   after forking, or start a program anew (exec)";
    Err(Error::new(ErrorKind::Forked, message))
}

/// Whether the library is this process's, or nobody's yet.
pub(crate) fn is_ours() -> bool {
    !FORKED.load(Ordering::Relaxed)
}

/// Asks to be told in children.
#[cfg(unix)]
fn watch() {
    extern "C" fn in_the_child() {
        FORKED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the function is there as long as the library, which is never unloaded (the header says so), and does
    // nothing that a child of a process with threads may not do.
    let refused = unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) };
    debug_assert_eq!(refused, 0, "there is memory for one more handler");
}

/// Elsewhere nothing forks.
#[cfg(not(unix))]
fn watch() {}
