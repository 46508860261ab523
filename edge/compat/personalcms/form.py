"""The old pages' forms: fields in any order, files among them, all of it bounded.

A file may come before the fields that say what it is, so it is held until the form is over, one form at a time. An
image for older boards has at most 1.3 MB; the form takes some more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qsl

import msgspec
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from edge.errors import BadInput, TooLarge
from edge.serving.bodies import read_body
from edge.wire.content import PICTURE_BYTES

FILE_BYTES = 4 * 1024 * 1024
FIELD_BYTES = 2048
FIELDS_MAX = 16
PICTURES_MAX = 10  # in one form
MARKED_BYTES, MARKED_MAX = 256 * 1024, 4000  # of a form that has no file
OLD_PICTURE_MB = 16  # what the older server took
FORM_S = 300.0  # for all of it
YES = frozenset({"1", "true", "on", "yes"})


class Form(msgspec.Struct, frozen=True):
    """POST /api/ota/upload as it was filled in; '' for what was left out."""

    firmware: bytes
    device_type: str
    description: str
    version: str
    chip: str
    auto_assign: bool


class Field(msgspec.Struct, frozen=True):
    """One field. `filename`: '' for what was typed; `data`: what was typed, or the file."""

    name: str
    filename: str
    data: bytes

    @property
    def text(self) -> str:
        """What was typed."""
        return self.data.decode("utf-8", "replace").strip()


async def read_form(request: web.Request) -> Form:
    """What was sent. Raises BadInput naming the field, TooLarge."""

    def most(part: BodyPartReader) -> int:
        return FILE_BYTES if part.name == "firmware" else FIELD_BYTES

    found = [field async for field in fields(request, most, FIELDS_MAX)]
    file = next((field.data for field in found if field.name == "firmware"), b"")
    typed = {field.name: field.text for field in found if field.name != "firmware"}
    if not file:
        raise BadInput("The field firmware has no file.")
    if not typed.get("device_type"):
        raise BadInput("The field device_type is empty: for which firmware type is the file?")
    return Form(
        firmware=file,
        device_type=typed["device_type"],
        description=typed.get("description", ""),
        version=typed.get("version", ""),
        chip=typed.get("chip", ""),
        auto_assign=typed.get("auto_assign", "").lower() in YES,
    )


async def pictures(request: web.Request) -> AsyncIterator[Field]:
    """The files of a form one after the other, under whatever name their field has. Raises BadInput, TooLarge."""

    def most(part: BodyPartReader) -> int:
        return PICTURE_BYTES if part.filename else FIELD_BYTES

    try:
        async for field in fields(request, most, PICTURES_MAX):
            if field.filename:
                yield field
    except TooLarge as error:
        raise TooLarge(
            f"{error.detail} Pictures have at most {PICTURE_BYTES // 1024**2} MB here; the older server took"
            f" {OLD_PICTURE_MB} MB.",
            hint="Make it smaller: the panels have 800x480 pixels.",
        ) from error


async def marked(request: web.Request, body_s: float) -> dict[str, list[str]]:
    """A form without files, of either kind, as all values of each field. Raises BadInput, TooLarge."""
    found: dict[str, list[str]] = {}
    if request.content_type == "multipart/form-data":
        async for field in fields(request, lambda _: FIELD_BYTES, MARKED_MAX):
            found.setdefault(field.name, []).append(field.text)
        return found
    raw = await read_body(request, body_s, MARKED_BYTES, known=True)
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MARKED_MAX)
    except ValueError as error:
        raise BadInput(f"The form has more than {MARKED_MAX} fields.") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value.strip())
    return found


async def fields(
    request: web.Request, most: Callable[[BodyPartReader], int], count_max: int
) -> AsyncIterator[Field]:
    """The fields of a form with files as they come; `most`: what one may have. Raises BadInput, TooLarge."""
    if request.content_type != "multipart/form-data":
        raise BadInput("Send a form (multipart/form-data) with the file in it.")
    until_s, reader = asyncio.get_running_loop().time() + FORM_S, None
    for _ in range(count_max + 1):
        try:
            async with asyncio.timeout_at(until_s):
                reader = reader or await request.multipart()
                field = await _next(reader, most)
        except TimeoutError as error:
            raise BadInput(f"The form did not arrive within {FORM_S:g} s.") from error
        except (ValueError, RuntimeError, OSError, AssertionError, HttpProcessingError) as error:
            raise BadInput("The form broke off, or is not what its head says.") from error
        if field is None:
            return
        yield field
    raise BadInput(f"The form has more than {count_max} fields.")


async def _next(reader: MultipartReader, most: Callable[[BodyPartReader], int]) -> Field | None:
    part = await reader.next()
    if part is None:
        return None
    if not isinstance(part, BodyPartReader):
        raise BadInput("The form has parts within parts.")
    return Field(part.name or "", part.filename or "", await _bounded(part, most(part)))


async def _bounded(part: BodyPartReader, most: int) -> bytes:
    raw = bytearray()
    while piece := await part.read_chunk():
        raw += piece
        if len(raw) > most:
            raise TooLarge(f"The field {(part.name or '')[:40]} has more than {most} bytes.")
    return bytes(raw)
