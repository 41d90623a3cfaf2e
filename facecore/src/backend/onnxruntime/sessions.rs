//! The sessions of one model, shared by all who call it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ort::session::{Session as OrtSession, SessionInputValue};
use ort::value::TensorRef;

use crate::backend::pool::Pool;
use crate::backend::{Outputs, Placement, Session, TensorView};
use crate::error::{Error, ErrorKind, Result, fail};
use crate::model::PortInfo;

/// `ort` runs a session through `&mut`: callers get one each, as many as the options allow.
pub(super) struct PooledSession {
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
    placement: Placement,
    pools: ShapePools,
}

pub(super) type Make = dyn Fn() -> Result<OrtSession> + Send + Sync;

/// The sessions for one shape.
type ShapePool = (Vec<usize>, Arc<Pool<OrtSession>>);

/// Sessions that have seen this many image sizes are kept: photos in landscape and portrait format of the usual
/// proportions, square ones, and the coarse pass of all.
const KEPT_SHAPES: usize = 8;

/// Sessions by the shape of their input. OpenVINO and TensorRT compile for the shapes they see, and
/// a session that is given a detector's two passes in turn prepares itself anew at every call. Providers that
/// do not compile have one pool for all shapes.
struct ShapePools {
    by_shape: bool,
    /// The most recently used last.
    pools: Mutex<Vec<ShapePool>>,
    make: Arc<Make>,
    limit: usize,
}

impl ShapePools {
    fn new(first: OrtSession, limit: usize, by_shape: bool, make: Arc<Make>) -> Self {
        let pool = Arc::new(Self::pool(first, limit, &make));
        // The session made at load has seen no shape yet and serves the first one that comes.
        ShapePools { by_shape, pools: Mutex::new(vec![(Vec::new(), pool)]), make, limit }
    }

    fn pool(first: OrtSession, limit: usize, make: &Arc<Make>) -> Pool<OrtSession> {
        let make = make.clone();
        Pool::new(first, limit, move || make())
    }

    /// The sessions for an input of this shape.
    fn of(&self, inputs: &[TensorView<'_>]) -> Result<Arc<Pool<OrtSession>>> {
        let key = match inputs.first() {
            Some(input) if self.by_shape => input.shape.to_vec(),
            _ => Vec::new(),
        };
        {
            let mut pools = self.lock();
            if let Some(at) = pools.iter().position(|(shape, _)| *shape == key || shape.is_empty()) {
                let (_, pool) = pools.remove(at);
                pools.push((key, pool.clone()));
                return Ok(pool);
            }
        }
        // Made outside the lock: compiling takes time, and other shapes need not wait for it.
        let pool = Arc::new(Self::pool((self.make)()?, self.limit, &self.make));
        let mut pools = self.lock();
        if let Some((_, made_meanwhile)) = pools.iter().find(|(shape, _)| *shape == key) {
            return Ok(made_meanwhile.clone());
        }
        pools.push((key, pool.clone()));
        if pools.len() > KEPT_SHAPES {
            pools.remove(0);
        }
        Ok(pool)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ShapePool>> {
        // The list is whole at every step.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PooledSession {
    /// Sessions that begin with `first`; up to `limit` at a time, for each input shape if the provider
    /// `compiles_shapes`.
    pub(super) fn new(
        inputs: Vec<PortInfo>,
        outputs: Vec<PortInfo>,
        placement: Placement,
        first: OrtSession,
        limit: usize,
        compiles_shapes: bool,
        make: Arc<Make>,
    ) -> Self {
        let pools = ShapePools::new(first, limit, compiles_shapes, make);
        PooledSession { inputs, outputs, placement, pools }
    }
}

impl Session for PooledSession {
    fn inputs(&self) -> &[PortInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[PortInfo] {
        &self.outputs
    }

    fn placement(&self) -> &Placement {
        &self.placement
    }

    fn compiles_shapes(&self) -> bool {
        self.pools.by_shape
    }

    fn run(&self, inputs: &[TensorView<'_>], outputs: &mut Outputs) -> Result<()> {
        let failed = |error: ort::Error| {
            Error::new(ErrorKind::Inference, format!("ONNX Runtime failed: {error}")).with_source(error)
        };
        let values = inputs
            .iter()
            .zip(&self.inputs)
            .map(|(tensor, port)| {
                Ok((port.name.as_str(), TensorRef::from_array_view((tensor.shape, tensor.data))?.into()))
            })
            .collect::<ort::Result<Vec<(&str, SessionInputValue<'_>)>>>()
            .map_err(failed)?;
        self.pools.of(inputs)?.with(|session| {
            let results = session.run(values).map_err(failed)?;
            for (port, tensor) in self.outputs.iter().zip(outputs.prepare(self.outputs.len())) {
                let Some(value) = results.get(&port.name) else {
                    fail!(Inference, "ONNX Runtime gave no output {port}");
                };
                let (shape, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
                tensor.assign(shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)), data);
            }
            Ok(())
        })
    }
}
