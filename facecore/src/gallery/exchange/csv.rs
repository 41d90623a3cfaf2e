//! Tables of people (CSV, RFC 4180), as spreadsheets write and read them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, Writer};

use super::plan::Contents;
use super::walk::{Of, Sink, Stored, Walk};
use super::{ExportReport, ImportFailure, ImportOptions, Step, Teller, open, write_failed};
use crate::embedding::Embedding;
use crate::error::{Context, Error, ErrorKind, Result, fail};
use crate::gallery::change::text_of;
use crate::gallery::{Metadata, NewFace, Person, PersonId, person};

/// What a table tells of people, see [`read_csv`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CsvPeople {
    /// The rows that are right, in their order.
    pub rows: Vec<CsvRow>,
    /// Those that are not, with the reason.
    pub failed: Vec<ImportFailure>,
    /// Whether there is a column `photo`.
    pub has_photos: bool,
    /// Whether there is a column `embedding`.
    pub has_embeddings: bool,
}

/// A row of a table of people.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CsvRow {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The namespace, if the row names one.
    pub namespace: Option<String>,
    /// Whom it is about.
    pub person: PersonId,
    /// The name to show.
    pub name: Option<String>,
    /// What is to be stored with the person, if anything is.
    pub metadata: Option<Metadata>,
    /// A photo of the person; relative paths are relative to the table's folder.
    pub photo: Option<PathBuf>,
    /// A face of the person, as the model gave it.
    pub embedding: Option<Vec<f32>>,
}

/// Reads a table of people, in UTF-8 with or without a byte order mark. The first line names the columns, which the first
/// of comma, semicolon and tab in it parts:
///
/// | column | |
/// | --- | --- |
/// | `person` (or `id`) | the person's id; the only one that has to be there |
/// | `name` | the name to show |
/// | `metadata` | a JSON object |
/// | `namespace` | the namespace |
/// | `photo` | a photo, relative to the table's folder; further rows of the person name further photos |
/// | `embedding` | a JSON array of numbers; further rows of the person hold further faces |
/// | `faces` | passed over: how many there are |
/// | any other | a text of the person's metadata, under the column's name |
///
/// An empty cell says nothing. A person has one row, unless there is a column for photos or embeddings.
///
/// Errors with `Io` if the file cannot be read, and with `InvalidArgument` if its columns are not such. What is wrong with
/// a row is told of that row.
pub fn read_csv(path: impl AsRef<Path>) -> Result<CsvPeople> {
    let path = path.as_ref();
    let mut nobody = |_| Ok(());
    let (file, _) = open(path)?;
    read(file, path.parent().unwrap_or(Path::new("")), &mut Teller::new(&mut nobody))
        .context_with(|| path.display().to_string())
}

fn read(mut file: BufReader<File>, folder: &Path, teller: &mut Teller<'_>) -> Result<CsvPeople> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(unreadable)?;
    let mut lines = Lines { text: text_of_table(&text), at: 0, line: 1 };
    let first = lines.text.iter().take_while(|byte| **byte != b'\n');
    let parting = first.copied().find(|byte| matches!(byte, b',' | b';' | b'\t')).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(parting).flexible(true).from_reader(lines.text);
    let columns = Columns::of(reader.byte_headers().map_err(broken)?)?;
    let mut people = CsvPeople {
        has_photos: columns.place(Column::Photo).is_some(),
        has_embeddings: columns.place(Column::Embedding).is_some(),
        ..CsvPeople::default()
    };
    let several = people.has_photos || people.has_embeddings;
    let mut seen = HashMap::new();
    let mut record = ByteRecord::new();
    let (mut before, mut last) = (0, (1, 0));
    while reader.read_byte_record(&mut record).map_err(broken)? {
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        let read = columns.row(&record, line, folder).and_then(|row| {
            let key = (row.namespace.clone(), row.person.clone());
            match seen.insert(key, line).filter(|_| !several) {
                Some(other) => fail!(InvalidArgument, "person `{}` is on line {other} already", row.person),
                None => Ok(row),
            }
        });
        match read {
            Ok(row) => people.rows.push(row),
            Err(error) => {
                let named = columns.cell(&record, Column::Person).ok().flatten();
                let (person, error) = (named.map(PersonId::from), error.context(format!("line {line}")));
                people.failed.push(ImportFailure { at: line, person, error });
            }
        }
        let now = reader.position().byte();
        last = (line, before as usize);
        teller.add(now - before)?;
        before = now;
    }
    // Quotes come in pairs. Where one is open to the end, rows before it were swallowed.
    let (line, start) = last;
    if text_of_table(&text)[start..].iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        fail!(
            InvalidArgument,
            "the row on line {line} has a double quote that is never closed; close it, or double it"
        );
    }
    teller.end()?;
    Ok(people)
}

/// Without a byte order mark.
fn text_of_table(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// The lines of a table.
struct Lines<'t> {
    text: &'t [u8],
    /// Of this byte the line is known.
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that is read from `start` on, further than the last one. What ends lines comes before its first
    /// byte: empty lines, and the second half of CR LF.
    fn of(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.text.len());
        let ends = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += self.text[self.at..start + ends].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = start + ends;
        self.line
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read the table: {error}")).with_source(error)
}

fn broken(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unreadable(error),
        other => Error::new(ErrorKind::InvalidArgument, format!("it is no table: {other:?}")),
    }
}

/// What a column may be.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Person,
    Name,
    Metadata,
    Namespace,
    Photo,
    Embedding,
    PassedOver,
    /// Metadata under the column's own name.
    Other,
}

struct Columns(Vec<(String, Column)>);

impl Columns {
    fn of(header: &ByteRecord) -> Result<Columns> {
        let mut columns: Vec<(String, Column)> = Vec::new();
        for name in header {
            let name = utf8(name)?.trim();
            let column = match name.to_ascii_lowercase().as_str() {
                "person" | "id" => Column::Person,
                "name" => Column::Name,
                "metadata" => Column::Metadata,
                "namespace" => Column::Namespace,
                "photo" => Column::Photo,
                "embedding" => Column::Embedding,
                "faces" | "" => Column::PassedOver,
                _ => Column::Other,
            };
            let twice = |(other, known): &(String, Column)| match column {
                Column::PassedOver => false,
                Column::Other => *known == column && other == name,
                _ => *known == column,
            };
            if let Some((other, _)) = columns.iter().find(|known| twice(known)) {
                fail!(InvalidArgument, "the columns `{other}` and `{name}` are one; keep one of them");
            }
            columns.push((name.to_owned(), column));
        }
        if !columns.iter().any(|(_, column)| *column == Column::Person) {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            fail!(
                InvalidArgument,
                "the first line is to name the columns, of which one is `person` or `id`; it has `{}`",
                names.join("`, `")
            );
        }
        Ok(Columns(columns))
    }

    fn place(&self, wanted: Column) -> Option<usize> {
        self.0.iter().position(|(_, column)| *column == wanted)
    }

    /// What the row says in a column, unless that is nothing.
    fn cell<'r>(&self, record: &'r ByteRecord, column: Column) -> Result<Option<&'r str>> {
        let cell = self.place(column).and_then(|at| record.get(at)).filter(|cell| !cell.is_empty());
        cell.map(utf8).transpose()
    }

    fn row(&self, record: &ByteRecord, line: u64, folder: &Path) -> Result<CsvRow> {
        if record.iter().skip(self.0.len()).any(|cell| !cell.is_empty()) {
            fail!(
                InvalidArgument,
                "it has {} cells, and there are {} columns; put a text with a comma in double quotes",
                record.len(),
                self.0.len()
            );
        }
        let text = |column| Ok::<_, Error>(self.cell(record, column)?.map(str::to_owned));
        let Some(person) = text(Column::Person)?.map(PersonId::from) else {
            fail!(InvalidArgument, "it names no person");
        };
        person.check()?;
        let namespace = text(Column::Namespace)?;
        if let Some(namespace) = &namespace {
            person::check_name("the name of a namespace", namespace)?;
        }
        let embedding = self.cell(record, Column::Embedding)?.map(|text| {
            serde_json::from_str(text).map_err(|error| {
                let message = format!("an embedding has to be a JSON array of numbers: {}", without_line(&error));
                Error::new(ErrorKind::InvalidArgument, message).with_source(error)
            })
        });
        Ok(CsvRow {
            line,
            namespace,
            person,
            name: text(Column::Name)?,
            metadata: self.metadata(record)?,
            photo: self.cell(record, Column::Photo)?.map(|photo| folder.join(photo)),
            embedding: embedding.transpose()?,
        })
    }

    fn metadata(&self, record: &ByteRecord) -> Result<Option<Metadata>> {
        let json = self.cell(record, Column::Metadata)?.map(|text| {
            serde_json::from_str::<Metadata>(text).map_err(|error| {
                let message = format!("metadata has to be a JSON object: {}", without_line(&error));
                Error::new(ErrorKind::InvalidArgument, message).with_source(error)
            })
        });
        let mut metadata = json.transpose()?;
        for ((name, column), cell) in self.0.iter().zip(record) {
            if *column == Column::Other && !cell.is_empty() {
                let text = utf8(cell)?.to_owned();
                metadata.get_or_insert_default().insert(name.clone(), text.into());
            }
        }
        Ok(metadata)
    }
}

