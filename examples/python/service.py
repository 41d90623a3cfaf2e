"""A face recognition service. Needs FastAPI: `pip install fastapi python-multipart uvicorn`.

    python examples/python/service.py --gallery office

    curl -F photo=@ada1.jpg localhost:8000/people/ada/photos
    curl -F photo=@crowd.jpg localhost:8000/identify

It has no access control: put it behind something that has.
"""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse

import facecore

STATUSES: dict[type[facecore.FacecoreError], int] = {
    facecore.InvalidArgumentError: 400,
    facecore.PersonNotFoundError: 404,
    facecore.EmbeddingSpaceMismatchError: 409,
    facecore.ImageTooLargeError: 413,
    facecore.ImageFormatError: 415,
    facecore.ImageCorruptError: 422,
    facecore.NoFaceError: 422,
    facecore.SeveralFacesError: 422,
}
"""What the client can help. Everything else is the service's own trouble."""


class LimitBody:
    """Refuses a request as soon as its body is larger than `limit` bytes, before it fills the disk."""

    def __init__(self, app: Any, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        received = 0

        async def counted() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise HTTPException(413, f"a request has at most {self.limit} bytes")
            return message

        await self.app(scope, counted, send)


def make_app(gallery: facecore.Gallery, *, max_bytes: int = 16 << 20) -> FastAPI:
    """The service for a gallery. Gallery and recognizer are shared by all requests: the functions below are no
    coroutines, so that FastAPI runs each in a thread."""
    app = FastAPI(title="facecore", version=facecore.__version__)
    app.add_middleware(LimitBody, limit=max_bytes)

    @app.exception_handler(facecore.FacecoreError)
    def refuse(request: Request, error: facecore.FacecoreError) -> JSONResponse:
        status = STATUSES.get(type(error), 500)
        message = str(error)
        if status == 500:
            logging.getLogger(__name__).error("%s %s: %s", request.method, request.url.path, error)
            message = "the service failed; its log says why"
        return JSONResponse({"code": error.code, "kind": type(error).__name__, "message": message}, status)

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"people": len(gallery), "runs": [str(placement) for placement in gallery.recognizer.placement]}

    @app.get("/people")
    def people() -> list[dict[str, Any]]:
        return [person.to_dict() for person in gallery.persons()]

    @app.post("/people/{person}/photos", status_code=201)
    def add_photo(person: str, photo: UploadFile, name: str | None = None) -> dict[str, Any]:
        faces = gallery.enrol(person, photo.file, name=name).faces
        return {"person": person, "face": faces[0]}

    @app.delete("/people/{person}", status_code=204)
    def remove(person: str, later: BackgroundTasks) -> None:
        gallery.remove(person)
        # Erases the faces from the files, which takes longer than removing them.
        later.add_task(gallery.compact)

    @app.post("/identify")
    def identify(photo: UploadFile) -> dict[str, Any]:
        return gallery.identify(photo.file).to_dict()

    @app.post("/compare")
    def compare(first: UploadFile, second: UploadFile) -> dict[str, Any]:
        return gallery.recognizer.compare(first.file, second.file).to_dict()

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", required=True, help="the gallery's folder, made if absent")
    parser.add_argument("--pack", help="the models; by default what FACECORE_PACK names, or else the built-in ones")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--max-bytes", type=int, default=16 << 20, help="of a request (default 16 MiB)")
    given = parser.parse_args()

    import uvicorn

    # One thread a call, and as many calls at once as there are CPUs.
    recognizer = facecore.Recognizer(given.pack, many_photos=True, max_pixels=50_000_000)
    with recognizer, facecore.Gallery(given.gallery, recognizer=recognizer) as gallery:
        uvicorn.run(make_app(gallery, max_bytes=given.max_bytes), host=given.host, port=given.port)


if __name__ == "__main__":
    try:
        main()
    except facecore.FacecoreError as error:
        sys.exit(f"error: {error}")
