//! Galleries: what concerns all of one.

use std::ffi::{CString, c_char};

use facecore::gallery::{Durability, GalleryOptions, IndexKind};
use facecore::{Error, ErrorKind, Gallery, Result};

use crate::handle::{Out, free, handle, value};
use crate::input::{OutStruct, path, read_options, text, versioned};
use crate::namespace::{People, facecore_namespace};
use crate::status::guard;
use crate::text::{facecore_texts, texts};

/// Namespaces of people, in a folder or in memory.
pub struct facecore_gallery(Gallery);
handle!(facecore_gallery, Gallery, "gallery");

/// `FACECORE_INDEX_HNSW` from so many faces on that it is twice as fast, by two measurements on this processor, and else
/// `FACECORE_INDEX_FLAT`.
pub const FACECORE_INDEX_AUTO: i32 = 0;
/// Every search looks at all faces, most of them only as 512 signs.
pub const FACECORE_INDEX_FLAT: i32 = 1;
/// A graph leads searches to the faces that are near. A thread makes it, and `facecore_gallery_compact` does; until then
/// faces are scanned.
pub const FACECORE_INDEX_HNSW: i32 = 2;

/// How a gallery is opened. All zero is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_gallery_options {
    /// `sizeof(facecore_gallery_options)`.
    pub struct_size: usize,
    /// 1: a gallery that is not there is `FACECORE_GALLERY_NOT_FOUND`; 0: it is made, unless `read_only` is set.
    pub must_exist: i32,
    /// 1 opens the gallery for reading: any number of processes may do so at a time, as long as none has it open for
    /// writing.
    pub read_only: i32,
    /// 1: a crash or a loss of power may cost the last changes, but leaves none half done, and `facecore_gallery_flush`
    /// makes them durable; 0: every change is on disk when the call returns.
    pub relaxed: i32,
    /// What faces are found with, one of `FACECORE_INDEX_…`; it may be another one each time the gallery is opened.
    pub index: i32,
    /// After how many changed faces and people what searches need is written to files; 0 stands for 32,768.
    pub snapshot_every: usize,
    /// Memory for the rows read last, in bytes; 0 stands for 64 MiB.
    pub cache_bytes: usize,
}

/// What a gallery takes up.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_gallery_stats {
    /// `sizeof(facecore_gallery_stats)`.
    pub struct_size: usize,
    /// Namespaces.
    pub namespaces: usize,
    /// People in all of them.
    pub persons: usize,
    /// Faces of all people.
    pub faces: usize,
    /// Removed faces that searches still step over; `facecore_gallery_compact` drops them. 0 does not mean that there is
    /// nothing left to be erased: compact after removals.
    pub removed_faces: usize,
    /// Bytes of the store: its file, or keys and values in memory.
    pub store_bytes: u64,
    /// Bytes of the files that searching structures are mapped from; 0 in memory.
    pub index_bytes: u64,
    /// Bytes of exact vectors that searches use.
    pub vector_bytes: u64,
    /// Bytes in memory, or mapped, beside the exact vectors.
    pub search_bytes: u64,
}

/// What a check of a gallery found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_verify_report {
    /// `sizeof(facecore_verify_report)`.
    pub struct_size: usize,
    /// People looked at.
    pub persons: usize,
    /// Faces looked at.
    pub faces: usize,
    /// How many things are wrong; 0 if the gallery is sound.
    pub problems: usize,
    /// Probes made from faces to compare the default search with the exact one.
    pub probes: usize,
    /// For how many of these both found the same person.
    pub agreeing: usize,
}

versioned!(facecore_gallery_options, facecore_gallery_stats, facecore_verify_report);

/// Opens the gallery in a folder, which is made if it is not there. `options` may be NULL. The gallery is closed when it
/// and all its namespaces are freed.
///
/// Errors: `FACECORE_GALLERY_LOCKED` if it is open already, in another process or this one, `FACECORE_GALLERY_CORRUPT`,
/// `FACECORE_GALLERY_NOT_FOUND` if none is to be made, `FACECORE_INVALID_ARGUMENT` if the folder holds other files,
/// `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_open(
    folder: *const c_char,
    options: *const facecore_gallery_options,
    gallery: *mut *mut facecore_gallery,
) -> i32 {
    guard(|| {
        let out = Out::new(gallery, "gallery")?;
        let options = read_options(options)?;
        let durability = if options.relaxed == 0 { Durability::Full } else { Durability::Relaxed };
        let mut wanted = GalleryOptions::default()
            .create(options.must_exist == 0)
            .read_only(options.read_only != 0)
            .durability(durability)
            .index(index_kind(options.index)?);
        if options.snapshot_every > 0 {
            wanted = wanted.snapshot_every(options.snapshot_every);
        }
        if options.cache_bytes > 0 {
            wanted = wanted.cache_bytes(options.cache_bytes);
        }
        out.give(Gallery::open_with(path(folder, "folder")?, &wanted)?);
        Ok(())
    })
}

fn index_kind(index: i32) -> Result<IndexKind> {
    match index {
        FACECORE_INDEX_AUTO => Ok(IndexKind::Auto),
        FACECORE_INDEX_FLAT => Ok(IndexKind::Flat),
        FACECORE_INDEX_HNSW => Ok(IndexKind::Hnsw),
        other => {
            let message = format!("`index` is one of FACECORE_INDEX_…, 0 to 2, not {other}");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

/// Makes an empty gallery in memory, which is gone when it and all its namespaces are freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_in_memory(gallery: *mut *mut facecore_gallery) -> i32 {
    guard(|| {
        let out = Out::new(gallery, "gallery")?;
        out.give(Gallery::in_memory());
        Ok(())
    })
}

/// The namespace called `name`, which is made if it is not there.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if the name is empty or longer than 512 bytes, `FACECORE_NAMESPACE_NOT_FOUND` if it
/// is not there and the gallery was opened for reading only, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_namespace(
    gallery: *const facecore_gallery,
    name: *const c_char,
    namespace: *mut *mut facecore_namespace,
) -> i32 {
    guard(|| {
        let out = Out::new(namespace, "namespace")?;
        let gallery = value(gallery)?;
        out.give(People::new(gallery, gallery.namespace(text(name, "name")?)?));
        Ok(())
    })
}

/// The namespace called `name`, if it is there.
///
/// Errors: `FACECORE_NAMESPACE_NOT_FOUND`; the message names those that exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_existing_namespace(
    gallery: *const facecore_gallery,
    name: *const c_char,
    namespace: *mut *mut facecore_namespace,
) -> i32 {
    guard(|| {
        let out = Out::new(namespace, "namespace")?;
        let gallery = value(gallery)?;
        out.give(People::new(gallery, gallery.existing_namespace(text(name, "name")?)?));
        Ok(())
    })
}

/// The names of all namespaces, sorted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_namespaces(
    gallery: *const facecore_gallery,
    names: *mut *mut facecore_texts,
) -> i32 {
    guard(|| {
        let out = Out::new(names, "names")?;
        out.give(texts(value(gallery)?.namespaces()));
        Ok(())
    })
}

/// Removes a namespace with everybody in it. Handles to it stay behind but give `FACECORE_NAMESPACE_NOT_FOUND`.
///
/// Errors: `FACECORE_NAMESPACE_NOT_FOUND`, `FACECORE_GALLERY_READ_ONLY`, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_drop_namespace(gallery: *const facecore_gallery, name: *const c_char) -> i32 {
    guard(|| value(gallery)?.drop_namespace(text(name, "name")?))
}

/// Makes durable what was changed so far. Of use with `relaxed` only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_flush(gallery: *const facecore_gallery) -> i32 {
    guard(|| value(gallery)?.flush())
}

/// Gives back the space of what was removed, and erases it: afterwards no file of the gallery holds anything of faces and
/// people that were removed before. Searches go on meanwhile; changes wait. The files of a small gallery take about 1 MiB
/// as long as it is open, however little is in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_compact(gallery: *const facecore_gallery) -> i32 {
    guard(|| value(gallery)?.compact())
}

/// Writes a verified copy of the gallery to another folder, which is made, or empty. Changes and searches go on meanwhile.
///
/// Errors: `FACECORE_INVALID_ARGUMENT` if the folder is not empty or the gallery lives in memory,
/// `FACECORE_GALLERY_CORRUPT`, `FACECORE_IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_backup(gallery: *const facecore_gallery, folder: *const c_char) -> i32 {
    guard(|| value(gallery)?.backup(path(folder, "folder")?))
}

/// Reads everything and checks it. `problems` may be NULL; else it gets what is wrong, in words, an empty list if the
/// gallery is sound.
///
/// Errors if the gallery cannot be read at all; what is wrong with its contents is in the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_verify(
    gallery: *const facecore_gallery,
    report: *mut facecore_verify_report,
    problems: *mut *mut facecore_texts,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(report)?;
        let found = value(gallery)?.verify()?;
        if !problems.is_null() {
            let words: Vec<CString> = texts(&found.problems);
            Out::new(problems, "problems")?.give(words);
        }
        out.write(&facecore_verify_report {
            struct_size: 0,
            persons: found.persons,
            faces: found.faces,
            problems: found.problems.len(),
            probes: found.probes,
            agreeing: found.agreeing,
        });
        Ok(())
    })
}

/// What the gallery takes up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_get_stats(
    gallery: *const facecore_gallery,
    stats: *mut facecore_gallery_stats,
) -> i32 {
    guard(|| {
        let out = OutStruct::new(stats)?;
        let found = value(gallery)?.stats()?;
        let mut sum = facecore_gallery_stats {
            struct_size: 0,
            namespaces: found.namespaces.len(),
            persons: 0,
            faces: 0,
            removed_faces: 0,
            store_bytes: found.store_bytes,
            index_bytes: found.index_bytes,
            vector_bytes: 0,
            search_bytes: 0,
        };
        for namespace in &found.namespaces {
            sum.persons += namespace.persons;
            sum.faces += namespace.faces;
            sum.removed_faces += namespace.removed_faces;
            sum.vector_bytes += namespace.vector_bytes as u64;
            sum.search_bytes += namespace.search_bytes as u64;
        }
        out.write(&sum);
        Ok(())
    })
}

/// Frees a gallery; namespaces that were taken out of it keep it open until they are freed too. NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_free(gallery: *mut facecore_gallery) {
    free(gallery);
}
