//! Going through what is to be exported.

use std::sync::Arc;

use super::{ExportReport, Teller};
use crate::embedding::EmbeddingSpace;
use crate::error::{Error, ErrorKind, Result, fail};
use crate::gallery::change::{metadata_of, pin_of};
use crate::gallery::namespace::person_of;
use crate::gallery::view::View;
use crate::gallery::{FaceId, Metadata, Person, Shared};
use crate::store::Read;
use crate::store::schema::{NamespaceRow, PersonRow, Rows};

/// A gallery as of one moment: going through it twice gives the same.
pub(super) struct Walk<'a> {
    rows: Rows<'a>,
    namespaces: Vec<(String, Result<Found>)>,
    /// The lowest id that was never given out.
    pub next_face: u64,
}

/// A namespace's row, and what searches see of it.
type Found = (NamespaceRow, Arc<View>);

/// What an export is made of, in this order. What is damaged is not shown.
pub(super) trait Sink {
    fn namespace(&mut self, of: &Of<'_>) -> Result<()>;
    fn person(&mut self, of: &Of<'_>, person: &Person) -> Result<()>;
    fn face(&mut self, of: &Of<'_>, person: &Person, face: Stored<'_>) -> Result<()>;
}

/// A namespace, and what it is pinned to.
pub(super) struct Of<'a> {
    pub namespace: &'a str,
    pub pin: Option<(EmbeddingSpace, usize)>,
}

/// A face without what it has from its person and namespace.
pub(super) struct Stored<'a> {
    pub id: FaceId,
    pub norm: f32,
    pub quality: Option<f32>,
    pub source: Option<String>,
    pub metadata: Metadata,
    pub values: &'a [f32],
}

impl<'a> Walk<'a> {
    /// Of one namespace, or of all.
    pub fn new(shared: &Shared, read: &'a dyn Read, only: Option<&str>) -> Result<Walk<'a>> {
        let rows = Rows(read);
        let entries = rows.namespace_entries()?.into_iter().filter(|(name, _)| only.is_none_or(|only| only == name));
        let namespaces = entries.map(|(name, row)| {
            let view = shared.slot(&name).and_then(|slot| slot.view.load_full()).unwrap_or_default();
            (name, row.map(|row| (row, view)))
        });
        let next_face = if only.is_none() { rows.next_face()? } else { 1 };
        Ok(Walk { rows, namespaces: namespaces.collect(), next_face })
    }

    /// Spaces and dimensions of the namespaces.
    #[cfg(feature = "exchange")]
    pub fn pins(&self) -> impl Iterator<Item = (EmbeddingSpace, usize)> {
        self.namespaces.iter().filter_map(|(_, found)| pin_of(&found.as_ref().ok()?.0))
    }

    /// People and faces.
    pub fn items(&self) -> u64 {
        let views = self.namespaces.iter().filter_map(|(_, found)| found.as_ref().ok());
        views.map(|(_, view)| (view.directory.len() + view.faces()) as u64).sum()
    }

    /// Shows everything to `sink`, and tells how much that was.
    pub fn go(&self, sink: &mut impl Sink, teller: &mut Teller<'_>) -> Result<ExportReport> {
        let mut report = ExportReport::default();
        for (namespace, found) in &self.namespaces {
            match found {
                Ok((row, view)) => {
                    let of = Of { namespace, pin: pin_of(row) };
                    self.namespace(&of, row, view, sink, &mut report, teller)?;
                }
                Err(error) => report.damaged.push(Error::new(error.kind(), error.to_string())),
            }
        }
        Ok(report)
    }

    fn namespace(
        &self,
        of: &Of<'_>,
        row: &NamespaceRow,
        view: &View,
        sink: &mut impl Sink,
        report: &mut ExportReport,
        teller: &mut Teller<'_>,
    ) -> Result<()> {
        sink.namespace(of)?;
        for entry in self.rows.person_entries(row.number, "")? {
            let (id, found) = entry?;
            let found = match found {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::GalleryCorrupt => {
                    report.damaged.push(error);
                    let Some(number) = view.directory.number_of(&id) else { continue };
                    PersonRow { number, name: None, metadata: String::new() }
                }
                Err(error) => return Err(error),
            };
            let person = person_of(&self.rows, row.number, &id, found)?;
            sink.person(of, &person)?;
            report.persons += 1;
            for face in &person.faces {
                match self.face(of, &person, *face, view, sink) {
                    Ok(()) => report.faces += 1,
                    Err(error) if error.kind() == ErrorKind::GalleryCorrupt => report.damaged.push(error),
                    Err(error) => return Err(error),
                }
            }
            teller.add(1 + person.faces.len() as u64)?;
        }
        Ok(())
    }

    fn face(&self, of: &Of<'_>, person: &Person, id: FaceId, view: &View, sink: &mut impl Sink) -> Result<()> {
        let Some(row) = self.rows.face(id.get())? else {
            fail!(GalleryCorrupt, "face {id} is listed, but not stored");
        };
        let values = if row.values.is_empty() { view.values(id.get()) } else { Some(&*row.values) };
        let Some(values) = values else { fail!(GalleryCorrupt, "face {id} has no vector") };
        let metadata = metadata_of(&row.metadata)?;
        sink.face(of, person, Stored { id, norm: row.norm, quality: row.quality, source: row.source, metadata, values })
    }
}
