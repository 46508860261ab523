"""`outpost scan`: what the QR code in a picture says."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from edge.errors import BadInput
from edge.verbs import flags
from edge.verbs.output import cell


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    scan = verbs.add_parser("scan", help="what the QR code in a picture says")
    scan.add_argument("file", type=Path, help="a PNG, JPEG, GIF, WebP or BMP picture")
    scan.set_defaults(do=scan_file)


async def scan_file(arguments: argparse.Namespace) -> int:
    """`outpost scan FILE`. Raises BadPicture when there is no code in it."""
    # here, so that the other verbs start without loading what reads pictures
    from edge.content.intake.fetch import Fetcher
    from edge.content.intake.pictures import Pictures

    try:
        data = await asyncio.to_thread(arguments.file.read_bytes)
    except OSError as error:
        raise BadInput(f"{arguments.file} cannot be read: {error.strerror}.") from error
    pictures = Pictures(Fetcher())
    try:
        text = await pictures.qr_payload(data)
        sys.stdout.write((cell(text) if sys.stdout.isatty() else text) + "\n")
    finally:
        await pictures.close()
    return 0
