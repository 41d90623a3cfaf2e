//! NumPy's array format (`.npy`, versions 1.0 to 3.0, as numpy.lib.format describes it): arrays of numbers and texts in C
//! order, written and read row by row. Anything may be in a file: nothing is taken by its word, nor reserved for it.

use std::io::{Read, Write};

use crate::error::{Error, ErrorKind, Result, fail};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Bytes of a header, at most; NumPy itself refuses more than 10,000 unless told otherwise.
const LONGEST_HEADER: usize = 10_000;

/// Characters of a text, at most: more than any id has.
const LONGEST_TEXT: usize = 4096;

/// Bytes of a row, at most: such a text in 32-bit codes, and more than an embedding takes.
const LONGEST_ROW: usize = 4 * LONGEST_TEXT;

/// What an array holds, and where.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub element: Element,
    pub shape: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Element {
    F16,
    F32,
    F64,
    I64,
    U64,
    /// So many characters, each a 32-bit code.
    Unicode(usize),
    /// So many bytes, which are to be UTF-8.
    Bytes(usize),
}

/// How a header spells what is not of one byte: little or big end first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Element {
    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Element::F16 => 2,
            Element::F32 => 4,
            Element::F64 | Element::I64 | Element::U64 => 8,
            Element::Unicode(length) => 4 * length,
            Element::Bytes(length) => length,
        }
    }

    fn descr(self) -> String {
        match self {
            Element::F16 => "<f2".to_owned(),
            Element::F32 => "<f4".to_owned(),
            Element::F64 => "<f8".to_owned(),
            Element::I64 => "<i8".to_owned(),
            Element::U64 => "<u8".to_owned(),
            Element::Unicode(length) => format!("<U{length}"),
            Element::Bytes(length) => format!("|S{length}"),
        }
    }
}

impl Header {
    /// Writes the header of an array; its elements follow.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let shape = self.shape.iter().map(|length| format!("{length}, ")).collect::<String>();
        // A tuple of one keeps its comma.
        let shape = if self.shape.len() > 1 { shape.trim_end_matches(", ") } else { shape.trim_end() };
        let descr = self.element.descr();
        let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        // The elements begin at a multiple of 64, for whoever maps the file.
        let length = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
        text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
        text.push('\n');
        out.write_all(MAGIC)?;
        out.write_all(&[1, 0])?;
        out.write_all(&(length as u16).to_le_bytes())?;
        out.write_all(text.as_bytes())
    }

    /// Reads a header. Errors with `GalleryCorrupt` if there is none, and with `InvalidArgument`, naming the remedy, if it is
    /// of an array that is not read here.
    pub fn read(input: &mut impl Read) -> Result<(Header, Order)> {
        let mut start = [0; 8];
        fill(input, &mut start)?;
        if &start[..6] != MAGIC {
            fail!(GalleryCorrupt, "it is no NumPy array: it does not begin with \\x93NUMPY");
        }
        let length = match start[6] {
            1 => {
                let mut length = [0; 2];
                fill(input, &mut length)?;
                usize::from(u16::from_le_bytes(length))
            }
            2 | 3 => {
                let mut length = [0; 4];
                fill(input, &mut length)?;
                u32::from_le_bytes(length) as usize
            }
            version => {
                fail!(GalleryCorrupt, "it is of version {version} of NumPy's array format, and 1 to 3 are known")
            }
        };
        if length > LONGEST_HEADER {
            fail!(GalleryCorrupt, "its header has {length} bytes, and at most {LONGEST_HEADER} are read");
        }
        let mut text = vec![0; length];
        fill(input, &mut text)?;
        let Ok(text) = std::str::from_utf8(&text) else { fail!(GalleryCorrupt, "its header is not UTF-8") };
        parse(text)
    }

    /// How many rows there are, and bytes in each, for an array of so many axes, one or two.
    pub fn rows(&self, axes: usize) -> Result<(u64, usize)> {
        let (rows, width) = match *self.shape {
            [rows] if axes == 1 => (rows, 1),
            [rows, width] if axes == 2 => (rows, width),
            _ => fail!(InvalidArgument, "its shape is {:?}, where {axes} axes are wanted; reshape it", self.shape),
        };
        let row = usize::try_from(width).ok().and_then(|width| width.checked_mul(self.element.size()));
        match row.filter(|row| (1..=LONGEST_ROW).contains(row)) {
            Some(row) => Ok((rows, row)),
            None if rows == 0 => Ok((0, 0)),
            None => fail!(InvalidArgument, "its shape is {:?}: rows of {width} are no embeddings", self.shape),
        }
    }
}

