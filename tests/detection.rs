//! What detectors see in real photographs, whatever the pixels look like.

use facecore::geometry::Rect;
use facecore::{
    DecodeOptions, Detector, DetectorOptions, Face, Image, ImageView, Pack, PixelFormat, Recognizer, Rotation,
    RuntimeOptions,
};
use facecore_testkit::TestData;
use fast_image_resize as resize;

const DETECTORS: [&str; 3] = ["scrfd_2.5g_bnkps", "scrfd_500m_bnkps", "yunet_n_dynamic"];

fn detector(data: &TestData, model: &str) -> Detector {
    Recognizer::builder().detector(data.model(model)).runtime(RuntimeOptions::default()).build_detector().unwrap()
}

fn best(faces: &[Face]) -> Rect {
    faces.first().expect("a face").rect
}

#[test]
fn close_ups_are_each_found_once_by_default() {
    let Some(data) = TestData::or_skip("close-ups") else { return };
    let lite = Recognizer::builder().opened_pack(Pack::lite().unwrap()).build_detector().unwrap();
    let others = DETECTORS.map(|model| (model, detector(&data, model)));
    for photo in ["antispoof_F1.jpg", "antispoof_F2.jpg", "antispoof_T1.jpg"] {
        let image = Image::open(data.image(photo)).unwrap();
        let mut face = None;
        for (model, detector) in &others {
            let faces = detector.detect(&image).unwrap();
            assert_eq!(faces.len(), 1, "{model} on {photo}: {faces:?}");
            face = Some(faces[0].rect);
        }
        // The small pack takes other things for faces now and then, but is surer of the face, and finds it once.
        let found = lite.detect(&image).unwrap();
        let here: Vec<bool> = found.iter().map(|other| other.rect.iou(&face.unwrap()) > 0.3).collect();
        assert!(here[0] && here.iter().filter(|here| **here).count() == 1, "the built-in pack on {photo}: {found:?}");
        assert!(found.len() <= 2, "the built-in pack on {photo}: {found:?}");
    }
}

/// A rectangle of an image as a view: a face that fills the frame.
fn cut<'a>(image: &'a Image, rect: &Rect) -> ImageView<'a> {
    let clamp = |value: f32, most: usize| (value.max(0.0) as usize).min(most - 1);
    let (x1, y1) = (clamp(rect.x1, image.width()), clamp(rect.y1, image.height()));
    let (x2, y2) = (clamp(rect.x2, image.width()), clamp(rect.y2, image.height()));
    let stride = image.width() * 3;
    ImageView::new(&image.pixels()[y1 * stride + x1 * 3..], x2 - x1, y2 - y1, stride, PixelFormat::Rgb).unwrap()
}

#[test]
fn the_coarse_pass_finds_faces_that_fill_the_frame() {
    let Some(data) = TestData::or_skip("faces that fill the frame") else { return };
    for model in ["scrfd_2.5g_bnkps", "yunet_n_dynamic"] {
        let detector = detector(&data, model);
        let (mut with, mut without) = (0, 0);
        for photo in ["obama-1080p.jpg", "biden.jpg", "train_biden_biden2.jpg", "obama.jpg", "lin-manuel-miranda.png"] {
            let image = Image::open(data.image(photo)).unwrap();
            let close_up = cut(&image, &best(&detector.detect(&image).unwrap()));
            let alone = DetectorOptions { close_ups: false, ..DetectorOptions::default() };
            with += detector.detect(close_up).unwrap().len().min(1);
            without += detector.detect_with(close_up, &alone).unwrap().len().min(1);
            assert!(detector.detect(close_up).unwrap().len() <= 1, "{model} on a close-up of {photo}");
        }
        println!("{model}: {with} of 5 close-ups with the coarse pass, {without} without");
        assert!(with >= without && with >= 4, "{model}: {with} of 5 with the coarse pass, {without} without");
    }
}

/// A copy of another size.
fn scaled(view: &ImageView<'_>, width: usize, height: usize) -> Image {
    let from = view.to_image().unwrap();
    let source = (from.width() as u32, from.height() as u32, from.pixels().to_vec());
    let source = resize::images::Image::from_vec_u8(source.0, source.1, source.2, resize::PixelType::U8x3).unwrap();
    let mut copy = resize::images::Image::new(width as u32, height as u32, resize::PixelType::U8x3);
    resize::Resizer::new().resize(&source, &mut copy, None).unwrap();
    Image::from_rgb(width, height, copy.into_vec()).unwrap()
}

