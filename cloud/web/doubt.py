"""What is known of a command in doubt, and what a person should look at: a sentence of each.

What its hub says of the reason stands beside them; these say what that means at the device.
"""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from cloud.web.words import Words, isolated
from edge.wire.centre import SiteCommand

FORGOTTEN = "centre"  # where one is that its hub does not know of


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """Two sentences."""

    known: Markup
    look: Markup


def doubt_of(command: SiteCommand, words: Words) -> Doubt:
    """The sentences for a command in doubt."""
    known = "doubt.forgotten" if command.where == FORGOTTEN else "doubt.silent"
    look = f"doubt.look_{command.kind}"
    return Doubt(
        known=words(known, device=isolated(command.device), site=isolated(command.site_name)),
        look=words(look if words.has(look) else "doubt.look", slot=str(command.args.get("slot", "?"))),
    )
