"""From photographs to the finished pack, by one command:

    python tools/lite/make_pack.py --data ../shared --work target/lite --pack facecore/models/lite

Everything is drawn from `--seed`, both networks start from random weights. Interrupted, the same command goes on
where it was. `--work` keeps the intermediate results, each training's `metrics.csv` and `curves.png` among them.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from lite import card, kept
from lite.detector import Detector
from lite.embedder import Embedder
from lite.export import export_detector, export_embedder
from lite.lfw import photographs, scores, threshold_at, watched_faces
from lite.photos import choose_people, label_all, listed
from lite.teacher import OnnxEmbedder, embed
from lite.train_detector import train_detector
from lite.train_embedder import train_embedder

UNSEEN = Path(__file__).parent / "held_out_people.txt"
# The pack that is part of facecore: its card and its licence's note are written by hand.
NAME = "facecore-lite"
LICENCE = "research and evaluation only: https://github.com/facecore/facecore/blob/main/facecore/models/lite/LICENSE.md"
# The pack's threshold is what this share of the pairs of different people reaches.
MISTAKEN = 2e-4

MANIFEST = """\
# Made by tools/lite/make_pack.py. What it is and is not good for: MODEL_CARD.md.
format = 1
name = {name}
version = {version}
licence = {licence}
licence_class = "{licence_class}"

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
dimension = {dimension}
threshold = {threshold}
space = {space}
"""


def make_embedder(options):
    archives = [options.data / "train/faces_128.tar", options.data / "train/faces_128_more.tar"]
    train_embedder(
        archives, options.data / "models/mobilefacenet_128.onnx", options.work / "embedder",
        watched_faces(options.data, options.work), steps=options.embedder_steps, batch=256, invented=options.invented,
        seed=options.seed, threads=options.threads, workers=options.workers, device=options.device,
        save_minutes=options.save_minutes)


def make_detector(options):
    root, files = photographs(options.data)
    unseen = listed(UNSEEN)
    files = [file for file in files if Path(file).parent.name not in unseen]
    scrfd, yunet = (options.data / "models" / name for name in ("scrfd_2.5g_bnkps.onnx", "yunet_n_dynamic.onnx"))
    made_from = {"photographs": kept.listing(root, files), "held_out": kept.digest(UNSEEN),
                 "scrfd": kept.digest(scrfd), "yunet": kept.digest(yunet)}
    labels = label_all(files, root, scrfd, yunet, options.work / "labels.json", made_from)
    train_detector(root, labels, options.work / "detector", never=unseen, sure=options.sure,
                   steps=options.detector_steps, batch=32, seed=options.seed, workers=options.workers,
                   device=options.device, save_minutes=options.save_minutes, made_from=made_from)


def weights(options, part):
    return torch.load(options.work / part / "training/weights.pt", weights_only=True, map_location="cpu")


def write_pack(options):
    """Replaces the pack's files when all of them are there and answer as the networks do; pack.toml last, which has
    the others' SHA-256: whoever opens the pack in between gets an error and no mixture."""
    pack = options.pack.resolve()
    partial = pack.with_name(f"partial-{pack.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    state = weights(options, "embedder")
    dimension = len(state["project.weight"])
    for part, model, learned, export in (("detector", Detector(), weights(options, "detector"), export_detector),
                                         ("embedder", Embedder(dimension), state, export_embedder)):
        model.load_state_dict(learned)
        export(model, partial / f"{part}.onnx")
    detector, embedder = (kept.digest(partial / f"{part}.onnx") for part in ("detector", "embedder"))
    faces, _, people = watched_faces(options.data, options.work)
    _, others = scores(embed(OnnxEmbedder(partial / "embedder.onnx", options.threads), faces), people)
    # Other weights make another embedding space: galleries must not take one for the other.
    manifest = MANIFEST.format(
        name=quoted(options.name), version=quoted(options.version), licence=quoted(options.licence),
        licence_class=options.licence_class, detector=detector, score=json.loads((options.work / "detector/threshold.json").read_text()), embedder=embedder,
        dimension=dimension, threshold=round(float(threshold_at(others, MISTAKEN)), 2),
        space=quoted(f"{options.name}-{embedder[:8]}/arcface-112"))
    (partial / "pack.toml").write_text(manifest)
    if options.name == NAME or (pack / "MODEL_CARD.md").exists():
        print(f"the notes in {pack} stay as they are: see whether they are true of these weights")
    else:
        card.write(partial, options.data, UNSEEN, options.name, options.version, options.licence)
    pack.mkdir(parents=True, exist_ok=True)
    for file in sorted(partial.iterdir(), key=lambda file: file.name == "pack.toml"):
        file.replace(pack / file.name)
    partial.rmdir()


def quoted(text):
    """A string as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)


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
    parser.add_argument("--save-minutes", type=float, default=3.0,
                        help="what an interruption may cost (default: %(default)s)")
    # A face that is missed is photographed again; what is none is enrolled as one, or makes two of a photo's one.
    parser.add_argument("--sure", type=float, default=0.99,
                        help="share of the detector's answers that are to be right (default: %(default)s)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--name", default=NAME, help="of the pack; part of the name of its embedding space")
    parser.add_argument("--version", default="1.0")
    parser.add_argument("--licence", help="of the weights; needed with --name")
    parser.add_argument("--licence-class", choices=("research-only", "permissive", "unknown"), default="research-only",
                        help="what that licence allows, for programs that decide on it (default: %(default)s)")
    options = parser.parse_args()
    if options.licence is None:
        if options.name != NAME:
            parser.error("--name needs --licence: what the terms of all that they learn from allow")
        options.licence = LICENCE
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    for part in [options.only] if options.only else ["embedder", "detector", "pack"]:
        PARTS[part](options)


if __name__ == "__main__":
    main()
