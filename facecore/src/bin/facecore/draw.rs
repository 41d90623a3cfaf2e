//! Pictures with boxes, points and labels, legible on small and large photos alike.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use ab_glyph::{FontRef, PxScale};
use epaint_default_fonts::HACK_REGULAR;
use facecore::{Error, ErrorKind, Face, Image, Rect, Result};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ImageEncoder, Rgb, RgbImage};
use imageproc::drawing::{draw_filled_circle_mut, draw_filled_rect_mut, draw_text_mut, text_size};
use imageproc::rect::Rect as Pixels;

/// Colours that stay apart for every kind of colour vision (after Okabe and Ito), all light enough for
/// black text. The boxes of unknown faces are dashed as well.
const FOUND: Rgb<u8> = Rgb([86, 180, 233]);
const KNOWN: Rgb<u8> = Rgb([0, 200, 130]);
const UNKNOWN: Rgb<u8> = Rgb([240, 140, 40]);
const POINT: Rgb<u8> = Rgb([255, 240, 80]);
const INK: Rgb<u8> = Rgb([0, 0, 0]);

const JPEG_QUALITY: u8 = 92;

/// How a face is shown.
pub struct Mark {
    label: String,
    color: Rgb<u8>,
    dashed: bool,
}

impl Mark {
    /// A face that was detected.
    pub fn found(label: String) -> Self {
        Mark { label, color: FOUND, dashed: false }
    }

    /// A face of somebody known.
    pub fn known(label: String) -> Self {
        Mark { label, color: KNOWN, dashed: false }
    }

    /// A face of nobody known.
    pub fn unknown(label: String) -> Self {
        Mark { label, color: UNKNOWN, dashed: true }
    }
}

/// Where the picture of each photo goes.
pub struct Pictures(Vec<PathBuf>);

impl Pictures {
    /// One photo may go into a file, several go into a folder, which is made: `a.jpg` as `a.png`.
    ///
    /// Ends the process with a usage error if several photos are to go into one file, the suffix is
    /// unknown, or a photo would be overwritten; errors with `Io` if the folder cannot be made.
    pub fn plan(out: Option<&Path>, photos: &[PathBuf]) -> Result<Pictures> {
        let Some(out) = out else { return Ok(Pictures(Vec::new())) };
        if out.extension().is_some() && !out.is_dir() {
            if Format::of(out).is_none() {
                crate::usage_error(&format!("--out {}: a picture is .png or .jpg", out.display()));
            }
            if photos.len() > 1 {
                crate::usage_error(&format!("--out {}: several photos need a folder", out.display()));
            }
            if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
                crate::usage_error(&format!("--out {}: there is no folder {}", out.display(), folder.display()));
            }
            return Ok(Pictures(vec![out.to_path_buf()]).apart_from(photos));
        }
        std::fs::create_dir_all(out).map_err(|error| Error::io(out, "make the folder", error))?;
        // Numbers are counted by stem, but a photo may itself be called like another one's number 2.
        let (mut taken, mut counts) = (HashSet::new(), HashMap::new());
        let name = |photo: &PathBuf| {
            let stem = photo.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let count = counts.entry(stem.clone()).or_insert(0usize);
            loop {
                *count += 1;
                let name = if *count == 1 { format!("{stem}.png") } else { format!("{stem}-{count}.png") };
                if taken.insert(name.clone()) {
                    return out.join(name);
                }
            }
        };
        Ok(Pictures(photos.iter().map(name).collect()).apart_from(photos))
    }

    /// A photo must never be lost to its own picture.
    fn apart_from(self, photos: &[PathBuf]) -> Self {
        let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
        let photos: HashSet<PathBuf> = photos.iter().filter_map(real).collect();
        if let Some(picture) = self.0.iter().find(|picture| real(picture).is_some_and(|path| photos.contains(&path))) {
            crate::usage_error(&format!("--out would overwrite the photo {}", picture.display()));
        }
        self
    }

    /// Where the picture of photo `index` goes, if pictures were asked for.
    pub fn of(&self, index: usize) -> Option<&Path> {
        self.0.get(index).map(PathBuf::as_path)
    }
}

enum Format {
    Png,
    Jpeg,
}

impl Format {
    fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "png" => Some(Format::Png),
            "jpg" | "jpeg" => Some(Format::Jpeg),
            _ => None,
        }
    }
}

/// Draws `marks`, one for each face, on a copy of the photo and writes it to `path`.
pub fn save(photo: &Image, faces: &[Face], marks: &[Mark], path: &Path) -> Result<()> {
    let _entered = tracing::debug_span!("draw", path = %path.display()).entered();
    let picture = draw(photo, faces, marks)?;
    let failed = |error: std::io::Error| Error::io(path, "write the picture", error);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    let (width, height) = picture.dimensions();
    let color = image::ExtendedColorType::Rgb8;
    let encoded = match Format::of(path) {
        Some(Format::Jpeg) => {
            JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(&picture, width, height, color)
        }
        _ => PngEncoder::new(&mut file).write_image(&picture, width, height, color),
    };
    encoded.map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot write the picture {}: {error}", path.display())).with_source(error)
    })?;
    file.flush().map_err(failed)
}

