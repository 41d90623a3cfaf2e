//! Real ONNX files, read and written back.

use facecore::Pack;
use facecore::model::onnx::OnnxModel;
use facecore_testkit::TestData;

#[test]
fn files_survive_to_the_byte() {
    let Some(data) = TestData::or_skip("real ONNX files") else { return };
    for path in data.models() {
        let bytes = std::fs::read(&path).unwrap();
        let model = OnnxModel::parse(&bytes).unwrap();
        // The exporters used the official encoder, which orders fields like ours.
        assert!(model.encode() == bytes, "{} changed", path.display());
        assert!(!model.inputs().is_empty() && !model.outputs().is_empty());
        assert!(!model.starts_with_normalisation(), "{}", path.display());
    }
}

#[test]
fn damaged_files_are_refused_or_read_without_panic() {
    let pack = Pack::lite().unwrap();
    for source in [pack.detector.unwrap().source, pack.embedder.unwrap().source] {
        let bytes = source.bytes();
        for step in 1..200 {
            let mut damaged = bytes.to_vec();
            // A large prime spreads the places; weights make up most of a file, its structure both ends.
            let reach = if step % 2 == 0 { bytes.len() } else { 4000 };
            damaged[step * 104_729 % reach] ^= step as u8;
            if let Ok(mut model) = OnnxModel::parse(&damaged) {
                model.spell_out_defaults();
                model.inputs();
            }
            damaged.truncate(bytes.len() * step / 200);
            OnnxModel::parse(&damaged).ok();
        }
    }
}
