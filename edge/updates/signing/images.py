"""The manifest of a whole image, which says nothing of its own: written when it is signed, or taken in unsigned."""

from __future__ import annotations

from edge.errors import BadInput
from edge.wire.firmware import BadManifest, File, Kind, Manifest, write_manifest


def image_manifest(image: File, *, target: str, chip: str, version: str, security: int) -> bytes:
    """Its bytes. Raises BadInput for what a manifest cannot say."""
    manifest = Manifest(
        kind=Kind.ESP_IMAGE, target=target, chip=chip, version=version, security=security, files=(image,)
    )
    try:
        return write_manifest(manifest)
    except BadManifest as error:
        raise BadInput(f"This target or version cannot be used: {error}.", hint=_FORM) from error


_FORM = "A version is YYYYMMDD.HHMMSS; a target has up to 48 letters, digits, dots, dashes and underscores."
