"""From photographs to the finished pack, by one command:

    python tools/lite/make_pack.py --data ../shared --work target/lite --pack facecore/models/lite

Everything is drawn from `--seed`, both networks start from random weights. Interrupted, the same command goes on
where it was. `--work` keeps the intermediate results, each training's `metrics.csv` and `curves.png` among them.
"""

import argparse
import json
import os
from pathlib import Path

import cv2
import numpy as np
import torch
from lite import kept
from lite.detector import Detector
from lite.embedder import Embedder
from lite.export import export_detector, export_embedder
from lite.lfw import aligned, read_pairs
from lite.photos import choose_people, label_all, listed, read
from lite.train_detector import train_detector
from lite.train_embedder import train_embedder

HERE = Path(__file__).parent
UNSEEN = HERE / "held_out_people.txt"
# About one of 5,000 pairs of different people reaches it: see measure.py.
EMBEDDING_THRESHOLD = 0.42

MANIFEST = """\
# Made by tools/lite/make_pack.py. What it is and is not good for: MODEL_CARD.md.
format = 1
name = "{name}"
version = "{version}"
licence = "{licence}"

[detector]
file = "detector.onnx"
sha256 = "{detector}"
kind = "yunet"
color = "rgb"
mean = [127.5, 127.5, 127.5]
std = [128.0, 128.0, 128.0]
score_threshold = {score}
nms_iou = 0.4

[embedder]
file = "embedder.onnx"
sha256 = "{embedder}"
kind = "mobilefacenet"
dimension = 128
threshold = {threshold}
space = "{name}-{weights}/arcface-112"
"""


def photographs(data):
    root = data / "lfw/images"
    return root, sorted(str(path.relative_to(root)) for path in root.glob("*/*.jpg"))


def lfw_faces(options):
    """Aligned faces of LFW's photographs, the pairs of folds 1 to 5, and the people in them: to watch the embedder."""
    root, files = photographs(options.data)
    model = options.data / "models/yunet_n_dynamic.onnx"

    def make():
        import facecore

        detector = facecore.Detector(detector=model)
        faces = []
        for file in files:
            image = read(root / file)
            middle = np.array(image.shape[1::-1]) / 2
            away = lambda face: np.hypot(*(np.array(face.landmarks).mean(0) - middle))
            best = min(detector.detect(image, color="rgb"), key=away, default=None)
            faces.append(aligned(image, best.landmarks) if best else cv2.resize(image, (112, 112)))
        return np.stack(faces)

    faces = kept.array(options.work / "lfw.npy", {"photographs": len(files), "detector": kept.digest(model)}, make)
    index = {file: at for at, file in enumerate(files)}
    listed_pairs = read_pairs(options.data / "lfw/pairs_folds_1_5.txt")
    pairs = [(fold, index[a], index[b], same) for fold, a, b, same in listed_pairs]
    return faces, np.array(pairs, int), {Path(file).parent.name for file in files}


def make_embedder(options):
    archives = [options.data / "train/faces_128.tar", options.data / "train/faces_128_more.tar"]
    train_embedder(
        archives, options.data / "models/mobilefacenet_128.onnx", options.work / "embedder", lfw_faces(options),
        steps=options.embedder_steps, batch=256, invented=options.invented, seed=options.seed,
        threads=options.threads, workers=options.workers, device=options.device)


def make_detector(options):
    root, files = photographs(options.data)
    unseen = listed(UNSEEN)
    files = [file for file in files if Path(file).parent.name not in unseen]
    scrfd, yunet = (options.data / "models" / name for name in ("scrfd_2.5g_bnkps.onnx", "yunet_n_dynamic.onnx"))
    labels = label_all(files, root, scrfd, yunet, options.work / "labels.json")
    made_from = {"photographs": len(files), "scrfd": kept.digest(scrfd), "yunet": kept.digest(yunet)}
    train_detector(root, labels, options.work / "detector", steps=options.detector_steps, batch=32,
                   seed=options.seed, workers=options.workers, device=options.device, made_from=made_from)


def write_pack(options):
    options.pack.mkdir(parents=True, exist_ok=True)
    files = {}
    for part, model, export in (("detector", Detector(), export_detector), ("embedder", Embedder(), export_embedder)):
        weights = options.work / part / "training/weights.pt"
        model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        export(model, options.pack / f"{part}.onnx")
        files[part] = kept.digest(options.pack / f"{part}.onnx")
    # Other weights make another embedding space: galleries must not take one for the other.
    score = json.loads((options.work / "detector/threshold.json").read_text())
    manifest = MANIFEST.format(
        name=options.name, version=options.version, licence=options.licence, threshold=EMBEDDING_THRESHOLD,
        score=score, weights=files["embedder"][:8], **files)
    (options.pack / "pack.toml").write_text(manifest)


def choose_unseen(options):
    """How `held_out_people.txt` came to be."""
    UNSEEN.write_text("\n".join(choose_people(photographs(options.data)[1], frames=500, seed=0)) + "\n")


PARTS = {"embedder": make_embedder, "detector": make_detector, "pack": write_pack, "unseen": choose_unseen}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with models/, train/ and lfw/")
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate results, 6 GB")
    parser.add_argument("--pack", type=Path, required=True, help="folder to write the pack to")
    parser.add_argument("--only", choices=PARTS, help="do one part (default: embedder, detector, pack)")
    parser.add_argument("--embedder-steps", type=int, default=6000, help="of 256 faces (default: %(default)s)")
    parser.add_argument("--detector-steps", type=int, default=4000, help="of 32 pictures (default: %(default)s)")
    parser.add_argument("--invented", type=int, default=80_000, help="faces mixed from two (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=1, help="processes that draw samples (default: %(default)s)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--name", default="facecore-lite", help="of the pack; part of the name of its embedding space")
    parser.add_argument("--version", default="1.0")
    parser.add_argument("--licence", default="research and evaluation only: https://github.com/facecore/facecore/blob/"
                                             "main/facecore/models/lite/LICENSE.md")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    for part in [options.only] if options.only else ["embedder", "detector", "pack"]:
        PARTS[part](options)


if __name__ == "__main__":
    main()
