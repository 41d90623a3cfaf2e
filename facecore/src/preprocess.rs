//! Images into model inputs.
//!
//! Inputs are planar: all values of the first colour, then of the second, then of the third.

use crate::error::Result;
use crate::image::{ImageView, resize_upright};
use crate::model::{ColorOrder, Normalization};

/// Scales the upright image to `content` pixels (width, height), places it in the top left corner of a
/// `canvas` padded with zero pixels, and writes the normalised planes to `tensor`.
///
/// `content` must fit in `canvas`.
pub(crate) fn letterbox(
    image: &ImageView<'_>,
    content: (usize, usize),
    canvas: (usize, usize),
    normalization: &Normalization,
    tensor: &mut Vec<f32>,
) -> Result<()> {
    let scaled = resize_upright(image, content.0, content.1)?;
    tensor.clear();
    tensor.resize(3 * canvas.0 * canvas.1, 0.0);
    write_planes(scaled.pixels(), content, canvas, normalization, tensor);
    Ok(())
}

/// Writes packed RGB of `content` pixels as normalised planes of `canvas` pixels, padding with zero pixels.
pub(crate) fn write_planes(
    rgb: &[u8],
    content: (usize, usize),
    canvas: (usize, usize),
    normalization: &Normalization,
    planes: &mut [f32],
) {
    let (content_width, content_height) = content;
    let (width, height) = canvas;
    for (plane, values) in planes.chunks_exact_mut(width * height).take(3).enumerate() {
        let channel = match normalization.color {
            ColorOrder::Rgb => plane,
            ColorOrder::Bgr => 2 - plane,
        };
        let table = value_table(normalization.mean[plane], normalization.std[plane]);
        let padding = table[0];
        for (y, row) in values.chunks_exact_mut(width).enumerate() {
            let (inside, outside) = row.split_at_mut(if y < content_height { content_width } else { 0 });
            if !inside.is_empty() {
                let pixels = rgb[y * content_width * 3..(y + 1) * content_width * 3].as_chunks::<3>().0;
                for (value, pixel) in inside.iter_mut().zip(pixels) {
                    *value = table[usize::from(pixel[channel])];
                }
            }
            outside.fill(padding);
        }
    }
}

/// The normalised value of each of the 256 channel values: one look-up instead of a division a pixel.
fn value_table(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|value| (value as f32 - mean) / std)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::PixelFormat;

    #[test]
    fn planes_follow_the_colour_order_and_padding_is_a_black_pixel() {
        let pixels = [10, 20, 30, 40, 50, 60];
        let image = ImageView::packed(&pixels, 2, 1, PixelFormat::Rgb).unwrap();
        let mut tensor = vec![7.0; 5];
        let rgb = Normalization { color: ColorOrder::Rgb, mean: [10.0, 0.0, 0.0], std: [2.0, 1.0, 1.0] };
        letterbox(&image, (2, 1), (3, 2), &rgb, &mut tensor).unwrap();
        assert_eq!(tensor[..6], [0.0, 15.0, -5.0, -5.0, -5.0, -5.0]);
        assert_eq!(tensor[6..9], [20.0, 50.0, 0.0]);
        let bgr = Normalization::uniform(ColorOrder::Bgr, 0.0, 1.0);
        letterbox(&image, (2, 1), (2, 1), &bgr, &mut tensor).unwrap();
        assert_eq!(tensor, [30.0, 60.0, 20.0, 50.0, 10.0, 40.0]);
    }
}
