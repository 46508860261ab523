"""The old page's upload form: fields in any order, the file among them, all of it bounded.

The file may come before the fields that say what it is, so it is held until the form is over. An image for older
boards has at most 1.3 MB; the form takes some more, one form at a time.
"""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from edge.errors import BadInput, TooLarge

FILE_BYTES = 4 * 1024 * 1024
FIELD_BYTES = 2048
FIELDS_MAX = 16
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


async def read_form(request: web.Request) -> Form:
    """What was sent. Raises BadInput naming the field, TooLarge."""
    if request.content_type != "multipart/form-data":
        raise BadInput("Send a form (multipart/form-data) with the fields firmware and device_type.")
    try:
        async with asyncio.timeout(FORM_S):
            fields, file = await _parts(await request.multipart())
    except TimeoutError as error:
        raise BadInput(f"The form did not arrive within {FORM_S:g} s.") from error
    except (ValueError, RuntimeError, OSError, AssertionError, HttpProcessingError) as error:
        raise BadInput("The form broke off, or is not what its head says.") from error
    if not file:
        raise BadInput("The field firmware has no file.")
    if not fields.get("device_type"):
        raise BadInput("The field device_type is empty: for which firmware type is the file?")
    return Form(
        firmware=file,
        device_type=fields["device_type"],
        description=fields.get("description", ""),
        version=fields.get("version", ""),
        chip=fields.get("chip", ""),
        auto_assign=fields.get("auto_assign", "").lower() in YES,
    )


async def _parts(reader: MultipartReader) -> tuple[dict[str, str], bytes]:
    fields, file, count = dict[str, str](), b"", 0
    while (part := await reader.next()) is not None:
        count += 1
        if not isinstance(part, BodyPartReader) or count > FIELDS_MAX:
            raise BadInput(f"The form has parts within parts, or more than {FIELDS_MAX}.")
        name = part.name or ""
        raw = await _bounded(part, FILE_BYTES if name == "firmware" else FIELD_BYTES, name)
        if name == "firmware":
            file = raw
        else:
            fields[name] = raw.decode("utf-8", "replace").strip()
    return fields, file


async def _bounded(part: BodyPartReader, most: int, name: str) -> bytes:
    raw = bytearray()
    while piece := await part.read_chunk():
        raw += piece
        if len(raw) > most:
            raise TooLarge(f"The field {name[:40]} has more than {most} bytes.")
    return bytes(raw)
