//! Galleries as text, out and in: files, or the caller's own streams.

use std::ffi::{c_char, c_void};
use std::io::{BufReader, Read, Write};

use facecore::Result;
use facecore::gallery::{ExportReport, ImportReport};

use crate::gallery::facecore_gallery;
use crate::handle::{null, value};
use crate::input::{OutStruct, Versioned, path, versioned};
use crate::status::guard;

/// Takes `len` bytes of an export: 0 if they were taken, anything else ends the export with `FACECORE_IO`. `context` is the
/// caller's. It must return, not jump or throw, and must not change a gallery in memory that is being exported: it would
/// wait for itself.
pub type facecore_write = Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, len: usize) -> i32>;

/// Puts at most `capacity` bytes of an import into `bytes`: how many, 0 at the end, less than 0 to end the import with
/// `FACECORE_IO`. `context` is the caller's. It must return, not jump or throw.
pub type facecore_read = Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut u8, capacity: usize) -> i64>;

/// What an export wrote.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_export_report {
    /// `sizeof(facecore_export_report)`.
    pub struct_size: usize,
    /// People written.
    pub persons: usize,
    /// Faces written.
    pub faces: usize,
    /// How much is damaged in the store and was left out: faces, and names and metadata of persons.
    pub damaged: usize,
}

/// What an import added.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct facecore_import_report {
    /// `sizeof(facecore_import_report)`.
    pub struct_size: usize,
    /// People that were not in the gallery before.
    pub persons: usize,
    /// Faces that were not in the gallery before.
    pub faces: usize,
    /// Faces that their person had already, value for value; these were not added again.
    pub duplicates: usize,
    /// 1 if the faces have the ids they had where they were exported, else 0.
    pub kept_ids: i32,
    /// 0.
    pub reserved: i32,
}

versioned!(facecore_export_report, facecore_import_report);

impl From<ExportReport> for facecore_export_report {
    fn from(report: ExportReport) -> Self {
        let ExportReport { persons, faces, damaged, .. } = report;
        facecore_export_report { struct_size: 0, persons, faces, damaged: damaged.len() }
    }
}

impl From<ImportReport> for facecore_import_report {
    fn from(report: ImportReport) -> Self {
        let ImportReport { persons, faces, duplicates, kept_ids, .. } = report;
        facecore_import_report {
            struct_size: 0,
            persons,
            faces,
            duplicates,
            kept_ids: i32::from(kept_ids),
            reserved: 0,
        }
    }
}

/// A stream of the caller's to write to. After a failure it is not asked again.
struct Out {
    write: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> i32,
    context: *mut c_void,
    failed: bool,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.failed {
            return Err(std::io::Error::other("the caller's write function failed before"));
        }
        // SAFETY: the bytes can be read, and the function is one that the header describes.
        match unsafe { (self.write)(self.context, bytes.as_ptr(), bytes.len()) } {
            0 => Ok(bytes.len()),
            told => {
                self.failed = true;
                Err(std::io::Error::other(format!("the caller's write function returned {told}")))
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stream of the caller's to read from.
struct In {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i64,
    context: *mut c_void,
}

impl Read for In {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        // SAFETY: the bytes can be written, and the function is one that the header describes.
        let told = unsafe { (self.read)(self.context, bytes.as_mut_ptr(), bytes.len()) };
        match usize::try_from(told) {
            Ok(count) if count <= bytes.len() => Ok(count),
            _ => Err(std::io::Error::other(format!("the caller's read function returned {told}"))),
        }
    }
}

/// Writes everything the gallery holds to a stream of the caller's, as JSON Lines, sorted by namespace and person. All of
/// it is of one moment. It is biometric data: keep it accordingly. `report` may be NULL. `write` must not use the gallery,
/// whose changes may be waiting for it.
///
/// Errors: `FACECORE_IO` if `write` fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_export(
    gallery: *const facecore_gallery,
    write: facecore_write,
    context: *mut c_void,
    report: *mut facecore_export_report,
) -> i32 {
    guard(|| {
        let out = place(report)?;
        let write = write.ok_or_else(|| null("write function"))?;
        let done = value(gallery)?.export(Out { write, context, failed: false })?;
        tell(out, done.into())
    })
}

/// Where a report is wanted, if it is.
unsafe fn place<T: Versioned>(report: *mut T) -> Result<Option<OutStruct<T>>> {
    if report.is_null() { Ok(None) } else { OutStruct::new(report).map(Some) }
}

fn tell<T: Versioned>(place: Option<OutStruct<T>>, report: T) -> Result<()> {
    if let Some(place) = place {
        place.write(&report);
    }
    Ok(())
}

/// As `facecore_gallery_export`, into a new file that only its owner may read. Its name says what is written: NAME.npz has the
/// vectors for NumPy (arrays `embeddings`, `persons`, `namespaces`, `face_ids`) and NAME.jsonl beside it all else, NAME.csv is a
/// table of the people without their faces, and anything else is JSON Lines. A file has its name once it is complete.
///
/// Cells of a CSV are written as they are: one that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet. If strangers
/// chose ids or names, import it there as text. A name that is empty comes back as none.
///
/// Errors: `FACECORE_IO` if there is a file of that name or it cannot be written; a part of one is not left.
/// `FACECORE_INVALID_ARGUMENT` if an NPZ is to hold embeddings of different dimensions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_export_file(
    gallery: *const facecore_gallery,
    file: *const c_char,
    report: *mut facecore_export_report,
) -> i32 {
    guard(|| {
        let out = place(report)?;
        let done = value(gallery)?.export_to(path(file, "file")?)?;
        tell(out, done.into())
    })
}

/// Adds everything that an export wrote, read from a stream of the caller's, with one commit, or, on error, nothing.
/// `read` must not use the gallery. `report` may be NULL.
///
/// Errors: `FACECORE_GALLERY_CORRUPT` if it is malformed, `FACECORE_EMBEDDING_SPACE_MISMATCH` and
/// `FACECORE_DIMENSION_MISMATCH` if a namespace holds other embeddings, all naming the line, `FACECORE_IO` if `read` fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_import(
    gallery: *const facecore_gallery,
    read: facecore_read,
    context: *mut c_void,
    report: *mut facecore_import_report,
) -> i32 {
    guard(|| {
        let out = place(report)?;
        let read = read.ok_or_else(|| null("read function"))?;
        let done = value(gallery)?.import(BufReader::new(In { read, context }))?;
        tell(out, done.into())
    })
}

/// As `facecore_gallery_import`, from a file, whose name says what it is as with `facecore_gallery_export_file`. People of a CSV
/// without a column `namespace` go to the namespace `people`.
///
/// Errors: as that function, `FACECORE_IO` if the file cannot be read, and `FACECORE_INVALID_ARGUMENT` if it is a table that is
/// none of people, or an NPZ without its JSON Lines.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn facecore_gallery_import_file(
    gallery: *const facecore_gallery,
    file: *const c_char,
    report: *mut facecore_import_report,
) -> i32 {
    guard(|| {
        let out = place(report)?;
        let done = value(gallery)?.import_from(path(file, "file")?)?;
        tell(out, done.into())
    })
}
