//! Files that are often handed over in place of an ONNX model.

/// What the file evidently is, if that is something other than ONNX.
///
/// An ONNX file starts with a protobuf tag, in practice `08` (its IR version), and never looks like these.
pub(super) fn what_else(bytes: &[u8]) -> Option<&'static str> {
    const MAGICS: [(usize, &[u8], &str); 13] = [
        (
            0,
            b"version https://git-lfs",
            "this is a Git LFS pointer (run `git lfs pull` to fetch the file it stands for)",
        ),
        (0, b"ftrt", "this is a TensorRT engine (build engines from the ONNX file)"),
        (0, b"ptrt", "this is a TensorRT engine (build engines from the ONNX file)"),
        (0, b"RTEN", "this is a model in rten's own format"),
        (4, b"TFL3", "this is a TensorFlow Lite model (convert it with tf2onnx)"),
        (4, b"ORTM", "this is a model in ONNX Runtime's own format (.ort)"),
        (0, b"\x89HDF", "this is an HDF5 file, perhaps a Keras model (convert it with tf2onnx)"),
        (0, b"\x1f\x8b", "this is a gzip archive (unpack it first)"),
        (0, b"\x80\x02", TORCH),
        (0, b"\x80\x03", TORCH),
        (0, b"\x80\x04", TORCH),
        (0, b"\x80\x05", TORCH),
        (0, b"7767517\n", "this is an ncnn parameter file"),
    ];
    let found = MAGICS.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    found.map(|magic| magic.2).or_else(|| zip(bytes)).or_else(|| markup(bytes))
}

const TORCH: &str = "this is a PyTorch checkpoint or another Python pickle (export it with torch.onnx.export)";

fn zip(bytes: &[u8]) -> Option<&'static str> {
    // The first entry's name follows a header of 30 bytes; torch.save writes `<name>/data.pkl` first.
    let start = bytes.strip_prefix(b"PK\x03\x04")?;
    let is_torch = start.iter().take(256).collect::<Vec<_>>().windows(8).any(|w| w.iter().copied().eq(b"data.pkl"));
    Some(if is_torch { TORCH } else { "this is a ZIP archive (unpack it first)" })
}

fn markup(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts_with = |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if starts_with(b"<!doctype html") || starts_with(b"<html") {
        Some("this is a web page (what a download saves instead of the file when it needs a login or fails)")
    } else if starts_with(b"<?xml") {
        Some("this is an XML file, perhaps an OpenVINO model")
    } else {
        None
    }
}
