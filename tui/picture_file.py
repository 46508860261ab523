"""A picture file of this machine as a data URI, checked before it is sent."""

from __future__ import annotations

import base64
from pathlib import Path

from edge.errors import BadPicture, NotFound, TooLarge

LARGEST_BYTES = 2_000_000  # a photographed QR code is less; the hub has a bound of its own
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def data_uri(name: str) -> str:
    """Read `name` (`~` is the home folder). Raises NotFound, TooLarge or BadPicture. Blocks: use a thread."""
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise NotFound("there is no such file", hint="Give the full path of a PNG or JPEG on this machine.")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"it cannot be read: {error.strerror}", hint="Check the path and its rights.") from error
    if len(data) > LARGEST_BYTES:
        raise TooLarge(
            f"the file is larger than {LARGEST_BYTES // 1000} kB", hint="Crop the picture to its QR code."
        )
    kind = next((kind for start, kind in KINDS.items() if data.startswith(start)), None)
    if kind is None:
        raise BadPicture("it is neither a PNG nor a JPEG")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
