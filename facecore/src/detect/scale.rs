//! At which sizes a detector looks at an image.

use crate::error::{Result, fail};

/// How the main pass scales the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum InputSize {
    /// Shrink the longer side to 640 pixels if it is longer, or as the smallest face to be found asks;
    /// pad each side to the model's stride. A model of fixed size gets [`InputSize::Letterbox`] of it.
    #[default]
    Auto,
    /// Scale up or down to fit into this width and height, padded to exactly that.
    Letterbox(usize, usize),
    /// Do not scale; pad each side to the model's stride. Images of up to 16,384 pixels a side.
    Native,
}

/// The longer side of the main pass, as in insightface's evaluation at 640 x 640.
const MAIN_SIDE: usize = 640;
/// The longer side of the coarse pass. At 192 pixels a face that fills the frame is as large as the faces
/// detectors were trained on.
const COARSE_SIDE: usize = 192;
/// The coarse pass speaks only of faces at least this large, as a share of the image's longer side. At a
/// main pass of 640 such a face is 256 pixels and more; smaller ones are the main pass's business. The
/// blobs that YuNet took for faces in coarse copies of the reference photographs were up to 0.37.
const CLOSE_UP_SHARE: f32 = 0.4;
/// The sides of canvases where shapes should be few. The usual proportions of photos, 16:9, 3:2 and 4:3, take 384,
/// 480 and 480 pixels beside 640.
const FEW_SIDES: [usize; 5] = [192, 256, 384, 480, 640];
/// No scaled pass is wider or higher than this, so that a small "smallest face" cannot exhaust the memory.
pub(super) const MAX_SIDE: usize = 4096;
/// Pixels are not made up beyond this factor.
const MAX_ENLARGEMENT: f64 = 2.0;

/// One look at the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pass {
    /// Size of the scaled image.
    pub(super) content: (usize, usize),
    /// Size of the model's input.
    pub(super) canvas: (usize, usize),
    /// Pixels of the image a pixel of the input stands for, along x and y.
    pub(super) pixel: (f32, f32),
    /// Faces with a longer side below this, in pixels of the image, are left to another pass.
    pub(super) smallest: f32,
}

impl Pass {
    fn new(image: (usize, usize), content: (usize, usize), canvas: (usize, usize)) -> Self {
        let pixel = (image.0 as f32 / content.0 as f32, image.1 as f32 / content.1 as f32);
        Pass { content, canvas, pixel, smallest: 0.0 }
    }

    /// Whether a face too large to be found at this scale is still seen a little; of a larger copy of the image a
    /// detector sees no more than skin.
    pub(super) fn leaves_traces(&self) -> bool {
        self.content.0.max(self.content.1) <= MAIN_SIDE
    }
}

/// What a plan depends on.
pub(super) struct Request {
    /// Width and height of the image.
    pub(super) image: (usize, usize),
    /// Width and height of a model of fixed size.
    pub(super) fixed: Option<(usize, usize)>,
    /// Both sides of the canvas are multiples of it.
    pub(super) stride: usize,
    /// How the main pass scales.
    pub(super) size: InputSize,
    /// The smallest face to be found in pixels of the image, and the smallest that the model finds in
    /// pixels of its input.
    pub(super) smallest_face: Option<(f32, f32)>,
    /// Whether there is a coarse pass.
    pub(super) close_ups: bool,
    /// Whether canvases are padded further than to the stride, so that there are few different ones.
    pub(super) few_shapes: bool,
}

/// The main pass, and the coarse one if there is one.
///
/// Errors with `InvalidArgument` if a model of fixed size is asked for what it cannot do.
pub(super) fn plan(request: &Request) -> Result<(Pass, Option<Pass>)> {
    let (width, height) = request.image;
    let long_side = width.max(height) as f64;
    let main = main_pass(request)?;
    let main_long = main.content.0.max(main.content.1);
    // A main pass that is hardly finer sees close-ups itself.
    let coarse = (request.close_ups && main_long > COARSE_SIDE * 3 / 2).then(|| {
        let content = scaled(request.image, COARSE_SIDE as f64 / long_side);
        let canvas = request.fixed.unwrap_or_else(|| match request.few_shapes {
            true => padded((COARSE_SIDE, COARSE_SIDE), request.stride),
            false => padded(content, request.stride),
        });
        let content = fitting(content, canvas);
        Pass { smallest: CLOSE_UP_SHARE * long_side as f32, ..Pass::new(request.image, content, canvas) }
    });
    Ok((main, coarse))
}

