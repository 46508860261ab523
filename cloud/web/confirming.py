"""The page between a button and what it does: it names the act and what it is done to, and asks once more.

It is a page of its own, so it works without script; the form on it is the only thing that acts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from cloud.web.frame import Shown
from edge.errors import OutpostError


def confirm(
    title: Markup,
    says: Sequence[Markup],
    *,
    button: Markup,
    back: str,
    fields: Mapping[str, str] | None = None,
    asks: Mapping[str, tuple[Markup, str]] | None = None,
    danger: bool = True,
    refused: OutpostError | None = None,
) -> Shown:
    """The question. `says`: what it does, a sentence each; `back`: the page one came from; `fields` go with the
    form, which is sent to this very address; `asks`: what he has to write, by its field, with its label and what
    stands there; `refused`: why it did not work a moment ago."""
    return Shown(
        "confirm.html",
        {
            "title": title,
            "says": says,
            "button": button,
            "back": back,
            "fields": fields or {},
            "asks": asks or {},
            "danger": danger,
            "refused": refused,
        },
        status=refused.status if refused else 200,
    )
