//! Telling a caller how far it is, who may say that it is enough.

use std::ops::ControlFlow;

use crate::error::{Result, fail};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Another process is installing or removing the same pack.
    Waiting,
    /// A file is being downloaded.
    Downloading,
    /// A file is being unpacked or copied.
    Unpacking,
    /// The models are loaded and run.
    Testing,
}

impl Stage {
    /// Its name in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Downloading => "downloading",
            Stage::Unpacking => "unpacking",
            Stage::Testing => "testing",
        }
    }
}

/// How far the installing of a pack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// The file that it is done to, or the pack.
    pub file: &'a str,
    /// How many of its bytes are done.
    pub done: u64,
    /// How many it has, if that is known.
    pub total: Option<u64>,
}

/// What a caller gives to hear of progress: it answers whether to go on.
pub(super) type Listener<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// Tells the listener. Errors with `Cancelled` if it has enough.
pub(super) fn tell(listener: &mut Listener, stage: Stage, file: &str, done: u64, total: Option<u64>) -> Result<()> {
    if listener(&Progress { stage, file, done, total }).is_break() {
        fail!(Cancelled, "stopped by the caller while {} {file}", stage.name());
    }
    Ok(())
}