fn main_pass(request: &Request) -> Result<Pass> {
    let (width, height) = request.image;
    let long_side = width.max(height) as f64;
    let size = match (request.size, request.fixed) {
        (InputSize::Letterbox(w, h), Some(fixed)) if (w, h) != fixed => {
            fail!(InvalidArgument, "the model's input is fixed at {} x {}, not {w} x {h}", fixed.0, fixed.1)
        }
        (InputSize::Native, Some(fixed)) => {
            fail!(
                InvalidArgument,
                "the model's input is fixed at {} x {}; it cannot take images as they are",
                fixed.0,
                fixed.1
            )
        }
        (_, Some(fixed)) => InputSize::Letterbox(fixed.0, fixed.1),
        (size, None) => size,
    };
    let scale = match (size, request.smallest_face) {
        (InputSize::Auto, None) => (MAIN_SIDE as f64 / long_side).min(1.0),
        (InputSize::Auto, Some((wanted, found))) => {
            let asked = f64::from(found) / f64::from(wanted);
            asked.min(MAX_ENLARGEMENT).min(MAX_SIDE as f64 / long_side)
        }
        (InputSize::Native, None) if long_side <= (MAX_SIDE * 4) as f64 => 1.0,
        (InputSize::Native, None) => fail!(
            InvalidArgument,
            "an image of {width} x {height} pixels is too large to be searched unscaled; the limit is {} a side",
            MAX_SIDE * 4
        ),
        (InputSize::Letterbox(w, h), None) => {
            if !(request.stride..=MAX_SIDE).contains(&w)
                || !(request.stride..=MAX_SIDE).contains(&h)
                || w % request.stride != 0
                || h % request.stride != 0
            {
                fail!(
                    InvalidArgument,
                    "an input of {w} x {h} pixels is not a multiple of {} up to {MAX_SIDE}",
                    request.stride
                );
            }
            // The sides are cut, not rounded, as insightface does.
            let (content_width, content_height) = if width * h < height * w {
                ((width as f64 * h as f64 / height as f64) as usize, h)
            } else {
                (w, (height as f64 * w as f64 / width as f64) as usize)
            };
            let content = (content_width.max(1), content_height.max(1));
            let mut pass = Pass::new(request.image, content, (w, h));
            // insightface undoes both axes by the height's factor. Followed as far as cutting explains the
            // difference; the sides of very narrow images are cut by more than that.
            if (pass.pixel.0 / pass.pixel.1 - 1.0).abs() < 0.01 {
                pass.pixel.0 = pass.pixel.1;
            }
            return Ok(pass);
        }
        (_, Some(_)) => fail!(
            InvalidArgument,
            "a smallest face can be chosen only where the input size is automatic and the model takes any size"
        ),
    };
    let content = scaled(request.image, scale);
    let few = request.few_shapes && size == InputSize::Auto && request.smallest_face.is_none();
    let side = |side: usize| FEW_SIDES.into_iter().find(|few| *few >= side).unwrap_or(side);
    let least = if few { (side(content.0), side(content.1)) } else { content };
    Ok(Pass::new(request.image, content, padded(least, request.stride)))
}

fn scaled(image: (usize, usize), scale: f64) -> (usize, usize) {
    let side = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    (side(image.0), side(image.1))
}

fn padded(content: (usize, usize), stride: usize) -> (usize, usize) {
    (content.0.next_multiple_of(stride), content.1.next_multiple_of(stride))
}

