//! Pixels into model inputs.
//!
//! Inputs are planar: all values of the first colour, then of the second, then of the third. Rows of pixels are
//! normalised and spread over the planes as they come from scaling or cutting, so that each value is written once.

use crate::error::{Error, ErrorKind, Result};
use crate::image::{ImageView, Place, Resizer};
use crate::model::{ColorOrder, Normalization};

/// Fills a detector's input; what it needs in memory it keeps.
#[derive(Default)]
pub(crate) struct Letterbox {
    resizer: Resizer,
    tensor: Vec<f32>,
}

impl Letterbox {
    /// Scales the upright image to `content` pixels (width, height), places it in the top left corner of a
    /// `canvas` padded with zero pixels, and gives its normalised planes.
    ///
    /// `content` must fit in `canvas`. Errors with `ImageTooLarge` if the planes fit no memory.
    pub(crate) fn fill(
        &mut self,
        image: &ImageView<'_>,
        content: (usize, usize),
        canvas: (usize, usize),
        normalization: &Normalization,
    ) -> Result<&[f32]> {
        let Letterbox { resizer, tensor } = self;
        let (width, height) = canvas;
        let count = 3 * width * height;
        tensor.truncate(count);
        tensor.try_reserve(count - tensor.len()).map_err(|_| {
            Error::new(ErrorKind::ImageTooLarge, format!("a model input of {width} x {height} pixels fits no memory"))
        })?;
        tensor.resize(count, 0.0);
        let values = Values::new(normalization);
        values.pad(tensor, content, canvas);
        resizer.rows(image, content, width, |place, row| values.put(row, place, width * height, tensor))?;
        Ok(tensor)
    }

    /// Bytes of memory kept.
    pub(crate) fn memory(&self) -> usize {
        self.resizer.memory() + size_of::<f32>() * self.tensor.capacity()
    }
}

/// How channel values become a model's: `(value - mean) / std`, in each plane.
pub(crate) struct Values([Plane; 3]);

struct Plane {
    /// Which channel of a pixel, red being 0.
    channel: usize,
    mean: f32,
    std: f32,
    /// `1 / std`, if multiplying by it gives what dividing by `std` does, to the last bit, for all 256 values: for
    /// powers of two. Dividing takes some four times as long.
    factor: Option<f32>,
}

impl Values {
    pub(crate) fn new(normalization: &Normalization) -> Self {
        Values(std::array::from_fn(|plane| {
            let channel = match normalization.color {
                ColorOrder::Rgb => plane,
                ColorOrder::Bgr => 2 - plane,
            };
            let (mean, std) = (normalization.mean[plane], normalization.std[plane]);
            let factor = 1.0 / std;
            let same = |value: u8| ((f32::from(value) - mean) * factor) == ((f32::from(value) - mean) / std);
            Plane { channel, mean, std, factor: (0..=255).all(same).then_some(factor) }
        }))
    }

    /// Writes a row of pixels (red, green, blue and a byte without meaning) to its place in each of `planes`, which
    /// have `area` values.
    pub(crate) fn put(&self, row: &[[u8; 4]], place: Place, area: usize, planes: &mut [f32]) {
        for (plane, values) in self.0.iter().zip(planes.chunks_exact_mut(area)) {
            match plane.factor {
                Some(factor) => plane.put(row, place, values, |value| (value - plane.mean) * factor),
                None => plane.put(row, place, values, |value| (value - plane.mean) / plane.std),
            }
        }
    }

    /// Fills what `content` leaves of a `canvas` with zero pixels.
    fn pad(&self, planes: &mut [f32], content: (usize, usize), canvas: (usize, usize)) {
        for (plane, values) in self.0.iter().zip(planes.chunks_exact_mut(canvas.0 * canvas.1)) {
            let padding = (0.0 - plane.mean) / plane.std;
            let (beside, below) = values.split_at_mut(content.1 * canvas.0);
            if content.0 < canvas.0 {
                beside.chunks_exact_mut(canvas.0).for_each(|row| row[content.0..].fill(padding));
            }
            below.fill(padding);
        }
    }
}

