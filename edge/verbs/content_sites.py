"""`outpost content sites`, `overwrite`, `adopt`, `take-back`: how sites stand with what head office has."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from edge.verbs import flags
from edge.verbs.content_kinds import add_document, document_path, revision_there
from edge.verbs.output import emit, say
from edge.wire.centre_content import AdoptDraft

STANDS = ("site", "name", "step", "version", "newest", "changed_at", "their_by", "reason")
ACTS = {
    "overwrite": "at a centre: send what was sent last once more, over what the site has now",
    "take-back": "at a centre: take back what the site's hub has not got yet",
}


def add_site_verbs(acts: flags.Verbs) -> None:
    """Add the verbs below `outpost content`."""
    sites = add_document(acts, "sites", "at a centre: how each site stands with it")
    flags.add_hub(sites)
    sites.set_defaults(do=list_sites)
    for name, help_text in ACTS.items():
        act = add_document(acts, name, help_text)
        act.add_argument("site", help="its name or slug")
        flags.add_hub(act)
        act.set_defaults(do=act_on_site, act=name)
    adopt = add_document(acts, "adopt", "at a centre: take what the site has published into the draft here")
    adopt.add_argument("site", help="its name or slug")
    flags.add_hub(adopt)
    adopt.set_defaults(do=adopt_from_site)


async def list_sites(arguments: argparse.Namespace) -> int:
    """`outpost content sites KIND ID`."""
    async with flags.hub(arguments) as client:
        found = await client.items(f"{document_path(arguments)}/sites")
    emit(found, arguments.json, columns=STANDS, empty="There are no sites.")
    return 0


async def act_on_site(arguments: argparse.Namespace) -> int:
    """`outpost content overwrite KIND ID SITE` and `take-back`."""
    async with flags.hub(arguments) as client:
        stands = await client.send("POST", f"{_site(arguments)}/{arguments.act}")
    emit(stands if arguments.json else [stands], arguments.json, columns=STANDS)
    return 0


async def adopt_from_site(arguments: argparse.Namespace) -> int:
    """`outpost content adopt KIND ID SITE`."""
    async with flags.hub(arguments) as client:
        seen = AdoptDraft(revision=await revision_there(client, document_path(arguments)))
        made = await client.send("POST", f"{_site(arguments)}/adopt", seen)
    if arguments.json:
        emit(made, True)
    else:
        say(f"The draft is what {arguments.site} has published; publish it to have it elsewhere.")
    return 0


def _site(arguments: argparse.Namespace) -> str:
    return f"{document_path(arguments)}/sites/{quote(arguments.site, safe='')}"
