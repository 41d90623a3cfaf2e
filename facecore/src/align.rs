//! Landmarks to crops: faces turned, scaled and cut so that their features lie where an embedder
//! expects them.

use std::fmt;

use crate::error::Result;
use crate::geometry::{Landmarks, Similarity};
use crate::image::{Image, ImageView, warp_rgb, warp_rows};
use crate::model::Template;

/// Cuts faces by the similarity that brings their landmarks closest to a template.
#[derive(Debug, Clone)]
pub struct Aligner {
    template: Template,
}

/// A face cut out and upright, ready for an embedder.
#[derive(Clone, PartialEq, Eq)]
pub struct AlignedFace(Image);

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
        let to_source = self.crop_to_source(landmarks)?;
        let (width, height) = self.template.size;
        let mut pixels = vec![0; width * height * 3];
        warp_rgb(&image.into(), &to_source, width, height, &mut pixels);
        AlignedFace::from_rgb(width, height, pixels)
    }

    /// As [`Aligner::align`], without a crop that is kept: `put` gets its rows by their number, of red, green, blue
    /// and a zero, made in `row`.
    pub(crate) fn rows(
        &self,
        image: &ImageView<'_>,
        landmarks: &Landmarks,
        row: &mut Vec<[u8; 4]>,
        put: impl FnMut(usize, &[[u8; 4]]),
    ) -> Result<()> {
        warp_rows(image, &self.crop_to_source(landmarks)?, self.template.size, row, put);
        Ok(())
    }

    fn crop_to_source(&self, landmarks: &Landmarks) -> Result<Similarity> {
        self.template.check()?;
        // Fitted from crop to image, the direction in which the crop's pixels are looked up, would minimise
        // distances in the image; training crops were fitted towards the template, so it is inverted instead.
        Ok(Similarity::fit(&landmarks.0, &self.template.points)?.inverse())
    }
}

impl AlignedFace {
    /// A crop that was aligned elsewhere, from packed RGB pixels.
    ///
    /// Errors with `ImageLayout` if there are not `width * height * 3` bytes, or none.
    pub fn from_rgb(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        Image::from_rgb(width, height, pixels).map(AlignedFace)
    }

    /// A crop that was aligned elsewhere, from pixels in any format.
    ///
    /// Errors with `ImageTooLarge` as [`ImageView::to_image`] does.
    pub fn from_view<'a>(view: impl Into<ImageView<'a>>) -> Result<Self> {
        view.into().to_image().map(AlignedFace)
    }

    /// The crop as an image of its own.
    pub fn into_image(self) -> Image {
        self.0
    }

    /// The crop as an image.
    pub fn image(&self) -> &Image {
        &self.0
    }

    /// The crop as in a mirror.
    #[must_use]
    pub fn flipped(&self) -> AlignedFace {
        let mut mirrored = self.clone();
        mirrored.0.mirror();
        mirrored
    }
}

impl fmt::Debug for AlignedFace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedFace({} x {})", self.0.width(), self.0.height())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::image::PixelFormat;

    #[test]
    fn landmarks_on_the_template_cut_the_image_as_it_is() {
        let pixels: Vec<u8> = (0..112 * 112 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let image = ImageView::packed(&pixels, 112, 112, PixelFormat::Rgb).unwrap();
        let aligner = Aligner::new(Template::arcface_112());
        let crop = aligner.align(image, &Landmarks(aligner.template().points)).unwrap();
        let worst = crop.image().pixels().iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(1), "{worst:?}");
    }

    #[test]
    fn flipping_twice_is_the_original() {
        let face = AlignedFace::from_rgb(3, 2, (0..18).collect()).unwrap();
        assert_eq!(face.flipped().image().pixels()[..9], [6, 7, 8, 3, 4, 5, 0, 1, 2]);
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
