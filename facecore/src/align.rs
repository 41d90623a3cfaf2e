//! Landmarks to crops: faces turned, scaled and cut so that their features lie where an embedder
//! expects them.

use std::fmt;

use crate::error::{Result, fail};
use crate::geometry::{Landmarks, Similarity};
use crate::image::{ImageView, PixelFormat, warp_rgb};
use crate::model::Template;

/// Cuts faces by the similarity that brings their landmarks closest to a template.
#[derive(Debug, Clone)]
pub struct Aligner {
    template: Template,
}

/// A face cut out and upright, ready for an embedder: packed RGB pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct AlignedFace {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Aligner {
    /// An aligner for models trained on `template`.
    pub fn new(template: Template) -> Self {
        Aligner { template }
    }

    /// Where landmarks are brought.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Cuts the face whose landmarks (pixels of the upright image) are given; they may come from any
    /// detector. What lies outside the image is black.
    ///
    /// Errors with `Landmarks` if they are not finite or all in one place, `InvalidArgument` if the template
    /// is larger than 1024 pixels.
    pub fn align<'a>(&self, image: impl Into<ImageView<'a>>, landmarks: &Landmarks) -> Result<AlignedFace> {
        self.template.check()?;
        // Fitted from crop to image, the direction in which the crop's pixels are looked up, would minimise
        // distances in the image; training crops were fitted towards the template, so it is inverted instead.
        let to_crop = Similarity::fit(&landmarks.0, &self.template.points)?;
        let (width, height) = self.template.size;
        let mut pixels = vec![0; width * height * 3];
        warp_rgb(&image.into(), &to_crop.inverse(), width, height, &mut pixels);
        Ok(AlignedFace { width, height, pixels })
    }
}

impl AlignedFace {
    /// A crop that was aligned elsewhere, from packed RGB pixels.
    ///
    /// Errors with `ImageLayout` if there are not `width * height * 3` bytes.
    pub fn from_rgb(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        if width.checked_mul(height).and_then(|area| area.checked_mul(3)) != Some(pixels.len()) || pixels.is_empty() {
            fail!(ImageLayout, "a crop of {width} x {height} RGB pixels does not have {} bytes", pixels.len());
        }
        Ok(AlignedFace { width, height, pixels })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Packed RGB.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The crop as a view.
    pub fn view(&self) -> Result<ImageView<'_>> {
        ImageView::packed(&self.pixels, self.width, self.height, PixelFormat::Rgb)
    }

    /// The crop as in a mirror.
    #[must_use]
    pub fn flipped(&self) -> AlignedFace {
        let mut pixels = self.pixels.clone();
        for row in pixels.chunks_exact_mut(self.width * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
        AlignedFace { pixels, ..*self }
    }
}

impl fmt::Debug for AlignedFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedFace({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

    #[test]
    fn landmarks_on_the_template_cut_the_image_as_it_is() {
        let pixels: Vec<u8> = (0..112 * 112 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let image = ImageView::packed(&pixels, 112, 112, PixelFormat::Rgb).unwrap();
        let aligner = Aligner::new(Template::arcface_112());
        let crop = aligner.align(image, &Landmarks(aligner.template().points)).unwrap();
        let worst = crop.pixels().iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(1), "{worst:?}");
    }

    #[test]
    fn flipping_twice_is_the_original() {
        let face = AlignedFace::from_rgb(3, 2, (0..18).collect()).unwrap();
        assert_eq!(face.flipped().pixels()[..9], [6, 7, 8, 3, 4, 5, 0, 1, 2]);
        assert_eq!(face.flipped().flipped(), face);
    }

    #[test]
    fn landmarks_in_one_place_are_an_error() {
        let image = ImageView::packed(&[0; 3], 1, 1, PixelFormat::Rgb).unwrap();
        let error =
            Aligner::new(Template::arcface_112()).align(image, &Landmarks([Point::new(1.0, 1.0); 5])).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Landmarks);
    }
}
