"""The functions of other packages, on facecore: for code that was written for them.

    from facecore.compat.insightface import FaceAnalysis     # instead of: from insightface.app import FaceAnalysis
    from facecore.compat import face_recognition             # instead of: import face_recognition

What they have and facecore does not raises `UnsupportedError`, which says what to use.
"""

from __future__ import annotations

from .._errors import InvalidArgumentError


# An `AttributeError` too, so that `hasattr` and `getattr` with a default go on.
class UnsupportedError(InvalidArgumentError, NotImplementedError, AttributeError):
    """The other package has it, and facecore does not."""


__all__ = ["UnsupportedError"]
