"""Enrol a folder that has a sub-folder of photos for each person, or one photo named after them.

    python examples/python/enrol_folder.py people/ --gallery office
"""

from __future__ import annotations

import argparse
import collections
import sys

import facecore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", help="the folder of people")
    parser.add_argument("--gallery", required=True, help="the gallery's folder, made if absent")
    parser.add_argument("--pack", help="the models; by default what FACECORE_PACK names, or else the built-in ones")
    parser.add_argument("--namespace", help="which people of the gallery they join")
    parser.add_argument(
        "--choice",
        choices=("only", "largest", "central"),
        default="only",
        help="the face of a photo that shows several; by default such a photo is skipped",
    )
    given = parser.parse_args()

    recognizer = facecore.Recognizer(given.pack, many_photos=True)
    with recognizer, facecore.Gallery(given.gallery, recognizer=recognizer) as gallery:
        namespace = gallery.namespace(given.namespace) if given.namespace else gallery
        enrolment = namespace.enrol_folder(given.people, choice=given.choice)

    photos = collections.Counter(photo.person for photo in enrolment.photos if photo.error is None)
    for person, count in photos.items():
        print(f"  {person}  {count} photo{'s' if count > 1 else ''}")
    for photo in enrolment.failed:
        print(f"  skipped: {photo.error}")
    people, faces, skipped = map(len, (enrolment.persons, enrolment.faces, enrolment.failed))
    print(f"enrolled {people} people, {faces} faces; skipped {skipped} photos")


if __name__ == "__main__":
    try:
        main()
    except facecore.FacecoreError as error:
        sys.exit(f"error: {error}")