#[test]
fn a_face_that_fills_the_frame_is_found_beside_a_smaller_one() {
    let Some(data) = TestData::or_skip("a small face before one that fills the frame") else { return };
    let lite = Recognizer::builder().opened_pack(Pack::lite().unwrap()).build_detector().unwrap();
    let others = DETECTORS.map(|model| (model, detector(&data, model)));
    for (model, detector) in others.into_iter().chain([("the built-in pack", lite)]) {
        let square = |rect: &Rect, margin: f32| {
            let half = rect.width().max(rect.height()) * (0.5 + margin);
            let (x, y) = ((rect.x1 + rect.x2) / 2.0, (rect.y1 + rect.y2) / 2.0);
            Rect::new(x - half, y - half, x + half, y + half)
        };
        let other = Image::open(data.image("group_sample1.jpg")).unwrap();
        let other = scaled(&cut(&other, &square(&best(&detector.detect(&other).unwrap()), 0.3)), 150, 150);
        let alone = DetectorOptions { close_ups: false, ..DetectorOptions::default() };
        let both_found = |image: &Image, options: &DetectorOptions| {
            let faces = detector.detect_with(image, options).unwrap();
            let large = faces.iter().any(|face| face.rect.height() > 640.0 * 0.6);
            let small = faces.iter().any(|face| face.rect.x1 > 490.0 && face.rect.y2 < 160.0);
            usize::from(large && small)
        };
        let (mut with, mut without) = (0, 0);
        for photo in ["obama-1080p.jpg", "biden.jpg", "train_biden_biden2.jpg", "obama.jpg", "knn_obama1.jpg"] {
            let image = Image::open(data.image(photo)).unwrap();
            let face = best(&detector.detect(&image).unwrap());
            for margin in [0.0, 0.05, 0.1, 0.15] {
                let mut pixels = scaled(&cut(&image, &square(&face, margin)), 640, 640).into_pixels();
                for (y, row) in other.pixels().chunks_exact(150 * 3).enumerate() {
                    pixels[(y * 640 + 490) * 3..][..150 * 3].copy_from_slice(row);
                }
                let image = Image::from_rgb(640, 640, pixels).unwrap();
                with += both_found(&image, detector.options());
                without += both_found(&image, &alone);
            }
        }
        println!("{model}: both faces in {with} of 20 photos, without the coarse pass in {without}");
        assert_eq!(with, 20, "{model}");
        assert!(without < 5 || !model.starts_with("scrfd"), "{model}: in {without} without the coarse pass");
    }
}

#[test]
fn smaller_faces_are_found_when_asked_for() {
    let Some(data) = TestData::or_skip("small faces") else { return };
    let image = Image::open(data.image("group_sample6.jpg")).unwrap();
    // The group, reduced and put into the corner of a large grey picture: faces of about 20 pixels.
    let (width, height, factor) = (3600, 2400, 8);
    let mut pixels = vec![127; width * height * 3];
    for y in 0..image.height() / factor {
        for x in 0..image.width() / factor {
            for channel in 0..3 {
                // A mean of the block, so that the reduction does not alias.
                let sum: usize = (0..factor * factor)
                    .map(|i| {
                        let (dx, dy) = (i % factor, i / factor);
                        usize::from(image.pixels()[((y * factor + dy) * image.width() + x * factor + dx) * 3 + channel])
                    })
                    .sum();
                pixels[(y * width + x) * 3 + channel] = (sum / (factor * factor)) as u8;
            }
        }
    }
    let small = Image::from_rgb(width, height, pixels).unwrap();
    let detector = detector(&data, "yunet_n_dynamic");
    assert_eq!(detector.detect(&small).unwrap().len(), 0);
    let options = DetectorOptions { smallest_face: Some(20.0), ..DetectorOptions::default() };
    assert_eq!(detector.detect_with(&small, &options).unwrap().len(), 4);
}

