"""Name the people a camera sees, or a video shows. Needs OpenCV: `pip install opencv-python`.

    python examples/python/webcam.py --gallery office
    python examples/python/webcam.py party.mp4 --gallery office --out frames/
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Iterator

import cv2
import numpy

import facecore

KNOWN, UNKNOWN = (80, 200, 60), (60, 160, 250)


def frames(source: str) -> Iterator[numpy.ndarray]:
    """The frames of a camera, named by its number, or of a file."""
    video = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    if not video.isOpened():
        raise SystemExit(f"error: OpenCV cannot open {source}")
    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            yield frame
    finally:
        video.release()


def draw(frame: numpy.ndarray, faces: facecore.Identification) -> None:
    for face in faces:
        x1, y1, x2, y2 = map(round, face.box)
        color = KNOWN if face.person else UNKNOWN
        text = f"{face.person} {face.score:.2f}" if face.person else "unknown"
        cv2.rectangle(frame, (x1, y1), (x2, y2), color, 2)
        cv2.putText(frame, text, (x1, max(y1 - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="0", help="number of a camera (default 0), or a video file")
    parser.add_argument("--gallery", required=True, help="the gallery's folder")
    parser.add_argument("--pack", help="the models; by default what FACECORE_PACK names, or else the built-in ones")
    parser.add_argument("--every", type=int, default=5, metavar="N", help="identify every Nth frame (default 5)")
    parser.add_argument("--out", type=pathlib.Path, help="write these frames to a folder, and open no window")
    given = parser.parse_args()
    if given.every < 1:
        parser.error("--every takes 1 or more")

    # For reading, so that several cameras may share a gallery.
    recognizer = facecore.Recognizer(given.pack)
    with recognizer, facecore.Gallery(given.gallery, recognizer=recognizer, read_only=True) as gallery:
        show(given, gallery)


def show(given: argparse.Namespace, gallery: facecore.Gallery) -> None:
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames(given.source)):
        looked = number % given.every == 0
        if looked:
            # OpenCV's pixels are blue, green, red.
            faces = gallery.identify(frame, color="bgr")
            names = ", ".join(face.person or "unknown" for face in faces) or "nobody"
            print(f"{number:6}  {faces.timings.total * 1000:4.0f} ms  {names}")
        # The frames between show the last answer: faces move little in them.
        draw(frame, faces)
        if given.out:
            if looked:
                cv2.imwrite(str(given.out / f"{number:06}.jpg"), frame)
        else:
            cv2.imshow("facecore", frame)
            if cv2.waitKey(1) in (ord("q"), 27):
                return


if __name__ == "__main__":
    try:
        main()
    except facecore.FacecoreError as error:
        sys.exit(f"error: {error}")
