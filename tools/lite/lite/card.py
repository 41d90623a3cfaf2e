"""What lies beside a pack of another name: the beginning of a model card, and a note on the licence."""

import facecore

from . import kept, measures

CARD = """\
# Model card: {name} {version}

Begun by tools/lite/make_pack.py, which measured what it could. Say besides whom the photographs show and who took
them, how good the pack is on photographs as your users take them, and what it is not good for.

| file | SHA-256 |
| --- | --- |
{files}

Licence of the weights: {licence}. See [LICENSE.md](LICENSE.md).

## How good it is

```text
{detection}

{alone}

{distribution}
```

`tools/lite/measure.py` says what is compared with what, and prints this anew. Not measured: how accuracy differs
between groups of people, and everything that these photographs do not show.
"""

NOTE = """\
# Licence of the weights in this folder

`detector.onnx` and `embedder.onnx`: {licence}.

They learned from the following, whose terms bind them. Say for each what its terms are and where they can be read.

| source | SHA-256 | its terms | used for |
| --- | --- | --- | --- |
{sources}
"""

SOURCES = {
    "train/faces_128.tar": "faces the embedder learned on",
    "train/faces_128_more.tar": "faces the embedder learned on",
    "lfw/images": "frames the detector learned on",
    "models/mobilefacenet_128.onnx": "teacher of the embedder",
    "models/scrfd_2.5g_bnkps.onnx": "teacher of the detector",
    "models/yunet_n_dynamic.onnx": "regions that the detector did not learn on",
}


def write(folder, data, held_out, name, version, licence):
    """Writes both for the pack in `folder`, which is measured."""
    recognizer = facecore.Recognizer(folder, many_photos=True)
    files = "\n".join(f"| `{file}` | {kept.digest(folder / file)} |" for file in ("detector.onnx", "embedder.onnx"))
    (folder / "MODEL_CARD.md").write_text(CARD.format(
        name=name, version=version, licence=licence, files=files,
        detection="\n".join(measures.detection(folder, data, held_out)),
        alone="\n".join(measures.alone(folder, data)),
        distribution="\n".join(measures.distribution(recognizer, data))))
    hashed = lambda source: kept.digest(data / source) if (data / source).is_file() else "a folder"
    rows = (f"| `{source}` | {hashed(source)} | | {use} |" for source, use in SOURCES.items())
    (folder / "LICENSE.md").write_text(NOTE.format(licence=licence, sources="\n".join(rows)))
