"""Giving a picture to an older panel: its length told, never in chunks, and whether all of it went out."""

from __future__ import annotations

from aiohttp import web

from edge.serving.downloads import Downloads, send

AT_ONCE = 32  # pictures of some 48 KB; panels that wake together ask together


class PictureFile:
    """A picture's bytes, as they are sent. `etag`: what they are named by."""

    def __init__(self, data: bytes, etag: str) -> None:
        self._data, self._etag = data, etag

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self._data)

    @property
    def etag(self) -> str:
        """Another picture has another."""
        return self._etag

    async def read(self, start: int, count: int) -> bytes:
        """So many bytes from `start` on."""
        return self._data[start : start + count]


class PictureGiver:
    """Sends pictures, a few at a time."""

    def __init__(self) -> None:
        self._downloads = Downloads(AT_ONCE)

    async def give(
        self, request: web.Request, data: bytes, etag: str, content_type: str
    ) -> tuple[web.StreamResponse, bool]:
        """The answer, and whether the caller was sent all of the picture with it. Raises Crowded."""
        answer = await send(request, PictureFile(data, etag), self._downloads, content_type=content_type)
        whole = answer.status == 200 and request.method == "GET" and answer.body_length >= len(data)
        return answer, whole