/// Fills `bytes`. Errors with `GalleryCorrupt` if there are not so many.
pub(super) fn fill(input: &mut impl Read, bytes: &mut [u8]) -> Result<()> {
    input.read_exact(bytes).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
            _ => format!("it is damaged, or cannot be read: {error}"),
        };
        Error::new(ErrorKind::GalleryCorrupt, message).with_source(error)
    })
}

/// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, the keys in any order.
fn parse(text: &str) -> Result<(Header, Order)> {
    let mut rest = Literal(text);
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    rest.expect('{')?;
    while !rest.eat('}') {
        let key = rest.text()?;
        rest.expect(':')?;
        match key {
            "descr" if rest.sees('[') => {
                fail!(InvalidArgument, "it holds records of several fields; save each field as an array of its own")
            }
            "descr" => descr = Some(rest.text()?),
            "fortran_order" => fortran = Some(rest.truth()?),
            "shape" => shape = Some(rest.numbers()?),
            other => fail!(GalleryCorrupt, "its header has an unknown key `{other}`"),
        }
        if !rest.eat(',') {
            rest.expect('}')?;
            break;
        }
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else {
        fail!(GalleryCorrupt, "its header lacks one of `descr`, `fortran_order` and `shape`");
    };
    if !rest.0.trim().is_empty() {
        fail!(GalleryCorrupt, "something follows the braces of its header");
    }
    // Of one axis both orders are the same.
    if fortran && shape.len() > 1 {
        fail!(InvalidArgument, "it is in Fortran order; save numpy.ascontiguousarray(array)");
    }
    let (element, order) = element(descr)?;
    Ok((Header { element, shape }, order))
}

fn element(descr: &str) -> Result<(Element, Order)> {
    let (order, kind) = match descr.split_at_checked(1) {
        Some(("<" | "|", kind)) => (Order::Little, kind),
        Some((">", kind)) => (Order::Big, kind),
        _ => fail!(GalleryCorrupt, "its type `{descr}` is none of NumPy's"),
    };
    let (letter, length) = kind.split_at_checked(1).unwrap_or_default();
    let length = length.parse::<usize>().ok();
    let element = match (letter, length) {
        ("f", Some(2)) => Element::F16,
        ("f", Some(4)) => Element::F32,
        ("f", Some(8)) => Element::F64,
        ("i", Some(8)) => Element::I64,
        ("u", Some(8)) => Element::U64,
        ("U", Some(length @ 1..=LONGEST_TEXT)) => Element::Unicode(length),
        ("S", Some(length @ 1..=LONGEST_TEXT)) => Element::Bytes(length),
        ("O", _) => fail!(
            InvalidArgument,
            "it holds Python objects, which are not read because that executes code; save numpy.asarray(list, str) or numbers"
        ),
        _ => fail!(InvalidArgument, "its type `{descr}` is not read here; save it as float32, int64 or text"),
    };
    Ok((element, order))
}

/// What is left of a header.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn sees(&self, wanted: char) -> bool {
        self.0.trim_start().starts_with(wanted)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.eat(wanted) { Ok(()) } else { fail!(GalleryCorrupt, "its header lacks a `{wanted}`") }
    }

    /// A string without escapes.
    fn text(&mut self) -> Result<&'a str> {
        let Some(quote) = ['\'', '"'].into_iter().find(|quote| self.eat(*quote)) else {
            fail!(GalleryCorrupt, "its header lacks a string");
        };
        let Some((text, rest)) = self.0.split_once(quote) else {
            fail!(GalleryCorrupt, "a string of its header does not end");
        };
        self.0 = rest;
        Ok(text)
    }

    fn word(&mut self) -> &'a str {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        word
    }

    fn truth(&mut self) -> Result<bool> {
        match self.word() {
            "True" => Ok(true),
            "False" => Ok(false),
            other => fail!(GalleryCorrupt, "`{other}` of its header is neither True nor False"),
        }
    }

    /// A tuple.
    fn numbers(&mut self) -> Result<Vec<u64>> {
        self.expect('(')?;
        let mut numbers = Vec::new();
        while !self.eat(')') {
            let word = self.word();
            let Ok(number) = word.parse() else { fail!(GalleryCorrupt, "`{word}` of its header is no length") };
            numbers.push(number);
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(numbers)
    }
}