fn draw(photo: &Image, faces: &[Face], marks: &[Mark]) -> Result<RgbImage> {
    let internal = |what: &str| Error::new(ErrorKind::Internal, format!("cannot draw: {what}"));
    let (width, height) = (photo.width() as u32, photo.height() as u32);
    let mut picture = RgbImage::from_raw(width, height, photo.pixels().to_vec())
        .ok_or_else(|| internal("the pixels do not fill the picture"))?;
    let font = FontRef::try_from_slice(HACK_REGULAR).map_err(|error| internal(&error.to_string()))?;
    let long_side = width.max(height) as f32;
    // The worst first, so that the surest faces end up on top.
    for (face, mark) in faces.iter().zip(marks).rev() {
        let line = line_width(face, long_side);
        frame(&mut picture, &face.rect, line, mark);
        points(&mut picture, face, line);
    }
    let mut labels = Labels { font, picture, placed: Vec::new() };
    for (face, mark) in faces.iter().zip(marks) {
        labels.add(face, mark, line_width(face, long_side));
    }
    Ok(labels.picture)
}

/// Thin enough for the face, thick enough to be seen when the picture is shrunk to a screen.
fn line_width(face: &Face, long_side: f32) -> i32 {
    let by_face = (face.rect.width() / 30.0).round();
    by_face.clamp((long_side / 800.0).round().max(1.0), (long_side / 300.0).round().max(2.0)) as i32
}

/// A box with a dark rim, so that it shows on any background. Parts outside are drawn at the edge.
fn frame(picture: &mut RgbImage, rect: &Rect, line: i32, mark: &Mark) {
    let (right, bottom) = (picture.width() as i32 - 1, picture.height() as i32 - 1);
    let within = |value: f32, most: i32| value.round().clamp(0.0, most as f32) as i32;
    let (x1, y1) = (within(rect.x1, right), within(rect.y1, bottom));
    let (x2, y2) = (within(rect.x2, right), within(rect.y2, bottom));
    let rim = (line / 3).max(1);
    let (dash, gap) = if mark.dashed { (line * 5, line * 3) } else { (i32::MAX / 4, 0) };
    for (color, grow) in [(INK, rim), (mark.color, 0)] {
        let thick = line + 2 * grow;
        let mut bar = |x: i32, y: i32, width: i32, height: i32| fill(picture, x, y, width, height, color);
        for (at, length) in dashes(x1, x2 + 1, dash, gap) {
            bar(at - grow, y1 - grow, length + 2 * grow, thick);
            bar(at - grow, y2 + 1 - line - grow, length + 2 * grow, thick);
        }
        for (at, length) in dashes(y1, y2 + 1, dash, gap) {
            bar(x1 - grow, at - grow, thick, length + 2 * grow);
            bar(x2 + 1 - line - grow, at - grow, thick, length + 2 * grow);
        }
    }
}

/// Starts and lengths of dashes from `from` to `to`; the last one ends there, so that corners are closed.
fn dashes(from: i32, to: i32, dash: i32, gap: i32) -> Vec<(i32, i32)> {
    let length = to - from;
    if gap == 0 || length <= 2 * dash + gap {
        return vec![(from, length)];
    }
    let gaps = (length - dash) / (dash + gap);
    let step = f64::from(length - dash) / f64::from(gaps);
    (0..=gaps).map(|index| (from + (f64::from(index) * step).round() as i32, dash)).collect()
}

fn points(picture: &mut RgbImage, face: &Face, line: i32) {
    let Some(landmarks) = &face.landmarks else { return };
    let limit = (picture.width().max(picture.height()) * 2) as f32;
    for point in landmarks.0 {
        let center = [point.x, point.y].map(|value| value.round().clamp(-limit, limit) as i32).into();
        draw_filled_circle_mut(picture, center, line + (line / 3).max(1), INK);
        draw_filled_circle_mut(picture, center, line, POINT);
    }
}

fn fill(picture: &mut RgbImage, x: i32, y: i32, width: i32, height: i32, color: Rgb<u8>) {
    if width > 0 && height > 0 {
        draw_filled_rect_mut(picture, Pixels::at(x, y).of_size(width as u32, height as u32), color);
    }
}

struct Labels<'a> {
    font: FontRef<'a>,
    picture: RgbImage,
    placed: Vec<Pixels>,
}

