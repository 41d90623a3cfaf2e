#!/usr/bin/env python3
"""facecore beside insightface, OpenCV and face_recognition, on the same photographs and the same machine.

`make compare-peers` runs it. Everything is measured in one process and in turns, and every round another library begins,
so that what else the machine does meets all of them. Medians are printed, and their ratios to insightface, or to OpenCV
where only detection is compared.

- Whole photos, faces with embeddings: `facecore.Recognizer`, insightface's `FaceAnalysis` with the same two models
  (640 x 640, as it is used), and face_recognition with dlib's own models. Decoded beforehand, and from the file; photo after
  photo, as programs that work through photos call them, and one photo at a time after a rest.
- Detection alone: `facecore.Detector` and OpenCV's `FaceDetectorYN` with the same model, both at the size at which facecore
  looks at the photo.
- Throughput from files (`--many`): `Recognizer(many_photos=True).recognize_many`, with all threads and with one, beside a
  loop over insightface.

ONNX Runtime's threads spin for some time after a call, as insightface leaves them, and take the CPU from whatever comes
next. That is part of what insightface takes photo after photo; no other library may pay for it. So a library goes through
all photos before the next one does, or there is a pause before each photo. Throughput is measured in blocks of seconds.

face_recognition is measured if it is installed: dlib has to be compiled, which takes some minutes
(`target/compare-peers/venv/bin/pip install face_recognition`).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import insightface
import onnxruntime
from insightface.app import FaceAnalysis

import facecore

try:
    import face_recognition
except ImportError:
    face_recognition = None

PAUSE = 0.15  # seconds
FLAGS = "avx2 fma f16c avx512f avx512_vnni avx512_bf16 avx_vnni amx_bf16 amx_int8 asimd bf16 i8mm sve".split()
DETECTOR, EMBEDDER, YUNET = "scrfd_2.5g_bnkps.onnx", "mobilefacenet_128.onnx", "yunet_n_dynamic.onnx"

Look = Callable[[Any], int]
"""From a photo, decoded or its path, to the number of faces."""

Times = dict[Path, dict[str, list[float]]]
"""Of every photo, milliseconds by library."""


def main() -> None:
    """Measures and prints."""
    options = arguments()
    cv2.setNumThreads(options.threads)
    models = options.data / "models"
    recognizer = facecore.Recognizer(
        detector=models / DETECTOR, embedder=models / EMBEDDER, threads=options.threads, precision=options.precision
    )
    peer = of_insightface(options)
    print_setting(options, recognizer)

    photos = readable(options.photos or sorted((options.data / "images").iterdir()))
    whole: dict[str, tuple[Look, Look]] = {
        "insightface": (
            lambda photo: len(peer.get(photo)),
            lambda path: len(peer.get(cv2.imread(str(path)))),
        ),
        "facecore": (
            lambda photo: len(recognizer.recognize(photo, color="bgr").faces),
            lambda path: len(recognizer.recognize(path).faces),
        ),
    }
    if face_recognition:
        whole["face_recognition"] = (
            lambda photo: len(face_recognition.face_encodings(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))),
            lambda path: len(face_recognition.face_encodings(face_recognition.load_image_file(str(path)))),
        )
    decoded = {name: looks[0] for name, looks in whole.items()}
    from_file = {name: looks[1] for name, looks in whole.items()}
    files = {path: path for path in photos}
    compare("whole photo, decoded beforehand, photo after photo", photos, decoded, options, in_a_row)
    compare("whole photo, decoded beforehand, after a rest", photos, decoded, options, after_a_rest)
    compare("whole photo, from the file, photo after photo", files, from_file, options, in_a_row)
    compare("whole photo, from the file, after a rest", files, from_file, options, after_a_rest)
    compare("detection alone, YuNet, decoded beforehand, after a rest", photos, of_yunet(options), options, after_a_rest)
    if options.many:
        throughput(options, peer)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="*", help="by default those of the test data")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FACECORE_TEST_DATA") or "../shared"))
    parser.add_argument("--work", type=Path, default=Path("target/compare-peers"), help="for links to models")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["full", "fast"], default="full", help="of facecore")
    parser.add_argument("--repeat", type=int, default=7, help="rounds, of which the median counts")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds of rest")
    parser.add_argument("--many", type=int, default=0, help="photos of LFW for the throughput")
    return parser.parse_args()


def of_insightface(options: argparse.Namespace) -> FaceAnalysis:
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = options.threads
    pack = options.work / "pack"
    pack.mkdir(parents=True, exist_ok=True)
    for file in (DETECTOR, EMBEDDER):
        if not (pack / file).exists():
            (pack / file).symlink_to((options.data / "models" / file).resolve())
    app = FaceAnalysis(
        str(pack), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"], sess_options=session
    )
    app.prepare(0, det_size=(640, 640))
    return app


def of_yunet(options: argparse.Namespace) -> dict[str, Look]:
    model = options.data / "models" / YUNET
    detector = facecore.Detector(
        detector=model, threads=options.threads, precision=options.precision, close_ups=False
    )
    theirs = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.6, 0.3, 5000)

    def opencv(photo: Any) -> int:
        height, width = photo.shape[:2]
        scale = min(1.0, 640 / max(height, width))
        if scale < 1:
            photo = cv2.resize(photo, (round(width * scale), round(height * scale)))
        theirs.setInputSize((photo.shape[1], photo.shape[0]))
        faces = theirs.detect(photo)[1]
        return 0 if faces is None else len(faces)

    return {"OpenCV": opencv, "facecore": lambda photo: len(detector.detect(photo, color="bgr"))}


def readable(paths: list[Path]) -> dict[Path, Any]:
    """Decoded photos by their path; what is none is left out."""
    photos = {path: cv2.imread(str(path)) for path in paths}
    photos = {path: photo for path, photo in photos.items() if photo is not None}
    return photos or sys.exit("there are no photographs")


def timed(look: Look, photo: Any) -> float:
    """Milliseconds."""
    begin = time.perf_counter()
    look(photo)
    return (time.perf_counter() - begin) * 1e3


def turns(names: list[str], at: int) -> list[str]:
    """All of them, another one first each time."""
    start = at % len(names)
    return names[start:] + names[:start]


def in_a_row(photos: dict[Path, Any], looks: dict[str, Look], options: argparse.Namespace) -> Times:
    """All photos by one library after the other."""
    times: Times = {path: {name: [] for name in looks} for path in photos}
    for at in range(options.repeat):
        for name in turns(list(looks), at):
            time.sleep(options.pause)
            looks[name](next(iter(photos.values())))
            for path, photo in photos.items():
                times[path][name].append(timed(looks[name], photo))
    return times


def after_a_rest(photos: dict[Path, Any], looks: dict[str, Look], options: argparse.Namespace) -> Times:
    """Every photo by one library after the other, with a pause before each."""
    times: Times = {path: {name: [] for name in looks} for path in photos}
    for path, photo in photos.items():
        for at in range(options.repeat):
            for name in turns(list(looks), at):
                time.sleep(options.pause)
                times[path][name].append(timed(looks[name], photo))
    return times


def compare(
    what: str, photos: dict[Path, Any], looks: dict[str, Look], options: argparse.Namespace, measure: Callable[..., Times]
) -> None:
    """Every photo by each; prints medians and ratios to the first."""
    print(f"\n{what}: {len(photos)} photos, medians of {options.repeat}, ms")
    names = list(looks)
    print(f"{'':34}" + "".join(f"{name:>18}" for name in names) + "   faces", flush=True)
    faces = {path: [looks[name](photo) for name in names] for path, photo in photos.items()}
    medians: dict[str, list[float]] = {name: [] for name in names}
    for path, times in measure(photos, looks, options).items():
        for name in names:
            medians[name].append(statistics.median(times[name]))
        row = "".join(f"{medians[name][-1]:18.1f}" for name in names)
        print(f"{path.name:34}{row}   {' '.join(map(str, faces[path]))}")
    row = "".join(f"{statistics.median(medians[name]):18.1f}" for name in names)
    print(f"{'median':34}{row}")
    base = medians[names[0]]
    for name in names[1:]:
        ratios = sorted(theirs / ours for theirs, ours in zip(base, medians[name]))
        print(
            f"{name} is {statistics.median(base) / statistics.median(medians[name]):.2f} times as fast as {names[0]} "
            f"(ratio of medians); by photo {statistics.median(ratios):.2f} (median), "
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}; all photos together {sum(base) / sum(medians[name]):.2f}"
        )


def throughput(options: argparse.Namespace, peer: FaceAnalysis) -> None:
    """Photos a second from files, in blocks by turns."""
    paths = sorted((options.data / "lfw").rglob("*.jpg"))[: options.many]
    models = {"detector": options.data / "models" / DETECTOR, "embedder": options.data / "models" / EMBEDDER}
    models |= {"precision": options.precision, "many_photos": True}
    all_threads = facecore.Recognizer(**models, threads=options.threads)
    one_thread = facecore.Recognizer(**models, threads=1)

    def ours(recognizer: facecore.Recognizer, workers: int, block: list[Path]) -> int:
        outcomes = recognizer.recognize_many(block, workers=workers)
        return sum(len(outcome.value.faces) for outcome in outcomes if outcome.value)

    contenders: dict[str, Callable[[list[Path]], int]] = {
        "insightface": lambda block: sum(len(peer.get(cv2.imread(str(path)))) for path in block),
        f"facecore, {options.threads} threads": lambda block: ours(all_threads, options.threads, block),
        "facecore, 1 thread": lambda block: ours(one_thread, 1, block),
    }
    size = max(1, len(paths) // 10)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    faces = dict.fromkeys(contenders, 0)
    for contender in contenders.values():
        contender(paths[:8])
    for at, start in enumerate(range(0, len(paths), size)):
        for name in turns(list(contenders), at):
            time.sleep(options.pause)
            begin = time.perf_counter()
            faces[name] += contenders[name](paths[start : start + size])
            seconds[name].append(time.perf_counter() - begin)
    print(f"\nthroughput from files: {len(paths)} photos of LFW in blocks of {size} by turns")
    for name, taken in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(seconds["insightface"], taken)]
        print(
            f"{name:22} {len(paths) / sum(taken):8.1f} photos/s  {faces[name]} faces  "
            f"{statistics.median(ratios):.2f} times insightface (median of blocks)"
        )
    two, one = seconds[f"facecore, {options.threads} threads"], seconds["facecore, 1 thread"]
    print(f"{options.threads} threads are {statistics.median([b / a for a, b in zip(two, one)]):.2f} times as fast as one")


def print_setting(options: argparse.Namespace, recognizer: facecore.Recognizer) -> None:
    name, flags = platform.processor() or platform.machine(), ""
    if os.path.exists("/proc/cpuinfo"):
        lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
        told = {key.strip(): value.strip() for key, _, value in lines}
        name = told.get("model name", name)
        flags = " ".join(flag for flag in FLAGS if flag in told.get("flags", told.get("Features", "")).split())
    dlib = "not installed"
    if face_recognition:
        dlib = f"{importlib.metadata.version('face_recognition')}, dlib {importlib.metadata.version('dlib')}"
    print(
        f"facecore {facecore.__version__} ({options.precision}), insightface {insightface.__version__}, "
        f"onnxruntime {onnxruntime.__version__}, OpenCV {cv2.__version__}, face_recognition {dlib}, "
        f"Python {platform.python_version()}"
    )
    print(f"{name} ({flags}), {os.cpu_count()} CPUs, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
    print("facecore runs", *(f"{placement} with {placement.threads} threads;" for placement in recognizer.placement))


if __name__ == "__main__":
    main()
