//! Which process the library belongs to.
//!
//! A forked child has its parent's memory, but none of its threads: those of the pools that galleries and models share
//! among others. It would wait for them for ever, with old handles and new ones alike, and it holds the parent's locks on
//! galleries. So the first process that uses the library is the only one.

use std::sync::atomic::{AtomicU32, Ordering};

use facecore::{Error, ErrorKind, Result};

/// The process that used the library first; 0 as long as none did.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Takes the library for this process. Errors with `Forked` if it is that of another.
pub(crate) fn claim() -> Result<()> {
    let here = std::process::id();
    match FIRST.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != here => {
            let message = format!(
                "process {first} used facecore before it forked this one, which lacks its threads; use facecore only \
                 after forking, or start a program anew (exec)"
            );
            Err(Error::new(ErrorKind::Forked, message))
        }
        _ => Ok(()),
    }
}

/// Whether the library is this process's, or nobody's yet.
pub(crate) fn is_ours() -> bool {
    let first = FIRST.load(Ordering::Relaxed);
    first == 0 || first == std::process::id()
}
