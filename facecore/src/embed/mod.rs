//! Faces to embeddings, in batches.

mod batch;

use crate::align::{AlignedFace, Aligner};
use crate::backend::{Placement, RuntimeOptions, Session, open_session};
use crate::embedding::{Embedding, EmbeddingSpace};
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::geometry::Landmarks;
use crate::image::ImageView;
use crate::model::{EmbedderSpec, ModelSource, PortInfo};
use crate::preprocess::Values;
use crate::scratch::ScratchPool;

pub(crate) use batch::FaceBatch;

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
    aligner: Aligner,
    values: Values,
    options: EmbedderOptions,
    space: EmbeddingSpace,
    /// Which of the model's outputs holds the embedding, and how long it is.
    output: usize,
    model_dimension: usize,
    /// The batch size of a model that takes no other.
    fixed_batch: Option<usize>,
    batches: ScratchPool<FaceBatch>,
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
        let mut embedder = Embedder {
            aligner: Aligner::new(spec.template.clone()),
            values: Values::new(&spec.normalization),
            batches: ScratchPool::new(),
            model_dimension: 0,
            session,
            spec,
            options,
            space,
            output,
            fixed_batch,
        };
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
        self.embed_each(faces.len(), |at, batch| self.push_aligned(batch, &faces[at]))
    }

    /// The embeddings of the faces in an image whose landmarks (pixels of the upright image) are given, in their order:
    /// as aligning and [`Embedder::embed`] give them, but no crops are made, and no memory is taken but for the answer.
    ///
    /// Errors as [`Aligner::align`] and [`Embedder::embed`] do.
    pub fn embed_landmarks<'a>(
        &self,
        image: impl Into<ImageView<'a>>,
        landmarks: &[Landmarks],
    ) -> Result<Vec<Embedding>> {
        let image = image.into();
        self.embed_each(landmarks.len(), |at, batch| self.push(batch, &image, &landmarks[at]))
    }

    fn embed_each(&self, count: usize, push: impl Fn(usize, &mut FaceBatch) -> Result<()>) -> Result<Vec<Embedding>> {
        let span = tracing::debug_span!("embed", faces = count);
        let _entered = span.enter();
        self.with_batch(|batch| {
            (0..count).try_for_each(|at| push(at, batch))?;
            self.flush(batch)?;
            let mut embeddings = Vec::with_capacity(count);
            for face in 0..count {
                embeddings.push(self.embedding(batch, face)?);
            }
            Ok(embeddings)
        })
    }

    /// Lends an empty batch.
    pub(crate) fn with_batch<R>(&self, work: impl FnOnce(&mut FaceBatch) -> R) -> R {
        self.batches.with(|batch| {
            batch.clear();
            work(batch)
        })
    }

    /// The embedding of a face whose batch has run.
    pub(crate) fn embedding(&self, batch: &mut FaceBatch, face: usize) -> Result<Embedding> {
        Embedding::from_raw(self.raw(batch, face), self.space.clone()).map_err(faulty_output)
    }

    /// As [`Embedder::embedding`], in the memory of another embedding that nobody shares.
    pub(crate) fn embedding_into(&self, batch: &mut FaceBatch, face: usize, embedding: &mut Embedding) -> Result<()> {
        embedding.assign_raw(self.raw(batch, face), &self.space).map_err(faulty_output)
    }

    /// Runs a black crop to learn what the file does not say.
    fn probe_dimension(&self) -> Result<usize> {
        let (width, height) = self.spec.template.size;
        let black = AlignedFace::from_rgb(width, height, vec![0; width * height * 3])?;
        self.with_batch(|batch| {
            self.push_aligned(batch, &black)?;
            self.flush(batch)?;
            match batch.columns() {
                0 => fail!(ModelMismatch, "output `{}` is empty", self.session.outputs()[self.output].name),
                columns => Ok(columns),
            }
        })
    }
}

fn faulty_output(error: Error) -> Error {
    Error::new(ErrorKind::ModelOutput, format!("{}; the model file or the runtime is faulty", error.message()))
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
