"""A form that brings a file (multipart/form-data): its fields, then the file as it comes, never whole in memory.

The file is the last field of such a form. It may be as large, pause as long and come as slowly as the body of any
upload (edge/serving/bodies.py).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from edge.errors import BadInput, TooLarge
from edge.serving.bodies import pieces

FIELD_BYTES = 4 * 1024  # of one field, and of what stands before its value
FIELDS_MAX = 16
AROUND_BYTES = 2 * FIELDS_MAX * FIELD_BYTES  # what a body has besides the file
LULL_S = 30.0
_NAME = re.compile(rb'(?i)\bcontent-disposition:[^\r\n]*[; ]name="([^"\r\n]*)"')
_IS_FILE = re.compile(rb'(?i)\bcontent-disposition:[^\r\n]*[; ]filename="([^"\r\n]*)"')
_BROKEN = "The form cannot be read."
_NO_FILE = "No file was chosen."


class Received:
    """One such form. `most`: bytes the file may have. Raises BadInput for a request that is none, TooLarge."""

    def __init__(self, request: web.Request, most: int) -> None:
        if request.content_type != "multipart/form-data":
            raise BadInput(_BROKEN)
        found = re.search(r'boundary="?([^";,]{1,70})"?', request.headers.get("Content-Type", ""))
        if found is None:
            raise BadInput(_BROKEN)
        self._mark = b"\r\n--" + found[1].encode("latin-1", "replace")
        self._held = bytearray(b"\r\n")
        self._coming = pieces(request, most + AROUND_BYTES, LULL_S)

    async def fields(self) -> Mapping[str, str]:
        """What stands in the fields before the file. Raises BadInput where no file follows."""
        found: dict[str, str] = {}
        await self._until(self._mark)
        for _ in range(FIELDS_MAX):
            head = await self._until(b"\r\n\r\n")
            if head.startswith(b"--"):
                raise BadInput(_NO_FILE)
            file, name = _IS_FILE.search(head), _NAME.search(head)
            if file is not None and file[1]:
                return found
            if name is None:
                raise BadInput(_BROKEN)
            value = await self._until(self._mark)
            if file is not None:
                raise BadInput(_NO_FILE)
            if b"\0" in name[1] + value:  # which no database looks up
                raise BadInput(_BROKEN)
            found[name[1].decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        raise BadInput(_BROKEN)

    async def file(self, most: int, lull_s: float) -> AsyncIterator[bytes]:
        """The file, behind `fields`, up to `most` bytes; how long it may pause is settled with the form. Raises
        TooLarge, BadInput."""
        del lull_s
        took, too_large = 0, TooLarge(f"The file is larger than {most} bytes.")
        while (at := self._held.find(self._mark)) < 0:
            sure = len(self._held) - len(self._mark) + 1
            if sure > 0:
                took += sure
                yield bytes(self._held[:sure])
                del self._held[:sure]
            if took > most:
                raise too_large
            await self._more()
        if took + at > most:
            raise too_large
        if at:
            yield bytes(self._held[:at])
        async for _ in self._coming:  # what stands behind it is nobody's
            pass

    async def _until(self, mark: bytes) -> bytes:
        """What stands before the next mark, which is taken away too."""
        while (at := self._held.find(mark)) < 0:
            if len(self._held) > FIELD_BYTES:
                raise BadInput(_BROKEN)
            await self._more()
        if at > FIELD_BYTES:
            raise BadInput(_BROKEN)
        found = bytes(self._held[:at])
        del self._held[: at + len(mark)]
        return found

    async def _more(self) -> None:
        piece = await anext(self._coming, b"")
        if not piece:
            raise BadInput(_BROKEN)
        self._held += piece
