//! The pack that is part of the library.

use super::{ModelSource, Pack};
use crate::error::{Context, Result};

const MANIFEST: &str = include_str!("../../models/lite/pack.toml");
const FILES: [(&str, &[u8]); 2] = [
    ("detector.onnx", include_bytes!("../../models/lite/detector.onnx")),
    ("embedder.onnx", include_bytes!("../../models/lite/embedder.onnx")),
];

impl Pack {
    /// The whole note on the licence of the weights of [`Pack::lite`], in Markdown: what they learned from, and what
    /// may be done with them. Whoever passes on a program with these weights passes on this with it.
    pub const LITE_LICENCE: &str = include_str!("../../models/lite/LICENSE.md");

    /// The small pack that comes with the library (feature `lite-models`): a detector and an embedder of our own,
    /// for a first look and for tests, without a file or a download.
    ///
    /// Its weights are for research and evaluation only; [`Pack::licence`] says so, and [`Pack::LITE_LICENCE`] why.
    /// What they can and cannot do is in `models/lite/MODEL_CARD.md`.
    ///
    /// Errors as [`Pack::open`] does, if the program was damaged.
    pub fn lite() -> Result<Pack> {
        let files = FILES.map(|(name, bytes)| ModelSource::from_static(name, bytes));
        Pack::from_memory(MANIFEST, &files).context_with(|| "the built-in pack".into())
    }
}
