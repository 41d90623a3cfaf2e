"""Measures a pack's detector beside YuNet, and how its scores tell people apart:

    python tools/lite/measure.py --pack facecore/models/lite --data ../shared

Detection is compared with SCRFD 2.5G on pictures that neither student nor recipe ever saw:

- photographs: those of `images/`, their longer side at most 640 pixels as detectors look at them by default;
- frames: the 500 LFW frames of the people in `held_out_people.txt`, as they are;
- mosaics of these frames at five sizes, by four seeds. A picture is full or is not made: each seed lays 500 frames
  at 2 x 2, 495 at 3 x 3, 496 at 4 x 4, 468 at 6 x 6 and 448 at 8 x 8.

`alone` tells in how many photographs of one face several are seen.

The distribution is over all pairs of the photographs of LFW's folds 1 to 5; the detector has learned on most of
them, the embedder on nobody in them. The verification figure itself is `facecore evaluate`'s.
"""

import argparse
from pathlib import Path

import facecore
from lite import measures

HELD_OUT = Path(__file__).parent / "held_out_people.txt"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--only", choices=["detection", "alone", "distribution"])
    options = parser.parse_args()
    pack, data, runtime = options.pack, options.data, options.runtime

    def distribution():
        return measures.distribution(facecore.Recognizer(pack, runtime=runtime, many_photos=True), data)

    parts = {"detection": lambda: measures.detection(pack, data, HELD_OUT, runtime),
             "alone": lambda: measures.alone(pack, data, runtime), "distribution": distribution}
    for name, lines in parts.items():
        if options.only in (None, name):
            for line in lines():
                print(line, flush=True)


if __name__ == "__main__":
    main()