/// Numbers as 32-bit floats; doubles are rounded to the nearest.
pub(super) fn floats(element: Element, order: Order, bytes: &[u8]) -> Result<Vec<f32>> {
    Ok(match element {
        Element::F16 => numbers(bytes, order, |bits| half(u16::from_le_bytes(bits))),
        Element::F32 => numbers(bytes, order, f32::from_le_bytes),
        Element::F64 => numbers(bytes, order, |bits| f64::from_le_bytes(bits) as f32),
        other => fail!(InvalidArgument, "it holds {}, not vectors; save them as float32", other.descr()),
    })
}

/// Numbers of which none is less than 0.
pub(super) fn ids(element: Element, order: Order, bytes: &[u8]) -> Result<Vec<u64>> {
    Ok(match element {
        // One that is negative becomes one that nobody has.
        Element::I64 => numbers(bytes, order, |bits| u64::try_from(i64::from_le_bytes(bits)).unwrap_or(u64::MAX)),
        Element::U64 => numbers(bytes, order, u64::from_le_bytes),
        other => fail!(InvalidArgument, "it holds {}, not ids; save them as int64", other.descr()),
    })
}

fn numbers<const N: usize, T>(bytes: &[u8], order: Order, from_little: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (items, _) = bytes.as_chunks::<N>();
    let straight = |item: &[u8; N]| {
        let mut item = *item;
        if order == Order::Big {
            item.reverse();
        }
        item
    };
    items.iter().map(|item| from_little(straight(item))).collect()
}

/// A 16-bit float (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1F), f32::from(bits & 0x3FF));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1F if fraction == 0.0 => f32::INFINITY,
        0x1F => f32::NAN,
        _ => (fraction + 1024.0) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A text, without the zeros that fill its place.