#[test]
fn every_pixel_format_shows_the_same_face() {
    let Some(data) = TestData::or_skip("pixel formats") else { return };
    let detector = detector(&data, "yunet_n_dynamic");
    let image = Image::open(data.image("obama-240p.jpg")).unwrap();
    let expected = best(&detector.detect(&image).unwrap());
    let (width, height) = (image.width(), image.height());
    let pixels = image.pixels().as_chunks::<3>().0;
    let check = |view: ImageView<'_>, what: &str| {
        let found = best(&detector.detect(view).unwrap());
        assert!(found.iou(&expected) > 0.9, "{what}: {found:?}, {expected:?}");
    };

    let bgr: Vec<u8> = pixels.iter().flat_map(|[r, g, b]| [*b, *g, *r]).collect();
    check(ImageView::packed(&bgr, width, height, PixelFormat::Bgr).unwrap(), "BGR");
    let rgba: Vec<u8> = pixels.iter().flat_map(|[r, g, b]| [*r, *g, *b, 0]).collect();
    check(ImageView::packed(&rgba, width, height, PixelFormat::Rgba).unwrap(), "RGBA");
    let bgra: Vec<u8> = pixels.iter().flat_map(|[r, g, b]| [*b, *g, *r, 9]).collect();
    check(ImageView::packed(&bgra, width, height, PixelFormat::Bgra).unwrap(), "BGRA");
    let luma = |[r, g, b]: &[u8; 3]| (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)) as u8;
    let grey: Vec<u8> = pixels.iter().map(luma).collect();
    check(ImageView::packed(&grey, width, height, PixelFormat::Gray).unwrap(), "grey");
    // Rows apart by an odd number of bytes.
    let stride = width * 3 + 5;
    let mut strided = vec![200; stride * height];
    for (row, source) in strided.chunks_exact_mut(stride).zip(image.pixels().chunks_exact(width * 3)) {
        row[..width * 3].copy_from_slice(source);
    }
    check(ImageView::new(&strided, width, height, stride, PixelFormat::Rgb).unwrap(), "strided");
    for format in [PixelFormat::Nv12, PixelFormat::Nv21] {
        let mut frame = grey.clone();
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                let [r, g, b] = pixels[y * width + x].map(f32::from);
                let u = (128.0 - 0.168_736 * r - 0.331_264 * g + 0.5 * b) as u8;
                let v = (128.0 + 0.5 * r - 0.418_688 * g - 0.081_312 * b) as u8;
                frame.extend(if format == PixelFormat::Nv12 { [u, v] } else { [v, u] });
            }
        }
        check(ImageView::packed(&frame, width, height, format).unwrap(), &format!("{format:?}"));
    }
}

#[test]
fn a_turned_frame_with_its_hint_gives_upright_faces() {
    let Some(data) = TestData::or_skip("turned frames") else { return };
    let detector = detector(&data, "scrfd_2.5g_bnkps");
    let image = Image::open(data.image("two_people.jpg")).unwrap();
    let expected = detector.detect(&image).unwrap();
    let (width, height) = (image.width(), image.height());
    let pixels = image.pixels().as_chunks::<3>().0;
    // Stored as a sensor on its side does: the upright picture's right edge is the first row.
    let at = |row: usize, column: usize| pixels[column * width + width - 1 - row];
    let stored: Vec<u8> = (0..width).flat_map(|row| (0..height).flat_map(move |column| at(row, column))).collect();
    let view = ImageView::packed(&stored, height, width, PixelFormat::Rgb).unwrap().rotated(Rotation::Clockwise90);
    assert_eq!((view.width(), view.height()), (width, height));
    // Not to the bit: rows and columns change places in the scaler's rounding.
    let found = detector.detect(view).unwrap();
    assert_eq!(found.len(), expected.len());
    for (face, expected) in found.iter().zip(&expected) {
        assert!(face.rect.iou(&expected.rect) > 0.98, "{face:?}, {expected:?}");
    }
}

#[test]
fn exif_orientation_is_applied_unless_told_otherwise() {
    let Some(data) = TestData::or_skip("EXIF orientation") else { return };
    let upright = Image::open(data.image("antispoof_T1.jpg")).unwrap();
    let stored = DecodeOptions { apply_exif: false, ..DecodeOptions::default() };
    let stored = Image::open_with(data.image("antispoof_T1.jpg"), &stored).unwrap();
    assert_eq!((upright.width(), upright.height()), (480, 640));
    assert_eq!((stored.width(), stored.height()), (640, 480));
}

#[test]
fn narrow_and_tiny_images_are_searched_without_complaint() {
    let Some(data) = TestData::or_skip("odd image sizes") else { return };
    for model in DETECTORS {
        let detector = detector(&data, model);
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (31, 33), (640, 2)] {
            let image = Image::from_rgb(width, height, vec![90; width * height * 3]).unwrap();
            assert_eq!(detector.detect(&image).unwrap(), [], "{model} on {width} x {height}");
        }
    }
}
