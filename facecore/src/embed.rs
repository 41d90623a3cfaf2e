//! Crops to embeddings, in batches.

use crate::align::AlignedFace;
use crate::backend::{Outputs, Placement, RuntimeOptions, Session, TensorView, open_session};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::model::{EmbedderSpec, ModelSource, PortInfo};
use crate::preprocess::write_planes;

/// Faces of one run, at most. More would cost memory (38 kB of `f32` a channel and face at 112 x 112)
/// and no longer gain speed.
const MAX_BATCH: usize = 32;

/// The largest batch a file may fix.
const MAX_FIXED_BATCH: usize = 256;

/// Whether the mirrored face is embedded too. It doubles the cost; on LFW it gains about a tenth of a
/// percent (MobileFaceNet, folds 1 to 5: 99.10 to 99.23 %).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FlipAugmentation {
    /// The face as it is.
    #[default]
    None,
    /// The sum of both outputs.
    Sum,
    /// Both outputs one after the other: twice the dimension.
    Concat,
}

/// Settings of an [`Embedder`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbedderOptions {
    /// Whether the mirrored face is embedded too. Embeddings made with another setting are not comparable:
    /// it is part of the embedding space.
    pub flip: FlipAugmentation,
    /// The cosine from which on two faces are taken for the same person. `None` takes the model's.
    pub threshold: Option<f32>,
}

/// Turns aligned faces into embeddings. May be shared by any number of threads.
pub struct Embedder {
    session: Box<dyn Session>,
    spec: EmbedderSpec,
    options: EmbedderOptions,
    space: EmbeddingSpace,
    /// Which of the model's outputs holds the embedding, and how long it is.
    output: usize,
    model_dimension: usize,
    /// The batch size of a model that takes no other.
    fixed_batch: Option<usize>,
}

impl Embedder {
    /// Loads an embedder.
    ///
    /// Errors with `ModelMismatch` naming the port that differs if the file is not what `spec` says, and
    /// as [`open_session`] does.
    pub fn load(
        model: &ModelSource,
        spec: EmbedderSpec,
        runtime: &RuntimeOptions,
        options: EmbedderOptions,
    ) -> Result<Embedder> {
        if options.threshold.is_some_and(|threshold| !(-1.0..=1.0).contains(&threshold)) {
            fail!(InvalidArgument, "a threshold is a cosine, -1 to 1");
        }
        spec.check()?;
        let session = open_session(model, runtime)?;
        let space = space_of(model, &spec, &options);
        Self::bind(session, spec, options, space).context_with(|| model.name().to_string())
    }

    fn bind(
        session: Box<dyn Session>,
        spec: EmbedderSpec,
        options: EmbedderOptions,
        space: EmbeddingSpace,
    ) -> Result<Embedder> {
        let fixed_batch = check_input(session.inputs(), &spec)?;
        let (output, declared) = find_output(session.outputs(), &spec)?;
        let mut embedder = Embedder { session, spec, options, space, output, model_dimension: 0, fixed_batch };
        embedder.model_dimension = match declared.or(embedder.spec.dimension) {
            Some(dimension) => dimension,
            None => embedder.probe_dimension()?,
        };
        Ok(embedder)
    }

    /// The length of the embeddings.
    pub fn dimension(&self) -> usize {
        match self.options.flip {
            FlipAugmentation::Concat => 2 * self.model_dimension,
            FlipAugmentation::None | FlipAugmentation::Sum => self.model_dimension,
        }
    }

    /// The space of the embeddings, with its decision threshold.
    pub fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    /// How the model is fed and read.
    pub fn spec(&self) -> &EmbedderSpec {
        &self.spec
    }

    /// What really runs where.
    pub fn placement(&self) -> &Placement {
        self.session.placement()
    }

    /// The embeddings of aligned faces, in their order; they may come from many images.
    ///
    /// Errors with `DimensionMismatch` if a crop has another size than the template, `ModelOutput` if the
    /// model gives NaN or zeros, and with `Inference`.
    pub fn embed(&self, faces: &[AlignedFace]) -> Result<Vec<Embedding>> {
        let span = tracing::debug_span!("embed", faces = faces.len());
        let _entered = span.enter();
        let (width, height) = self.spec.template.size;
        if let Some(face) =
            faces.iter().map(AlignedFace::image).find(|face| (face.width(), face.height()) != (width, height))
        {
            fail!(
                DimensionMismatch,
                "the model takes crops of {width} x {height} pixels, not {} x {}; align with its template {}",
                face.width(),
                face.height(),
                self.spec.template.name
            );
        }
        let mut raw = self.run(faces)?;
        if self.options.flip != FlipAugmentation::None {
            let mirrored: Vec<AlignedFace> = faces.iter().map(AlignedFace::flipped).collect();
            for (values, other) in raw.iter_mut().zip(self.run(&mirrored)?) {
                match self.options.flip {
                    FlipAugmentation::Concat => values.extend(other),
                    _ => values.iter_mut().zip(other).for_each(|(value, other)| *value += other),
                }
            }
        }
        raw.into_iter().map(|values| self.finish(values)).collect()
    }

    fn finish(&self, values: Vec<f32>) -> Result<Embedding> {
        Embedding::from_raw(values, self.space.clone()).map_err(|error| {
            let message = format!("{}; the model file or the runtime is faulty", error.message());
            Error::new(ErrorKind::ModelOutput, message)
        })
    }