impl Plane {
    #[inline(always)]
    fn put(&self, row: &[[u8; 4]], place: Place, values: &mut [f32], normalize: impl Fn(f32) -> f32) {
        let shift = 8 * self.channel as u32;
        let normalized = row.iter().map(|pixel| normalize(((u32::from_le_bytes(*pixel) >> shift) & 255) as f32));
        if place.step == 1 {
            for (value, normalized) in values[place.start..].iter_mut().zip(normalized) {
                *value = normalized;
            }
        } else {
            for (x, normalized) in normalized.enumerate() {
                values[place.start.wrapping_add_signed(x as isize * place.step)] = normalized;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{PixelFormat, Rotation};

    #[test]
    fn planes_follow_the_colour_order_and_padding_is_a_black_pixel() {
        let pixels = [10, 20, 30, 40, 50, 60];
        let image = ImageView::packed(&pixels, 2, 1, PixelFormat::Rgb).unwrap();
        let mut letterbox = Letterbox::default();
        letterbox.fill(&image, (2, 1), (5, 5), &Normalization::uniform(ColorOrder::Rgb, 1.0, 1.0)).unwrap();
        let rgb = Normalization { color: ColorOrder::Rgb, mean: [10.0, 0.0, 0.0], std: [2.0, 1.0, 1.0] };
        let tensor = letterbox.fill(&image, (2, 1), (3, 2), &rgb).unwrap();
        assert_eq!(tensor[..6], [0.0, 15.0, -5.0, -5.0, -5.0, -5.0]);
        assert_eq!(tensor[6..9], [20.0, 50.0, 0.0]);
        let bgr = Normalization::uniform(ColorOrder::Bgr, 0.0, 1.0);
        let tensor = letterbox.fill(&image, (2, 1), (2, 1), &bgr).unwrap();
        assert_eq!(tensor, [30.0, 60.0, 20.0, 50.0, 10.0, 40.0]);
    }

    #[test]
    fn turned_images_fill_the_planes_upright() {
        // Stored 3 x 2, upright 2 x 3, on a canvas of 4 x 4.
        let pixels: Vec<u8> = (1..=6).flat_map(|value| [value; 3]).collect();
        let image = ImageView::packed(&pixels, 3, 2, PixelFormat::Rgb).unwrap();
        let plain = Normalization::uniform(ColorOrder::Rgb, 0.0, 1.0);
        let mut letterbox = Letterbox::default();
        let mut upright = |rotation, content: (usize, usize)| {
            let tensor = letterbox.fill(&image.rotated(rotation), content, (4, 4), &plain).unwrap();
            let rows = tensor[..16].chunks(4).take(content.1);
            rows.map(|row| row[..content.0].iter().map(|&value| value as u8).collect()).collect::<Vec<Vec<u8>>>()
        };
        assert_eq!(upright(Rotation::None, (3, 2)), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(upright(Rotation::Clockwise90, (2, 3)), [[4, 1], [5, 2], [6, 3]]);
        assert_eq!(upright(Rotation::Clockwise180, (3, 2)), [[6, 5, 4], [3, 2, 1]]);
        assert_eq!(upright(Rotation::Clockwise270, (2, 3)), [[3, 6], [2, 5], [1, 4]]);
    }

    #[test]
    fn values_are_those_of_a_division_to_the_last_bit() {
        let row: Vec<[u8; 4]> = (0..=255).map(|value| [value, 255 - value, value / 2, 9]).collect();
        for (mean, std) in [(127.5, 128.0), (127.5, 127.5), (0.0, 1.0), (103.94, 58.395), (0.0, 255.0)] {
            let values = Values::new(&Normalization::uniform(ColorOrder::Rgb, mean, std));
            let mut planes = vec![0.0; 3 * 256];
            values.put(&row, Place { start: 0, step: 1 }, 256, &mut planes);
            let expected: Vec<f32> =
                (0..3).flat_map(|plane| row.iter().map(move |pixel| (f32::from(pixel[plane]) - mean) / std)).collect();
            assert_eq!(planes, expected, "{mean}, {std}");
        }
    }
}
