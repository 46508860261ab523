"""`outpost firmware build`, `sign` and `verify`: what is done with firmware away from every hub and server."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import BadInput
from edge.settle import settle
from edge.verbs import flags, signing_key
from edge.verbs.output import emit, say
from edge.wire.firmware import IMAGE, SUFFIX, File

if TYPE_CHECKING:
    from edge.updates.signing.build import App

VERSION_FORM = "%Y%m%d.%H%M%S"


def add(what: flags.Verbs) -> None:
    """Add the verbs."""
    build = what.add_parser("build", help="compile a variant of our firmware into one file")
    build.add_argument("variant", help="base, blink, display, eink, logger, sensor, vending, …")
    build.add_argument("--out", type=Path, metavar="FILE", help=f"where to (VARIANT-VERSION{SUFFIX})")
    build.add_argument("--chip", default="esp32", help="esp32 unless said otherwise")
    build.add_argument("--version", default="", metavar="V", help="YYYYMMDD.HHMMSS; the time of now in UTC")
    build.add_argument("--security", type=int, default=1, metavar="N", help="devices never go below it again (1)")
    build.add_argument("--key", type=Path, metavar="FILE", help="sign with this private key, and trust it")
    build.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="PUB",
        help="devices believe this key too from then on; may be repeated",
    )  # fmt: skip
    build.add_argument("--json", action="store_true", help="print JSON")
    build.set_defaults(do=build_app)
    sign = what.add_parser("sign", help=f"sign a {SUFFIX} file, or make one of an ESP32 image")
    sign.add_argument("file", type=Path)
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key")
    sign.add_argument("--out", type=Path, metavar="FILE", help="where to (the same file; of an image FILE.outpost)")
    sign.add_argument("--target", default="micropython", help="of an image: what kind of device it is for")
    sign.add_argument("--version", default="", metavar="V", help="of an image: YYYYMMDD.HHMMSS")
    sign.add_argument("--security", type=int, default=1, metavar="N", help="of an image: as for build (1)")
    sign.set_defaults(do=sign_file)
    verify = what.add_parser("verify", help="check a file as a hub would")
    verify.add_argument("file", type=Path)
    verify.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="PUB", help="by this key; may be repeated"
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(do=verify_file)


async def build_app(arguments: argparse.Namespace) -> int:
    """`outpost firmware build VARIANT`."""
    from edge.updates.signing.build import build
    from edge.updates.signing.keys import public_of
    from edge.updates.signing.signatures import sign

    private = await asyncio.to_thread(signing_key.private_key, arguments.key) if arguments.key else None
    trust = [public_of(private)] if private else []
    trust += [await asyncio.to_thread(signing_key.public_key, file) for file in arguments.trust]
    app = await asyncio.to_thread(
        build,
        arguments.variant,
        trust,
        version=arguments.version or _now(),
        chip=arguments.chip,
        security=arguments.security,
    )
    signatures = (sign(app.manifest, private),) if private else ()
    target = arguments.out or Path(f"{arguments.variant}-{app.read.version}{SUFFIX}")
    size = await asyncio.to_thread(_write_app, target, app, signatures)
    made = {
        "file": str(target),
        "artifact": app.id,
        "version": app.read.version,
        "files": len(app.read.files),
        "size": app.read.size,
        "bundle_size": size,
        "signed_by": [one.key for one in signatures],
    }
    emit(made, arguments.json)
    if not signatures:
        say(f"It is not signed, so no hub takes it yet: `outpost firmware sign {target} --key KEY`.")
    return 0


async def sign_file(arguments: argparse.Namespace) -> int:
    """`outpost firmware sign FILE --key KEY`."""
    private = await asyncio.to_thread(signing_key.private_key, arguments.key)
    said = await asyncio.to_thread(_sign, arguments, private)
    say(said)
    return 0


async def verify_file(arguments: argparse.Namespace) -> int:
    """`outpost firmware verify FILE [--trust PUB]`."""
    found = await asyncio.to_thread(_verify, arguments)
    if arguments.json:
        emit(found, True)
    else:
        for sentence in found["checks"]:
            say(sentence)
    return 0


def _now() -> str:
    return datetime.now(UTC).strftime(VERSION_FORM)


def _write_app(target: Path, app: App, signatures: tuple[Any, ...]) -> int:
    from edge.updates.signing.bundles import write_bundle
    from edge.wire.firmware import write_signatures

    whole = io.BytesIO()
    write_bundle(whole, app.manifest, write_signatures(signatures), app.contents)
    _put(target, whole.getvalue())
    return len(whole.getvalue())


def _put(target: Path, data: bytes) -> None:
    """Whole or not at all."""
    draft = target.with_name(target.name + ".new")
    draft.write_bytes(data)
    settle(draft, target)


def _sign(arguments: argparse.Namespace, private: Any) -> str:
    from edge.updates.images.recognising import FileKind, not_combined, recognise
    from edge.updates.signing.bundles import FILES, read_bundle, write_bundle
    from edge.updates.signing.signatures import added, sign
    from edge.wire.firmware import SIGNATURES_MAX, write_signatures

    source: Path = arguments.file
    size = source.stat().st_size
    with source.open("rb") as file:
        found = recognise(file, size)
        not_combined(found)
        file.seek(0)
        if found.kind is FileKind.IMAGE:
            manifest, contents, earlier = _image_manifest(arguments, file, size)
        else:
            bundle = read_bundle(file, size)
            manifest, earlier, contents = bundle.manifest, bundle.signed, {}
            for part in bundle.parts:
                file.seek(part.at)
                contents[part.file.path.removeprefix(FILES)] = file.read(part.file.size)
    signatures = added(earlier, sign(manifest, private))
    if len(signatures) > SIGNATURES_MAX:
        raise BadInput(f"It has {SIGNATURES_MAX} signatures already.")
    target: Path = arguments.out or (source if found.kind is FileKind.BUNDLE else source.with_suffix(SUFFIX))
    whole = io.BytesIO()
    write_bundle(whole, manifest, write_signatures(signatures), contents)
    _put(target, whole.getvalue())
    return f"{target} is signed by {', '.join(one.key for one in signatures)}."


def _image_manifest(arguments: argparse.Namespace, file: Any, size: int) -> tuple[bytes, dict[str, bytes], Any]:
    """The manifest that an image gets when it is signed. Raises BadFirmware, BadInput."""
    from edge.updates.images.image import read_image
    from edge.updates.signing.images import image_manifest

    image = read_image(file, size)
    file.seek(0)
    data = file.read(size)
    manifest = image_manifest(
        File(path=IMAGE, size=size, sha256=hashlib.sha256(data).hexdigest()),
        target=arguments.target,
        chip=image.chip.name,
        version=arguments.version or _now(),
        security=arguments.security,
    )
    return manifest, {IMAGE: data}, ()


def _verify(arguments: argparse.Namespace) -> dict[str, Any]:
    from edge.settings import Updates
    from edge.updates.examining import Said, Trusted, examine
    from edge.wire.firmware import artifact_id

    trusted = [Trusted(file.name, signing_key.public_key(file)) for file in arguments.trust]
    with arguments.file.open("rb") as file:
        found = examine(
            file,
            arguments.file.stat().st_size,
            trusted,
            Said(target="any"),
            legacy_slot=Updates().slot_bytes,
        )
    return {
        "artifact": artifact_id(found.manifest) if found.manifest else "",
        "signed_by": list(found.signers),
        "legacy_only": found.legacy_only,
        "checks": list(found.checks),
    }
