"""Who makes the demo's firmware: an app that its sensor comes with, and a newer one that can be rolled out.

The key is made for this and forgotten, as no key belongs on a hub's machine. Where there is no MicroPython, boards
run on Python itself, which does not load what was compiled: then nothing is made, and nothing can be updated.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from edge.client import Client
from edge.sim.board import interpreter
from edge.updates.signing.build import App, build
from edge.updates.signing.bundles import write_bundle
from edge.updates.signing.keys import PublicKey, new_private, public_of
from edge.updates.signing.signatures import sign
from edge.wire.firmware import File, Manifest, write_manifest, write_signatures
from edge.wire.updates import NewFirmwareKey

VARIANT = "sensor"
MAKER = "the demo's maker"
FOLDER, KEY, NEWER = "made", "maker.pub.pem", f"{VARIANT}.outpost"
APP = Path("flash", "a")  # of a board's folder: where a technician puts its first app
NEWS = "about.txt"
VERSION = "%Y%m%d.%H%M%S"
PIECE = 64 * 1024


def has_app(board: Path) -> bool:
    """Whether a board's folder holds an app that can be updated."""
    return (board / APP / "manifest").exists()


@contextlib.asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[asyncio.Task[None]]:
    """Makes all of it while other things start; done when the task is. What was made before stays."""
    making = asyncio.create_task(_outfit(folder / FOLDER, folder / VARIANT))
    try:
        yield making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


async def publish(client: Client, folder: Path) -> str:
    """Have the hub trust the maker and hold the newer app; its id, '' where none was made."""
    bundle = folder / FOLDER / NEWER
    if not await asyncio.to_thread(bundle.exists):
        return ""
    if not await client.items("/v1/firmware-keys"):
        pem = await asyncio.to_thread((folder / FOLDER / KEY).read_text, "utf-8")
        await client.send("POST", "/v1/firmware-keys", NewFirmwareKey(name=MAKER, pem=pem))
    data = await asyncio.to_thread(bundle.read_bytes)
    held = await client.upload("/v1/artifacts", _pieces(data), len(data), notes="the same, one day newer")
    return str(held["id"])


async def _outfit(made: Path, board: Path) -> None:
    if not has_app(board) and len(interpreter()) > 1:
        await asyncio.to_thread(_make, made, board)


def _make(made: Path, board: Path) -> None:
    private, now = new_private(), datetime.now(UTC)
    public = public_of(private)
    first = build(VARIANT, [public], version=(now - timedelta(days=1)).strftime(VERSION))
    newer = _newer(first, now.strftime(VERSION))
    made.mkdir(parents=True, exist_ok=True)
    _keep(made, public, newer, write_signatures((sign(newer.manifest, private),)))
    _put(board / APP, first, write_signatures((sign(first.manifest, private),)))


def _newer(first: App, version: str) -> App:
    """The same app with one file more, which is all that crosses to a board."""
    contents = {**first.contents, NEWS: f"Version {version}: what an update of one file is like.\n".encode()}
    files = tuple(
        File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(contents.items())
    )
    read: Manifest = msgspec.structs.replace(first.read, version=version, files=files)
    return App(write_manifest(read), read, contents)


def _keep(made: Path, public: PublicKey, newer: App, signatures: bytes) -> None:
    (made / KEY).write_text(public.pem, "utf-8")
    with (made / NEWER).open("wb") as file:
        write_bundle(file, newer.manifest, signatures, newer.contents)


def _put(folder: Path, app: App, signatures: bytes) -> None:
    """As over the cable: the manifest last."""
    for path, data in {**app.contents, "signatures": signatures, "manifest": app.manifest}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]