impl Labels<'_> {
    /// Writes a label above its box, below it, or inside it: the first place where it is inside the
    /// picture and covers no other label.
    fn add(&mut self, face: &Face, mark: &Mark, line: i32) {
        let (width, height) = (self.picture.width() as i32, self.picture.height() as i32);
        let (scale, text) = self.fitting(&mark.label, &face.rect);
        let padding = (scale / 6.0).round().max(1.0) as i32;
        let (text_width, _) = text_size(PxScale::from(scale), &self.font, &text);
        let (label_width, label_height) = (text_width as i32 + 2 * padding, scale.round() as i32 + padding);
        let most = |side: i32, label: i32| (side - label).max(0) as f32;
        let x = face.rect.x1.round().clamp(0.0, most(width, label_width)) as i32;
        let places = [
            face.rect.y1 - label_height as f32,
            face.rect.y2 + 1.0,
            face.rect.y1 + line as f32,
            face.rect.y2 - (label_height + line) as f32,
        ];
        let inside = places.map(|y| y.round().clamp(0.0, most(height, label_height)) as i32);
        let at = |y: i32| Pixels::at(x, y).of_size(label_width as u32, label_height as u32);
        let free = |place: &Pixels| self.placed.iter().all(|other| place.intersect(*other).is_none());
        let unmoved = |(y, wanted): (&i32, &f32)| (*y as f32 - wanted.round()).abs() < 1.0;
        let good = inside.iter().zip(&places).filter(|pair| unmoved(*pair)).map(|(y, _)| at(*y)).find(free);
        let place = good.or_else(|| inside.iter().map(|y| at(*y)).find(free)).unwrap_or(at(inside[0]));

        draw_filled_rect_mut(&mut self.picture, place, mark.color);
        let (left, top) = (place.left() + padding, place.top() + padding / 2);
        draw_text_mut(&mut self.picture, INK, left, top, PxScale::from(scale), &self.font, &text);
        self.placed.push(place);
    }

    /// Size and text of a label: as large as suits the face, and not wider than the picture.
    fn fitting(&self, label: &str, rect: &Rect) -> (f32, String) {
        let (width, height) = (self.picture.width() as f32, self.picture.height() as f32);
        let long_side = width.max(height);
        let scale = (rect.width() * 0.22).clamp((long_side / 80.0).max(13.0), (long_side / 36.0).max(16.0));
        let room = width * 0.96;
        let wide = |scale: f32, text: &str| text_size(PxScale::from(scale), &self.font, text).0 as f32;
        let scale = (scale * (room / wide(scale, label).max(1.0)).min(1.0)).max(12.0).min(height);
        let mut text = label.to_string();
        while wide(scale, &text) > room && text.chars().count() > 2 {
            text = text.chars().take(text.chars().count() - 2).chain(['…']).collect();
        }
        (scale, text)
    }
}

#[cfg(test)]
mod tests {
    use facecore::Landmarks;

    use super::*;

    fn drawn(width: usize, height: usize, rect: Rect, mark: Mark) -> RgbImage {
        let image = Image::from_rgb(width, height, vec![90; width * height * 3]).unwrap();
        let landmarks = Some(Landmarks::from_pairs([[rect.x1, rect.y1]; 5]));
        draw(&image, &[Face { rect, score: 0.9, landmarks }], &[mark]).unwrap()
    }

    #[test]
    fn anything_can_be_drawn_anywhere() {
        for rect in [
            Rect::new(-50.0, -50.0, 30.0, 30.0),
            Rect::new(-1e9, -1e9, 1e9, 1e9),
            Rect::new(500.0, 500.0, 600.0, 600.0),
            Rect::new(10.0, 10.0, 10.0, 10.0),
            Rect::new(20.0, 20.0, 5.0, 5.0),
        ] {
            for (width, height) in [(1, 1), (3, 200), (64, 48), (300, 300)] {
                drawn(width, height, rect, Mark::unknown("somebody with a long name \u{1F600} 0.12".into()));
            }
        }
    }

    #[test]
    fn the_label_stays_inside_and_the_box_has_its_colour() {
        let picture = drawn(250, 250, Rect::new(100.0, 0.0, 180.0, 90.0), Mark::known("ada".into()));
        assert_eq!(*picture.get_pixel(140, 90), KNOWN);
        // No room above: the label is below the box.
        assert!((92..112).any(|y| *picture.get_pixel(101, y) == KNOWN));
    }

    #[test]
    fn dashes_begin_and_end_at_the_corners() {
        let parts = dashes(10, 110, 10, 6);
        assert_eq!((parts[0], parts[parts.len() - 1]), ((10, 10), (100, 10)));
        assert!(parts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 16));
        assert_eq!(dashes(10, 30, 10, 6), [(10, 20)]);
    }

    #[test]
    fn pictures_of_several_photos_have_names_of_their_own() {
        let folder = std::env::temp_dir().join(format!("facecore-pictures-{}", std::process::id()));
        let photos = ["a/x.jpg", "b/x.png", "y.jpg", "c/x-2.jpg", "d/x.gif"].map(PathBuf::from);
        let pictures = Pictures::plan(Some(&folder), &photos).unwrap();
        let names = [0, 1, 2, 3, 4].map(|index| pictures.of(index).unwrap().file_name().unwrap().to_owned());
        assert_eq!(names, ["x.png", "x-2.png", "y.png", "x-2-2.png", "x-3.png"]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
