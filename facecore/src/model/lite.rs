//! The pack that is part of the library.

use super::Pack;
use crate::error::{Context, Result};

const MANIFEST: &str = include_str!("../../models/lite/pack.toml");
const FILES: [(&str, &[u8]); 2] = [
    ("detector.onnx", include_bytes!("../../models/lite/detector.onnx")),
    ("embedder.onnx", include_bytes!("../../models/lite/embedder.onnx")),
];

impl Pack {
    /// The small pack that comes with the library (feature `lite-models`): a detector and an embedder of our own,
    /// for a first look and for tests, without a file or a download.
    ///
    /// Its weights are for research and evaluation only; [`Pack::licence`] says so, and `models/lite/LICENSE.md` why.
    /// What they can and cannot do is in `models/lite/MODEL_CARD.md`.
    ///
    /// Errors as [`Pack::open`] does, if the program was damaged.
    pub fn lite() -> Result<Pack> {
        Pack::embedded(MANIFEST, &FILES).context_with(|| "the built-in pack".into())
    }
}