fn fitting(content: (usize, usize), canvas: (usize, usize)) -> (usize, usize) {
    let scale = (canvas.0 as f64 / content.0 as f64).min(canvas.1 as f64 / content.1 as f64).min(1.0);
    let (width, height) = scaled(content, scale);
    (width.min(canvas.0), height.min(canvas.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(image: (usize, usize)) -> Request {
        Request {
            image,
            fixed: None,
            stride: 32,
            size: InputSize::Auto,
            smallest_face: None,
            close_ups: false,
            few_shapes: false,
        }
    }

    #[test]
    fn automatic_size_shrinks_and_pads_but_never_enlarges() {
        let pass = |image| plan(&request(image)).unwrap().0;
        assert_eq!((pass((1280, 720)).content, pass((1280, 720)).canvas), ((640, 360), (640, 384)));
        assert_eq!((pass((250, 250)).content, pass((250, 250)).canvas), ((250, 250), (256, 256)));
        assert_eq!((pass((1, 30000)).content, pass((1, 30000)).canvas), ((1, 640), (32, 640)));
    }

    #[test]
    fn few_shapes_are_enough_for_photos_of_all_proportions() {
        let canvases = |image| {
            let (main, coarse) = plan(&Request { close_ups: true, few_shapes: true, ..request(image) }).unwrap();
            (main.content, main.canvas, coarse.map(|coarse| coarse.canvas))
        };
        assert_eq!(canvases((1920, 1080)), ((640, 360), (640, 384), Some((192, 192))));
        assert_eq!(canvases((1280, 886)), ((640, 443), (640, 480), Some((192, 192))));
        assert_eq!(canvases((1200, 1600)), ((480, 640), (480, 640), Some((192, 192))));
        assert_eq!(canvases((250, 250)), ((250, 250), (256, 256), None));
        let all: std::collections::BTreeSet<_> =
            (1..=100).flat_map(|side| [(1000, side * 10), (side * 10, 1000)]).map(|image| canvases(image).1).collect();
        assert_eq!(all.len(), 9);
        let native = plan(&Request { few_shapes: true, size: InputSize::Native, ..request((700, 500)) }).unwrap().0;
        assert_eq!(native.canvas, (704, 512));
    }

    #[test]
    fn letterboxing_cuts_sides_as_insightface_does() {
        let pass = |image, box_: (usize, usize)| {
            plan(&Request { size: InputSize::Letterbox(box_.0, box_.1), ..request(image) }).unwrap().0.content
        };
        assert_eq!(pass((427, 240), (640, 640)), (640, 359));
        assert_eq!(pass((240, 427), (640, 640)), (359, 640));
        assert_eq!(pass((640, 640), (640, 640)), (640, 640));
        assert_eq!(pass((30000, 1), (640, 640)), (640, 1));
    }

    #[test]
    fn the_smallest_face_chooses_the_scale() {
        let content =
            |wanted, image| plan(&Request { smallest_face: Some((wanted, 16.0)), ..request(image) }).unwrap().0.content;
        assert_eq!(content(32.0, (4000, 3000)), (2000, 1500));
        assert_eq!(content(16.0, (8000, 6000)), (4096, 3072));
        assert_eq!(content(1.0, (100, 50)), (200, 100));
        assert_eq!(content(160.0, (1000, 500)), (100, 50));
    }

    #[test]
    fn close_ups_get_a_coarse_pass_where_it_helps() {
        let passes = |image, fixed| plan(&Request { close_ups: true, fixed, ..request(image) }).unwrap();
        let coarse = passes((1280, 720), None).1.unwrap();
        assert_eq!((coarse.content, coarse.canvas, coarse.smallest), ((192, 108), (192, 128), 512.0));
        assert_eq!(passes((250, 250), None).1, None);
        let (main, coarse) = passes((1280, 720), Some((640, 640)));
        let coarse = coarse.unwrap();
        assert_eq!((main.content, coarse.content, coarse.canvas), ((640, 360), (192, 108), (640, 640)));
    }

    #[test]
    fn what_a_fixed_model_cannot_do_is_refused() {
        let fixed = |size, smallest_face| {
            plan(&Request { size, smallest_face, fixed: Some((640, 640)), ..request((100, 100)) })
        };
        assert!(fixed(InputSize::Letterbox(320, 320), None).is_err());
        assert!(fixed(InputSize::Native, None).is_err());
        assert!(fixed(InputSize::Auto, Some((10.0, 16.0))).is_err());
        assert!(fixed(InputSize::Letterbox(640, 640), None).is_ok());
        let odd = plan(&Request { size: InputSize::Letterbox(100, 640), ..request((100, 100)) });
        assert!(odd.is_err());
    }
}
