"""The portal's files: a little WebDAV, for who has an app password."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METHODS = ("GET", "HEAD", "PUT", "PROPFIND", "MKCOL", "DELETE", "MOVE")


class Files:
    """Files and folders in memory, by path."""

    def __init__(self, may: Callable[[str], bool]) -> None:
        self._may = may
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = {""}

    def routes(self) -> list[Route]:
        return [Route("/dav{path:path}", self.serve, methods=list(METHODS))]

    async def serve(self, request: Request) -> Response:
        if not self._may(request.headers.get("authorization", "")):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="files"'})
        path = request.path_params["path"].strip("/")
        if request.method == "PUT":
            return await self._put(request, path)
        there = request.headers.get("destination", "").partition("/dav")[2].strip("/")
        answers: dict[str, Callable[[], Response]] = {
            "PROPFIND": lambda: self._listed(path, deep=request.headers.get("depth") == "1"),
            "MKCOL": lambda: self._made(path),
            "MOVE": lambda: self._moved(path, there, request.headers.get("overwrite") != "F"),
            "DELETE": lambda: Response(status_code=204 if self.files.pop(path, None) is not None else 404),
        }
        read = lambda: Response(self.files[path]) if path in self.files else Response(status_code=404)  # noqa: E731
        return answers.get(request.method, read)()

    def _made(self, path: str) -> Response:
        self.folders.add(path)
        return Response(status_code=201)

    def _moved(self, path: str, there: str, over: bool) -> Response:  # noqa: FBT001 - as the header says
        if there in self.files and not over:
            return Response(status_code=412)
        self.files[there] = self.files.pop(path)
        return Response(status_code=201)

    async def _put(self, request: Request, path: str) -> Response:
        if request.headers.get("if-none-match") == "*" and path in self.files:
            return Response(status_code=412)
        self.files[path] = await request.body()
        return Response(status_code=201)

    def _listed(self, path: str, *, deep: bool) -> Response:
        if path not in self.folders and path not in self.files:
            return Response(status_code=404)
        below = [each for each in (*self.folders, *self.files) if deep and each.rpartition("/")[0] == path]
        entries = "".join(self._entry(each) for each in (path, *(one for one in below if one != path)))
        body = f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">{entries}</d:multistatus>'
        return Response(body, 207, media_type="application/xml")

    def _entry(self, path: str) -> str:
        content = self.files.get(path)
        kind = "<d:resourcetype><d:collection/></d:resourcetype>"
        if content is not None:
            tag = md5(content).hexdigest()  # noqa: S324 - an entity tag
            size = f"<d:getcontentlength>{len(content)}</d:getcontentlength>"
            kind = f'<d:resourcetype/>{size}<d:getetag>"{tag}"</d:getetag>'
        return (
            f"<d:response><d:href>/dav/{escape(quote(path))}</d:href><d:propstat><d:prop>{kind}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )
