"""A QR code as the old system sends it: a data URI, base64, an address, or plainly the text that it holds."""

from __future__ import annotations

from edge.compat.nic.door import Visit
from edge.content.intake.forms import PayloadText, parse_source
from edge.errors import BadPicture


def qr_args(visit: Visit, field: str) -> dict[str, object]:
    """The arguments of a display_qr command for the code in `field`. Raises BadPicture."""
    source = visit.body[field]
    if not isinstance(source, str) or not _is_unicode(source):
        raise BadPicture("The picture is a data URI, base64 of a picture file, its address, or the code's text.")
    name = "payload" if isinstance(parse_source(source), PayloadText) else "image"
    return {
        name: source,
        "caption": visit.text("customer_name"),
        "amount": visit.text("amount"),
        "reference": visit.text("policy_number"),
    }


def _is_unicode(text: str) -> bool:
    """False for half a surrogate pair, which JSON can carry and nothing can draw."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