/// What is wrong with a cell: that it is on its line 1 says nothing.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column 0", "").replace(" at line 1 column ", ", at character ")
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => fail!(InvalidArgument, "it is not UTF-8; save the table as CSV UTF-8"),
    }
}

/// Reads a table into `contents`.
pub(super) fn import(
    path: &Path,
    options: &ImportOptions,
    contents: &mut Contents,
    teller: &mut Teller<'_>,
) -> Result<()> {
    let (file, size) = open(path)?;
    teller.begin(Step::Reading, size)?;
    let people = read(file, path.parent().unwrap_or(Path::new("")), teller)?;
    if people.has_photos {
        fail!(
            InvalidArgument,
            "it has a column `photo`, and photos want a recognizer: enrol the table (`facecore enrol --csv`), or remove the column"
        );
    }
    if people.has_embeddings && options.space.is_none() {
        fail!(
            InvalidArgument,
            "embeddings do not tell which model they are of; say which embedding space they belong to"
        );
    }
    // One by one, in the order of the lines.
    let mut failed = people.failed.into_iter().peekable();
    for row in people.rows {
        while let Some(failure) = failed.next_if(|failure| failure.at < row.line) {
            contents.refuse(failure.at, failure.person, failure.error)?;
        }
        let (line, person) = (row.line, row.person.clone());
        if let Err(error) = take(row, options, contents) {
            contents.refuse(line, Some(person), error.context(format!("line {line}")))?;
        }
    }
    failed.try_for_each(|failure| contents.refuse(failure.at, failure.person, failure.error))
}

fn take(row: CsvRow, options: &ImportOptions, contents: &mut Contents) -> Result<()> {
    let CsvRow { namespace, person, name, metadata, embedding, .. } = row;
    let namespace = namespace.as_deref().unwrap_or(&options.namespace);
    if let (Some(values), Some(space)) = (embedding, &options.space) {
        let face = NewFace::from(Embedding::from_raw(values, space.clone())?);
        contents.face(namespace, person.clone(), None, None, face)?;
    }
    contents.person(namespace, person, name, metadata)
}

/// Writes everybody as a table.
pub(super) fn write(walk: &Walk<'_>, out: impl Write, teller: &mut Teller<'_>) -> Result<ExportReport> {
    let mut table = Table(Writer::from_writer(out));
    table.row(["namespace", "person", "name", "faces", "metadata"])?;
    teller.begin(Step::Writing, walk.items())?;
    let mut report = walk.go(&mut table, teller)?;
    teller.end()?;
    table.0.flush().map_err(write_failed)?;
    report.faces = 0;
    Ok(report)
}

struct Table<W: Write>(Writer<W>);

impl<W: Write> Table<W> {
    fn row(&mut self, cells: [&str; 5]) -> Result<()> {
        self.0.write_record(cells).map_err(|error| write_failed(error.into()))
    }
}

impl<W: Write> Sink for Table<W> {
    fn namespace(&mut self, _: &Of<'_>) -> Result<()> {
        Ok(())
    }

    fn person(&mut self, of: &Of<'_>, person: &Person) -> Result<()> {
        let (name, faces) = (person.name.as_deref().unwrap_or_default(), person.faces.len().to_string());
        self.row([of.namespace, person.id.as_str(), name, &faces, &text_of(&person.metadata)])
    }

    fn face(&mut self, _: &Of<'_>, _: &Person, _: Stored<'_>) -> Result<()> {
        Ok(())
    }
}
