"""`outpost hook`: outgoing webhooks."""

from __future__ import annotations

import argparse
import asyncio
import sys
from urllib.parse import quote

from edge.client import Client, Json
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.hooks import AddHook, ChangeHook

COLUMNS = ("id", "name", "url", "events", "enabled", "waiting", "dead", "dropped")
DELIVERY_COLUMNS = ("id", "event", "state", "attempts", "status", "reason", "created_at", "ended_at")
TEST_S = 12.0  # a first attempt is over by then
LOOK_S = 0.2


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    what = verbs.add_parser("hook", help="outgoing webhooks").add_subparsers(required=True, metavar="WHAT")
    adding = what.add_parser("add", help="make a webhook; its secret is printed this once")
    adding.add_argument("name")
    adding.add_argument("url")
    adding.add_argument(
        "--on", action="append", required=True, metavar="EVENT",
        help="reading, command, command.failed, vend, device, …; may be repeated",
    )  # fmt: skip
    adding.add_argument("--device", action="append", default=[], metavar="ID", help="only of this; may be repeated")
    adding.add_argument("--key", action="append", default=[], metavar="KEY", help="only readings of this key")
    adding.add_argument("--secret-file", default="", metavar="F", help="a file with the secret to sign with")
    flags.add_hub(adding)
    adding.set_defaults(do=add_hook)
    listing = what.add_parser("list", help="all webhooks, and what waits for them")
    flags.add_hub(listing)
    listing.set_defaults(do=list_hooks)
    for name, help_text, do in (
        ("test", "send a test, and say how it went", test_hook),
        ("rotate", "make a new secret; the old one is good for another day", rotate_hook),
        ("on", "turn it on", turn_on),
        ("off", "turn it off: what happens meanwhile is not sent later", turn_off),
        ("remove", "remove it, with what waits for it", remove_hook),
    ):
        one = what.add_parser(name, help=help_text)
        one.add_argument("hook", help="its id or name")
        flags.add_hub(one)
        one.set_defaults(do=do)
    outbox = what.add_parser("deliveries", help="its messages, newest first")
    outbox.add_argument("hook", help="its id or name")
    outbox.add_argument("--state", default="", help="waiting, delivered or dead")
    flags.add_hub(outbox)
    outbox.set_defaults(do=list_deliveries)
    again = what.add_parser("retry", help="send dead messages again")
    again.add_argument("hook", help="its id or name")
    again.add_argument("delivery", nargs="?", default="", help="this one; all dead ones without")
    flags.add_hub(again)
    again.set_defaults(do=retry_hook)


async def add_hook(arguments: argparse.Namespace) -> int:
    """`outpost hook add NAME URL --on EVENT`."""
    secret = await asyncio.to_thread(_read, arguments.secret_file) if arguments.secret_file else ""
    wanted = AddHook(
        name=arguments.name,
        url=arguments.url,
        events=arguments.on,
        devices=arguments.device,
        keys=arguments.key,
        secret=secret,
    )
    async with flags.hub(arguments) as client:
        made = await client.send("POST", "/v1/hooks", wanted)
    return _secret(arguments, made)


async def list_hooks(arguments: argparse.Namespace) -> int:
    """`outpost hook list`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/hooks")
    emit(found, arguments.json, columns=COLUMNS, empty="No webhooks yet. `outpost hook add` makes one.")
    return 0


async def test_hook(arguments: argparse.Namespace) -> int:
    """`outpost hook test HOOK`."""
    async with flags.hub(arguments) as client:
        sent = await client.send("POST", _path(arguments) + "/test")
        sent = await _settled(client, f"{_path(arguments)}/deliveries/{sent['id']}", sent)
    if arguments.json:
        emit(sent, True)
    elif sent["state"] == "delivered":
        say(f"It took the test: {sent['status']}.")
    else:
        say(f"It has not taken the test: {sent['reason'] or 'no answer yet'}. It is tried again by itself.")
    return 0 if sent["state"] == "delivered" else 1


async def rotate_hook(arguments: argparse.Namespace) -> int:
    """`outpost hook rotate HOOK`."""
    async with flags.hub(arguments) as client:
        made = await client.send("POST", _path(arguments) + "/rotate")
    return _secret(arguments, made)


async def turn_on(arguments: argparse.Namespace) -> int:
    """`outpost hook on HOOK`."""
    return await _turn(arguments, True)


async def turn_off(arguments: argparse.Namespace) -> int:
    """`outpost hook off HOOK`."""
    return await _turn(arguments, False)


async def remove_hook(arguments: argparse.Namespace) -> int:
    """`outpost hook remove HOOK`."""
    async with flags.hub(arguments) as client:
        await client.send("DELETE", _path(arguments))
    return _done(arguments, {"removed": arguments.hook}, f"The webhook {arguments.hook} is removed.")


async def list_deliveries(arguments: argparse.Namespace) -> int:
    """`outpost hook deliveries HOOK`."""
    async with flags.hub(arguments) as client:
        found = await client.items(_path(arguments) + "/deliveries", state=arguments.state)
    emit(found, arguments.json, columns=DELIVERY_COLUMNS, empty="Nothing was sent yet.")
    return 0


async def retry_hook(arguments: argparse.Namespace) -> int:
    """`outpost hook retry HOOK [DELIVERY]`."""
    part = f"/deliveries/{quote(arguments.delivery, safe='')}/retry" if arguments.delivery else "/retry"
    async with flags.hub(arguments) as client:
        done = await client.send("POST", _path(arguments) + part)
    return _done(arguments, done, f"{done['count']} sent again.")


async def _settled(client: Client, path: str, sent: Json) -> Json:
    """A message after its first attempt, or as it is after TEST_S."""
    for _ in range(int(TEST_S / LOOK_S)):
        if sent["attempts"]:
            break
        await asyncio.sleep(LOOK_S)
        sent = await client.get(path)
    return sent


async def _turn(arguments: argparse.Namespace, on: bool) -> int:
    async with flags.hub(arguments) as client:
        hook = await client.send("PATCH", _path(arguments), ChangeHook(enabled=on))
    return _done(arguments, hook, f"{hook['name']} is {'on' if on else 'off'}.")


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/hooks/{quote(arguments.hook, safe='')}"


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - an OSError names it as it was given
        return file.read().strip()


def _secret(arguments: argparse.Namespace, made: Json) -> int:
    if arguments.json:
        emit(made, True)
    else:
        say("This secret is shown this once; the receiver checks signatures with it.")
        sys.stdout.write(made["secret"] + "\n")
    return 0


def _done(arguments: argparse.Namespace, data: Json, sentence: str) -> int:
    if arguments.json:
        emit(data, True)
    else:
        say(sentence)
    return 0
