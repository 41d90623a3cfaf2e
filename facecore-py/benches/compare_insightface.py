"""insightface beside facecore on the same models, photographs and machine.

    python benches/compare_insightface.py ~/.insightface/models/buffalo_l photo.jpg ... --repeat 15

Needs insightface, facecore and one of the onnxruntime packages in one environment. Measured on decoded arrays, one call
at a time, in turns within one process: insightface's `FaceAnalysis.get`; the same of `facecore.compat.insightface`; and
`facecore.Recognizer` as it comes, which does not scale photos up to 640 x 640 and looks for close-ups too.

Both libraries get `--threads` threads: insightface through the session options of ONNX Runtime (and OpenCV's own
setting), facecore through `threads=`. As ONNX Runtime is set up by default, insightface's threads spin for some 60 ms
after a call, waiting for work, and take the CPU from whatever comes next. So there is a pause before each
measurement: the times are those of a call by itself. With `--in-a-row` another call, not counted, comes right before:
the times are those of photo after photo, where the threads of insightface's two models are in each other's way.

`--provider auto` leaves the choice to each library; one that is named is asked of both.
"""

from __future__ import annotations

import argparse
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
import numpy
import onnxruntime
from insightface.app import FaceAnalysis

import facecore
from facecore.compat import insightface as compat

PAUSE = 0.15  # seconds
ORT_NAMES = {facecores: ort for ort, facecores in compat._PROVIDERS.items()}


def main() -> None:
    """Measures and prints."""
    options = arguments()
    cv2.setNumThreads(options.threads)
    contenders = {
        "insightface": of_insightface(options),
        "compat": of_compat(options),
        "recognizer": of_recognizer(options),
    }
    print_setting(options)
    print(f"{'photo':32} {'size':>11}  {'faces':>8}  {'cosine':>15}  {'ms':>20}  {'ratio':>11}")
    totals: dict[str, list[float]] = {name: [] for name in contenders}
    for path in options.photos:
        photo = cv2.imread(str(path))
        if photo is None:
            sys.exit(f"{path} is no photo that OpenCV reads")
        faces = {name: look(photo) for name, look in contenders.items()}
        times = measure(contenders, photo, options.repeat, options.in_a_row)
        for name, seconds in times.items():
            totals[name].append(seconds)
        print_photo(path, photo, faces, times)
    print_totals(totals)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path, help="a folder with a detector and an embedder, as insightface unpacks it")
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--provider", choices=["auto", *ORT_NAMES], default="auto")
    parser.add_argument("--precision", choices=["full", "fast"], default="full", help="of facecore")
    parser.add_argument("--repeat", type=int, default=15, help="measurements of each, of which the median is printed")
    parser.add_argument("--in-a-row", action="store_true", help="as if photo after photo were looked at")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


Look = Callable[[Any], list[tuple[Any, Any]]]
"""From pixels to boxes with embeddings of length 1."""


def of_insightface(options: argparse.Namespace) -> Look:
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = options.threads
    providers: list[Any] | None = None
    if options.provider != "auto":
        name = ORT_NAMES[options.provider]
        settings = {"num_of_threads": str(options.threads)} if options.provider == "openvino" else {}
        providers = [(name, settings), "CPUExecutionProvider"]
    modules = ["detection", "recognition"]
    app = FaceAnalysis(str(options.pack), allowed_modules=modules, providers=providers, sess_options=session)
    app.prepare(0, det_size=(640, 640))
    print("insightface:", *app.det_model.session.get_providers())
    return lambda photo: [(face.bbox, face.normed_embedding) for face in app.get(photo)]


def of_compat(options: argparse.Namespace) -> Look:
    app = compat.FaceAnalysis(
        options.pack, provider=options.provider, precision=options.precision, threads=options.threads
    )
    app.prepare(0, det_size=(640, 640))
    print("facecore:   ", *app.placement.values())
    return lambda photo: [(face.bbox, face.normed_embedding) for face in app.get(photo)]


def of_recognizer(options: argparse.Namespace) -> Look:
    files = compat._files(options.pack, {"detection", "recognition"}, {})
    recognizer = facecore.Recognizer(
        **(files["detection"] | files["recognition"]),
        provider=options.provider,
        precision=options.precision,
        threads=options.threads,
    )
    return lambda photo: [
        (numpy.array(face.box), face.embedding.values) for face in recognizer.recognize(photo, color="bgr")
    ]


def measure(contenders: dict[str, Look], photo: Any, repeat: int, in_a_row: bool) -> dict[str, float]:
    """Median seconds of each. Every round another one begins."""
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for look in contenders.values():
        look(photo)
    for at in range(repeat):
        start = at % len(names)
        for name in names[start:] + names[:start]:
            time.sleep(PAUSE)
            if in_a_row:
                contenders[name](photo)
            begin = time.perf_counter()
            contenders[name](photo)
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


def lowest_cosine(expected: list[tuple[Any, Any]], found: list[tuple[Any, Any]]) -> float:
    """Of the faces that both found, each with the one whose box overlaps it most."""
    cosines = []
    for box, embedding in expected:
        overlaps = [overlap(box, other) for other, _ in found]
        if overlaps and max(overlaps) > 0.5:
            cosines.append(float(embedding @ found[overlaps.index(max(overlaps))][1]))
    return min(cosines, default=float("nan"))


def overlap(a: Any, b: Any) -> float:
    """Intersection over union."""
    shared = numpy.prod(numpy.clip(numpy.minimum(a[2:], b[2:]) - numpy.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (numpy.prod(a[2:] - a[:2]) + numpy.prod(b[2:] - b[:2]) - shared))


def print_setting(options: argparse.Namespace) -> None:
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    print(
        f"insightface {insightface.__version__}, facecore {facecore.__version__} ({options.precision}), "
        f"onnxruntime {onnxruntime.__version__}, OpenCV {cv2.__version__}, Python {platform.python_version()}"
    )
    print(f"{model}, {options.threads} threads; load {os.getloadavg()[0]:.1f}; medians of {options.repeat}")
    print("in each column insightface, compat, recognizer; cosines and ratios are to insightface")


def print_photo(path: Path, photo: Any, faces: dict[str, list[Any]], times: dict[str, float]) -> None:
    ours = ("compat", "recognizer")
    counts = " ".join(f"{len(found):2}" for found in faces.values())
    cosines = " ".join(f"{lowest_cosine(faces['insightface'], faces[name]):7.5f}" for name in ours)
    milliseconds = " ".join(f"{seconds * 1e3:6.1f}" for seconds in times.values())
    ratios = " ".join(f"{times[name] / times['insightface']:5.2f}" for name in ours)
    size = f"{photo.shape[1]} x {photo.shape[0]}"
    print(f"{path.name:32} {size:>11}  {counts:>8}  {cosines:>15}  {milliseconds:>20}  {ratios:>11}", flush=True)


def print_totals(totals: dict[str, list[float]]) -> None:
    theirs = totals["insightface"]
    print(f"\n{'':12} {'median ms':>10} {'mean ms':>10}   ratio to insightface: median, best, worst")
    for name, seconds in totals.items():
        ratios = [ours / other for ours, other in zip(seconds, theirs)]
        median, mean = statistics.median(seconds) * 1e3, statistics.fmean(seconds) * 1e3
        print(
            f"{name:12} {median:10.1f} {mean:10.1f}   "
            f"{statistics.median(ratios):.2f}, {min(ratios):.2f}, {max(ratios):.2f}"
        )


if __name__ == "__main__":
    main()
