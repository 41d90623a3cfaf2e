"""Runs the recipe for a few steps on a sample of the data, and ends with an error unless

- a training that is killed and started again leaves the same weights as one that was not;
- work begun with other photographs is refused;
- the pack that comes out opens and runs in facecore.

    python tools/lite/smoke.py --data ../shared --work target/lite/smoke

The weights know nothing: what is tried is the recipe.
"""

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import facecore
import torch
from lite.lfw import TEMPLATE, read_pairs

HERE = Path(__file__).parent
LICENCE = "none: a trial of the recipe"
# Every so many pairs of LFW, and as many crops of each kind: some 320 frames, 700 crops.
EVERY, CROPS = 18, 350
STEPS = ["--embedder-steps", "4", "--detector-steps", "4", "--invented", "64", "--sure", "0", "--save-minutes", "0"]


def sample(data, folder):
    """A folder as the recipe wants it, with little in it."""
    for name in ("mobilefacenet_128", "scrfd_2.5g_bnkps", "yunet_n_dynamic"):
        link(data / f"models/{name}.onnx", folder / f"models/{name}.onnx")
    for path in sorted((data / "images").glob("*.jpg"))[:3]:
        link(path, folder / "images" / path.name)
    pairs = read_pairs(data / "lfw/pairs_folds_1_5.txt")[::EVERY]
    for file in {file for _, first, second, _ in pairs for file in (first, second)}:
        link(data / "lfw/images" / file, folder / "lfw/images" / file)
    rows = ("\t".join([str(fold), first, second, str(int(same))]) for fold, first, second, same in pairs)
    (folder / "lfw/pairs_folds_1_5.txt").write_text("\n".join(rows) + "\n")
    (folder / "train").mkdir()
    crops(data / "train/faces_128.tar", folder / "train/faces_128.tar", wild=True)
    crops(data / "train/faces_128_more.tar", folder / "train/faces_128_more.tar", wild=False)


def link(source, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(source.resolve())


def crops(archive, place, wild):
    """The first crops that are of LFW, or are not."""
    left = CROPS
    with tarfile.open(archive) as source, tarfile.open(place, "w") as target:
        for member in source:
            if left and member.isfile() and member.name.startswith("lfw_") == wild:
                target.addfile(member, io.BytesIO(source.extractfile(member).read()))
                left -= 1


def command(data, work, *more):
    return [sys.executable, str(HERE / "make_pack.py"), "--data", str(data), "--work", str(work), "--pack",
            str(work / "pack"), "--name", "smoke", "--licence", LICENCE, *STEPS, *more]


def interrupted(data, work, part):
    """Starts a training, kills it after its first checkpoint, and starts it again."""
    training = work / part / "training"
    process = subprocess.Popen(command(data, work, "--only", part), start_new_session=True)
    while process.poll() is None and not (training / "checkpoint.pt").exists():
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    check(not (training / "weights.pt").exists(), f"the {part}'s training was over before it could be interrupted")
    again = subprocess.run(command(data, work, "--only", part), check=True, text=True, stdout=subprocess.PIPE)
    check("goes on at step" in again.stdout, f"the {part}'s training began anew:\n{again.stdout}")
    print(again.stdout, end="")


def check(good, otherwise):
    if not good:
        raise SystemExit(f"smoke: {otherwise}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder that is made anew, 100 MB")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    data, whole, parted = (options.work / name for name in ("data", "whole", "parted"))
    sample(options.data, data)

    subprocess.run(command(data, whole), check=True)
    # All but the trainings is there already.
    shutil.copytree(whole, parted, ignore=shutil.ignore_patterns("training", "pack"))
    for part in ("embedder", "detector"):
        interrupted(data, parted, part)
        one, other = (torch.load(work / part / "training/weights.pt", weights_only=True) for work in (whole, parted))
        differing = [name for name in one if not torch.equal(one[name], other[name])]
        check(not differing, f"the {part} that was interrupted has other weights: {', '.join(differing)}")

    pack, photo = whole / "pack", sorted((data / "images").iterdir())[0]
    notes = facecore.read_pack(pack)
    check((notes.name, notes.licence) == ("smoke", LICENCE), f"the pack says {notes}")
    check(all((pack / note).stat().st_size for note in ("MODEL_CARD.md", "LICENSE.md")), "the pack has no notes")
    faces = facecore.Recognizer(pack).recognize(photo)
    embedding = facecore.Embedder(pack).embed([facecore.Aligner().align(photo, TEMPLATE)])[0]
    check(len(embedding.values) == 128, f"an embedding of {len(embedding.values)} numbers")

    sorted((data / "lfw/images").glob("*/*.jpg"))[0].unlink()
    refused = subprocess.run(command(data, whole, "--only", "detector"), text=True, stderr=subprocess.PIPE)
    check(refused.returncode and "other settings" in refused.stderr, f"other photographs were taken: {refused.stderr}")
    print(f"smoke: resumed as if never interrupted, exported, opened; {len(faces)} faces seen; other data refused")


if __name__ == "__main__":
    main()
