fn main() {
    let a: Vec<String> = std::env::args().collect();
    let options = facecore::DecodeOptions { apply_exif: false, ..Default::default() };
    let i = facecore::Image::open_with(&a[1], &options).unwrap();
    std::fs::write(&a[2], i.pixels()).unwrap();
}
