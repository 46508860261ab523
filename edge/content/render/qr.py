"""QR codes: read from a picture, and drawn anew.

Every picture of a QR code is reduced to its text and drawn again, so what a panel shows never depends on the
quality, scale or margins of what was sent.
"""

from __future__ import annotations

import segno
import zxingcpp
from PIL import Image

from edge.errors import BadPicture

QUIET_MODULES = 4  # ISO/IEC 18004: free modules on each side of the symbol
MIN_MODULE_PX = 2  # below this a camera no longer separates modules on a 3.5 inch panel
_SMALL_PX = 400  # pictures smaller than this are also tried enlarged: 1 px modules defeat the finder
_ENLARGE = 4
_REFUSED_KINDS = {
    zxingcpp.ContentType.GS1: "a GS1 code, whose field separators would be lost",
    zxingcpp.ContentType.UnknownECI: "text in a character set that is not known here",
}
_QR_CODES = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
_SHORTER = "Use a shorter payload, or send it to a larger panel."


def read_qr(image: Image.Image) -> str:
    """The text of the one QR code in `image` (any mode without transparency; light may be dark and dark light).

    Bytes that are UTF-8 are read as UTF-8, others (Latin-1, Shift JIS, a character set named by an ECI) as phones
    read them; where the two could differ the code is refused. The same payload found twice counts as one.
    Raises BadPicture: no QR code, several, or one that holds no plain text (binary, GS1, ambiguous).
    """
    payloads = {_text(found) for found in scan(image)}
    if not payloads:
        raise BadPicture("no QR code found", hint="Send a sharp picture of the whole code with a light margin.")
    if len(payloads) > 1:
        raise BadPicture(f"{len(payloads)} different QR codes found", hint="Send a picture of one QR code only.")
    return payloads.pop()


def scan(image: Image.Image) -> list[zxingcpp.Barcode]:
    """Every valid QR code in `image`; small pictures without one are tried again enlarged, with a margin."""
    grey = image if image.mode == "L" else image.convert("L")
    found = _decode(grey)
    if found or max(grey.size) >= _SMALL_PX:
        return found
    return _decode(_enlarged(grey))


def symbol(payload: str) -> segno.QRCode:
    """`payload` as a QR symbol: level M, raised where the same version allows it.

    Text beyond ASCII is written as UTF-8, the way payment apps do it; only where readers would guess another
    character set does it carry an ECI. Raises BadPicture: empty, not text, or more than any QR code holds.
    """
    if not payload:
        raise BadPicture("the QR payload is empty", hint="Send the text the code shall hold.")
    plain = _make(payload, eci=False)
    if payload.isascii() or _reads_back(plain, payload):
        return plain
    return _make(payload, eci=True)


def largest_module(code: segno.QRCode, width: int, height: int) -> int:
    """Pixels per module, the largest whole number with which `code` and its quiet zone fit into width x height.

    Raises BadPicture when that is below MIN_MODULE_PX.
    """
    module_px = min(width, height) // modules_across(code)
    if module_px < MIN_MODULE_PX:
        raise BadPicture(
            f"the payload needs {modules_across(code)} modules a side, too fine for {width}x{height} pixels",
            hint=_SHORTER,
        )
    return module_px


def modules_across(code: segno.QRCode) -> int:
    """Modules a side, quiet zone included."""
    return len(code.matrix) + 2 * QUIET_MODULES


def bitmap(code: segno.QRCode, module_px: int) -> Image.Image:
    """The symbol without quiet zone, mode "1", dark on light, `module_px` pixels per module."""
    side = len(code.matrix)
    pixels = bytes(0 if dark else 255 for row in code.matrix for dark in row)
    small = Image.frombytes("L", (side, side), pixels).convert("1", dither=Image.Dither.NONE)
    return small.resize((side * module_px, side * module_px), Image.Resampling.NEAREST)


def _make(payload: str, *, eci: bool) -> segno.QRCode:
    try:
        if payload.isascii():
            return segno.make_qr(payload, error="m", boost_error=True)
        # Byte mode by name: segno takes UTF-8 bytes that look like Shift JIS for kanji, and writes those.
        return segno.make_qr(payload, error="m", boost_error=True, mode="byte", encoding="utf-8", eci=eci)
    except segno.DataOverflowError:
        raise BadPicture("the payload is more than a QR code holds", hint=_SHORTER) from None
    except UnicodeEncodeError:
        raise BadPicture("the QR payload is not valid Unicode text") from None


def _reads_back(code: segno.QRCode, payload: str) -> bool:
    """Whether a plain reader, which must guess the character set, sees `payload` in `code`."""
    side = modules_across(code) * _ENLARGE
    page = Image.new("L", (side, side), 255)
    page.paste(bitmap(code, _ENLARGE), (QUIET_MODULES * _ENLARGE, QUIET_MODULES * _ENLARGE))
    return [found.text for found in _decode(page)] == [payload]


def _decode(grey: Image.Image) -> list[zxingcpp.Barcode]:
    return zxingcpp.read_barcodes(grey, formats=_QR_CODES, text_mode=zxingcpp.TextMode.Plain)


def _enlarged(grey: Image.Image) -> Image.Image:
    width, height = grey.size
    margin = 8
    page = Image.new("L", (width + 2 * margin, height + 2 * margin), 255)
    page.paste(grey, (margin, margin))
    return page.resize((page.width * _ENLARGE, page.height * _ENLARGE), Image.Resampling.NEAREST)


def _text(found: zxingcpp.Barcode) -> str:
    refusal = _REFUSED_KINDS.get(found.content_type)
    if refusal:
        raise BadPicture(f"the QR code holds {refusal}", hint="Send the code's text instead.")
    as_utf8 = _utf8(found.bytes)
    if found.content_type is not zxingcpp.ContentType.Text:
        if as_utf8 is None:
            raise BadPicture("the QR code holds binary data, not text", hint="Send the code's text instead.")
        return as_utf8
    if as_utf8 not in (None, found.text):
        raise BadPicture("the QR code's character set is ambiguous", hint="Send the code's text instead.")
    return found.text


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
