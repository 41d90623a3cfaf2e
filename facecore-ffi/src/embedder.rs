//! Turning crops into embeddings.

use std::ffi::c_char;

use facecore::{AlignedFace, Aligner, Embedder, Error, ErrorKind, Result};

use crate::aligner::facecore_aligner;
use crate::detector::write_placement;
use crate::embedding::{facecore_embedding, facecore_space};
use crate::handle::{Out, boxed, free, handle, null, peek, value};
use crate::image::{facecore_image, view_of};
use crate::input::read_structs;
use crate::models::{builder, facecore_options, with_pack};
use crate::placement::{PlacementTexts, facecore_placement};
use crate::status::guard;

/// Turns aligned faces into embeddings.
pub struct facecore_embedder(Loaded);
handle!(facecore_embedder, Loaded, "embedder");

/// An embedder, and where it runs, as C reads it.
pub(crate) struct Loaded {
    embedder: Embedder,
    placement: PlacementTexts,
}

impl From<Embedder> for Loaded {
    fn from(embedder: Embedder) -> Loaded {
        Loaded { placement: embedder.placement().into(), embedder }
    }
}

/// Loads the embedder of a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
/// they name is passed over.
///
/// Errors: 3xx if the model is not there or not what it should be, 4xx if it cannot run as asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_open(
    pack: *const c_char,
    options: *const facecore_options,
    embedder: *mut *mut facecore_embedder,
) -> i32 {
    guard(|| {
        let out = Out::new(embedder, "embedder")?;
        out.give(with_pack(pack, options)?.build_embedder()?.into());
        Ok(())
    })
}

/// Loads an embedder as the options say.
///
/// Errors: as `facecore_embedder_open`, and `FACECORE_INVALID_ARGUMENT` if none is named.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_new(
    options: *const facecore_options,
    embedder: *mut *mut facecore_embedder,
) -> i32 {
    guard(|| {
        let out = Out::new(embedder, "embedder")?;
        out.give(builder(options)?.build_embedder()?.into());
        Ok(())
    })
}

/// The embeddings of `count` crops, in their order and in as few runs of the model as it takes; crops may be of many
/// images. `embeddings` takes `count` handles, each to be freed; on error none is written.
///
/// Errors: `FACECORE_DIMENSION_MISMATCH` if a crop has another size than the embedder's aligner cuts,
/// `FACECORE_IMAGE_LAYOUT`, `FACECORE_MODEL_OUTPUT`, `FACECORE_INFERENCE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_embed(
    embedder: *const facecore_embedder,
    crops: *const facecore_image,
    count: usize,
    embeddings: *mut *mut facecore_embedding,
) -> i32 {
    guard(|| {
        let embedder = &value(embedder)?.embedder;
        if count > 0 && embeddings.is_null() {
            return Err(null("array of embeddings"));
        }
        let crops = read_structs(crops, count)?;
        let crops = crops.iter().map(|crop| AlignedFace::from_view(view_of(crop)?)).collect::<Result<Vec<_>>>()?;
        let found = embedder.embed(&crops)?;
        if found.len() != count {
            return Err(Error::new(ErrorKind::Internal, "there is not one embedding for each crop"));
        }
        for (at, embedding) in found.into_iter().enumerate() {
            embeddings.add(at).write(boxed(embedding));
        }
        Ok(())
    })
}

/// How many values an embedding has; 0 of NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_dimension(embedder: *const facecore_embedder) -> usize {
    peek(embedder).map_or(0, |loaded| loaded.embedder.dimension())
}

/// The space of the embeddings, with its threshold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_space(
    embedder: *const facecore_embedder,
    space: *mut *mut facecore_space,
) -> i32 {
    guard(|| {
        let out = Out::new(space, "space")?;
        out.give(value(embedder)?.embedder.space().clone().into());
        Ok(())
    })
}

/// The aligner that cuts crops as the embedder wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_aligner(
    embedder: *const facecore_embedder,
    aligner: *mut *mut facecore_aligner,
) -> i32 {
    guard(|| {
        let out = Out::new(aligner, "aligner")?;
        out.give(Aligner::new(value(embedder)?.embedder.spec().template.clone()));
        Ok(())
    })
}

/// What really runs the embedder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_get_placement(
    embedder: *const facecore_embedder,
    placement: *mut facecore_placement,
) -> i32 {
    guard(|| write_placement(placement, &value(embedder)?.placement))
}

/// Frees an embedder. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_embedder_free(embedder: *mut facecore_embedder) {
    free(embedder);
}