    /// The model's raw outputs, in batches of the size it takes.
    fn run(&self, faces: &[AlignedFace]) -> Result<Vec<Vec<f32>>> {
        let (width, height) = self.spec.template.size;
        let face_values = 3 * width * height;
        let mut raw = Vec::with_capacity(faces.len());
        let (mut tensor, mut outputs) = (Vec::new(), Outputs::new());
        for batch in faces.chunks(self.fixed_batch.unwrap_or(MAX_BATCH)) {
            // A model of fixed batch gets its last batch filled up with zeros.
            let rows = self.fixed_batch.unwrap_or(batch.len());
            tensor.clear();
            tensor.resize(rows * face_values, 0.0);
            for (face, planes) in batch.iter().zip(tensor.chunks_exact_mut(face_values)) {
                write_planes(face.image().pixels(), (width, height), (width, height), &self.spec.normalization, planes);
            }
            let shape = [rows, 3, height, width];
            self.session.run(&[TensorView { shape: &shape, data: &tensor }], &mut outputs)?;
            let data = outputs.get(self.output).map_or(&[][..], |output| &output.data);
            let dimension = data.len() / rows;
            if dimension * rows != data.len() || (self.model_dimension != 0 && dimension != self.model_dimension) {
                fail!(
                    ModelOutput,
                    "the model gave {} values for {rows} faces, {} a face were expected",
                    data.len(),
                    self.model_dimension
                );
            }
            raw.extend(data.chunks_exact(dimension.max(1)).take(batch.len()).map(<[f32]>::to_vec));
        }
        Ok(raw)
    }

    /// Runs a black crop to learn what the file does not say.
    fn probe_dimension(&self) -> Result<usize> {
        let (width, height) = self.spec.template.size;
        let black = AlignedFace::from_rgb(width, height, vec![0; width * height * 3])?;
        match self.run(&[black])?.first() {
            Some(values) if !values.is_empty() => Ok(values.len()),
            _ => fail!(ModelMismatch, "output `{}` is empty", self.session.outputs()[self.output].name),
        }
    }
}

/// The space's name: what the spec says, or the file's SHA-256, the template, and a fingerprint of all else
/// that decides what a face becomes; then the augmentation.
fn space_of(model: &ModelSource, spec: &EmbedderSpec, options: &EmbedderOptions) -> EmbeddingSpace {
    let base = match &spec.space {
        Some(name) => name.clone(),
        None => {
            let preparation = format!("{:?} {:?} {:?}", spec.normalization, spec.template, spec.output);
            let fingerprint = ModelSource::from_bytes("preparation", preparation.into_bytes()).sha256();
            format!("sha256:{}/{}/{}", model.sha256(), spec.template.name, &fingerprint[..8])
        }
    };
    let id = match options.flip {
        FlipAugmentation::None => base,
        FlipAugmentation::Sum => format!("{base}+flip-sum"),
        FlipAugmentation::Concat => format!("{base}+flip-concat"),
    };
    EmbeddingSpace::new(id, options.threshold.unwrap_or(spec.threshold))
}

/// Checks the input port; gives the batch size of a model that takes no other.
fn check_input(inputs: &[PortInfo], spec: &EmbedderSpec) -> Result<Option<usize>> {
    let (width, height) = spec.template.size;
    let [port] = inputs else {
        fail!(ModelMismatch, "an embedder has one input, this model has {}", inputs.len());
    };
    if spec.input.as_ref().is_some_and(|name| *name != port.name) {
        fail!(ModelMismatch, "the input is called {port}, not `{}`", spec.input.as_deref().unwrap_or_default());
    }
    let takes = |dimension: Option<usize>, size: usize| dimension.is_none_or(|declared| declared == size);
    match port.shape.as_slice() {
        [batch, channels, rows, columns] if takes(*channels, 3) && takes(*rows, height) && takes(*columns, width) => {
            match batch {
                // The buffer is as long as the file says: a hostile one must not choose it.
                Some(batch) if *batch > MAX_FIXED_BATCH => {
                    fail!(
                        ModelMismatch,
                        "input {port} takes {batch} faces at once; at most {MAX_FIXED_BATCH} are supported"
                    )
                }
                batch => Ok(*batch),
            }
        }
        _ => fail!(
            ModelMismatch,
            "input {port} is not [batch, 3, {height}, {width}], which template {} needs",
            spec.template.name
        ),
    }
}

/// Which output holds the embedding, and its length if the file says.
fn find_output(outputs: &[PortInfo], spec: &EmbedderSpec) -> Result<(usize, Option<usize>)> {
    let all = || outputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let index = match &spec.output {
        Some(name) => outputs.iter().position(|port| port.name == *name),
        // AdaFace exports give the norm as a second output of one column.
        None => outputs.iter().position(|port| port.is_embedding()),
    };
    let Some(index) = index else {
        match &spec.output {
            Some(name) => fail!(ModelMismatch, "the model has no output `{name}`; it has {}", all()),
            None => fail!(ModelMismatch, "no output is [batch, dimension]; the model has {}", all()),
        }
    };
    let declared = outputs[index].shape.last().copied().flatten();
    match (declared, spec.dimension) {
        (Some(declared), Some(expected)) if declared != expected => {
            fail!(ModelMismatch, "output {} does not hold the {expected} values of the spec", outputs[index])
        }
        _ => Ok((index, declared)),
    }
}