pub(super) fn text(element: Element, order: Order, bytes: &[u8]) -> Result<String> {
    match element {
        Element::Unicode(_) => {
            let codes = numbers(bytes, order, u32::from_le_bytes);
            let length = codes.iter().rposition(|code| *code != 0).map_or(0, |last| last + 1);
            match codes[..length].iter().map(|code| char::from_u32(*code)).collect() {
                Some(text) => Ok(text),
                None => fail!(InvalidArgument, "a text has a code that is no character"),
            }
        }
        Element::Bytes(_) => {
            let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            match std::str::from_utf8(&bytes[..length]) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => fail!(InvalidArgument, "a text is not UTF-8"),
            }
        }
        other => fail!(InvalidArgument, "it holds {}, not texts; save numpy.asarray(list, str)", other.descr()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Header, Order)> {
        let mut bytes = [&MAGIC[..], &[1, 0], &(text.len() as u16).to_le_bytes()].concat();
        bytes.extend(text.as_bytes());
        Header::read(&mut &*bytes)
    }

    #[test]
    fn headers_come_back() {
        for (element, shape) in [
            (Element::F32, vec![3, 4]),
            (Element::I64, vec![7]),
            (Element::Unicode(12), vec![0]),
            (Element::F64, vec![]),
            (Element::Bytes(3), vec![1, 2, 3]),
        ] {
            let header = Header { element, shape };
            let mut bytes = Vec::new();
            header.write(&mut bytes).unwrap();
            assert_eq!(bytes.len() % 64, 0);
            assert_eq!(Header::read(&mut &*bytes).unwrap(), (header, Order::Little));
        }
    }

    #[test]
    fn headers_of_other_writers_are_read() {
        let (header, order) = read("{\"shape\":(2,),\n 'fortran_order':True , 'descr':'>f8'}  \n").unwrap();
        assert_eq!((header, order), (Header { element: Element::F64, shape: vec![2] }, Order::Big));
    }

    #[test]
    fn what_is_not_read_is_refused_with_the_remedy() {
        let of =
            |descr: &str, fortran: &str| format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': (2, 3)}}");
        for (text, remedy) in [
            (of("'<f4'", "True"), "ascontiguousarray"),
            (of("'|O'", "False"), "asarray(list, str)"),
            (of("'<c8'", "False"), "save it as float32"),
            (of("'<U999999999'", "False"), "save it as float32"),
            (of("[('a', '<f4')]", "False"), "each field"),
        ] {
            let error = read(&text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
            assert!(error.message().contains(remedy), "{text}: {error}");
        }
    }

    #[test]
    fn malformed_headers_are_refused() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
        assert!(read(good).is_ok());
        let cut = (0..good.len()).map(|end| good[..end].to_owned());
        let bad = [
            "{}",
            "{'descr': '<f4', 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} x",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4)}",
            "{'descr': 'f4', 'fortran_order': False, 'shape': (3, 4)}",
            "{'descr': '', 'fortran_order': False, 'shape': (3, 4)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'more': 1}",
            "{'descr': __import__('os'), 'fortran_order': False, 'shape': (3, 4)}",
        ];
        for text in cut.chain(bad.map(str::to_owned)) {
            assert_eq!(read(&text).unwrap_err().kind(), ErrorKind::GalleryCorrupt, "{text}");
        }
        for bytes in [
            &b""[..],
            b"\x93NUMPY",
            b"\x93NUMPY\x04\0\0\0\0\0",
            b"\x93NUMPY\x02\0\xFF\xFF\xFF\xFF",
            b"PK\x03\x04aaaaaaa",
        ] {
            assert_eq!(Header::read(&mut &*bytes).unwrap_err().kind(), ErrorKind::GalleryCorrupt, "{bytes:?}");
        }
    }

    #[test]
    fn shapes_are_those_wanted_and_rows_are_bounded() {
        let rows = |shape: &[u64], axes| Header { element: Element::F64, shape: shape.to_vec() }.rows(axes);
        assert_eq!(rows(&[5], 1).unwrap(), (5, 8));
        assert_eq!(rows(&[0, 512], 2).unwrap(), (0, 4096));
        assert_eq!(rows(&[0, 0], 2).unwrap(), (0, 0));
        for (bad, axes) in [
            (&[][..], 1),
            (&[5], 2),
            (&[5, 1], 1),
            (&[1, 2, 3], 2),
            (&[5, 0], 2),
            (&[1, u64::MAX], 2),
            (&[1, 1 << 20], 2),
        ] {
            assert!(rows(bad, axes).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_of_every_width_and_order_are_read() {
        assert_eq!(floats(Element::F64, Order::Big, &0.1f64.to_be_bytes()).unwrap(), [0.1]);
        assert_eq!(floats(Element::F32, Order::Little, &(-0.0f32).to_le_bytes()).unwrap()[0].to_bits(), 1 << 31);
        assert_eq!(ids(Element::I64, Order::Little, &(-1i64).to_le_bytes()).unwrap(), [u64::MAX]);
        assert_eq!(ids(Element::U64, Order::Big, &7u64.to_be_bytes()).unwrap(), [7]);
        // Sign, exponent and fraction of every kind: 1, -2, the largest, the least normal and subnormal ones.
        let halves =
            [(0x3C00, 1.0), (0xC000, -2.0), (0x7BFF, 65504.0), (0x0400, 2f32.powi(-14)), (0x0001, 2f32.powi(-24))];
        for (bits, value) in halves {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7E00).is_nan() && half(0xFC00) == f32::NEG_INFINITY && half(0x8000).is_sign_negative());
    }

    #[test]
    fn texts_are_read_and_checked() {
        let codes = |codes: &[u32]| codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>();
        let unicode = |bytes: &[u8]| text(Element::Unicode(bytes.len() / 4), Order::Little, bytes);
        assert_eq!(unicode(&codes(&[0x41, 0x1F600, 0, 0])).unwrap(), "A\u{1F600}");
        assert_eq!(unicode(&[]).unwrap(), "");
        assert!(unicode(&codes(&[0xD800])).is_err() && unicode(&codes(&[u32::MAX])).is_err());
        assert_eq!(text(Element::Bytes(4), Order::Little, b"ad\0\0").unwrap(), "ad");
        assert!(text(Element::Bytes(1), Order::Little, b"\xFF").is_err());
        assert!(text(Element::F32, Order::Little, b"1234").is_err());
    }
}
