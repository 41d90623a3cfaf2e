//! The grid of cells that anchor-free detectors predict from, and checks on their ports.

use crate::backend::Tensor;
use crate::error::{Result, fail};
use crate::model::PortInfo;

/// One level of a detector's pyramid: cells of `stride` pixels with `anchors` predictions each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub(super) stride: usize,
    pub(super) anchors: usize,
}

impl Level {
    /// How many predictions an input of `canvas` pixels has.
    pub(super) fn predictions(&self, canvas: (usize, usize)) -> usize {
        (canvas.0 / self.stride).saturating_mul(canvas.1 / self.stride).saturating_mul(self.anchors)
    }

    /// Column and row of the cell that prediction `index` belongs to.
    pub(super) fn cell(&self, index: usize, canvas: (usize, usize)) -> (f32, f32) {
        let columns = canvas.0 / self.stride;
        let cell = index / self.anchors;
        ((cell % columns) as f32, (cell / columns) as f32)
    }
}

/// An output port of a detector: where it stands among the outputs and how wide its rows are.
#[derive(Debug, Clone)]
pub(super) struct Output {
    index: usize,
    name: String,
    channels: usize,
}

impl Output {
    /// Takes `port` as an output of `channels` values a prediction, checking what the file declares of it.
    pub(super) fn bind(
        ports: &[PortInfo],
        port: &PortInfo,
        channels: usize,
        level: Level,
        size: Option<(usize, usize)>,
        family: &str,
    ) -> Result<Output> {
        if let Some(Some(declared)) = port.shape.last()
            && *declared != channels
        {
            let hint = if channels == 1 && *declared == 2 { "; is this a RetinaFace model?" } else { "" };
            fail!(
                ModelMismatch,
                "output {port} has {declared} values a prediction, {family} at stride {} has {channels}{hint}",
                level.stride
            );
        }
        let rows = port.shape.len().checked_sub(2).and_then(|at| port.shape[at]);
        if let (Some(rows), Some(size)) = (rows, size)
            && rows != level.predictions(size)
        {
            fail!(
                ModelMismatch,
                "output {port} has {rows} predictions, {family} at stride {} has {} for an input of {} x {}",
                level.stride,
                level.predictions(size),
                size.0,
                size.1
            );
        }
        let index = ports.iter().position(|other| other.name == port.name).unwrap_or_default();
        Ok(Output { index, name: port.name.clone(), channels })
    }

    /// The values of this output, `channels` for each of `predictions`.
    pub(super) fn rows<'t>(&self, outputs: &'t [Tensor], predictions: usize) -> Result<&'t [f32]> {
        let data = outputs.get(self.index).map_or(&[][..], |tensor| &tensor.data);
        if data.len() != predictions * self.channels {
            fail!(
                ModelOutput,
                "output `{}` has {} values, {predictions} predictions of {} were expected",
                self.name,
                data.len(),
                self.channels
            );
        }
        Ok(data)
    }

    /// The error of a value that is no number.
    pub(super) fn not_finite<T>(&self) -> Result<T> {
        fail!(ModelOutput, "output `{}` holds NaN or infinity; the model file or the runtime is faulty", self.name)
    }
}

/// The ports named in a spec, in its order; or all, if it names none.
pub(super) fn named_ports<'p>(ports: &'p [PortInfo], names: &[String]) -> Result<Vec<&'p PortInfo>> {
    if names.is_empty() {
        return Ok(ports.iter().collect());
    }
    let find = |name: &String| match ports.iter().find(|port| port.name == *name) {
        Some(port) => Ok(port),
        None => fail!(ModelMismatch, "the model has no output `{name}`; it has {}", list(ports)),
    };
    names.iter().map(find).collect()
}

/// Ports as text.
pub(super) fn list(ports: &[PortInfo]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
