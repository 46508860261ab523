"""`outpost user`: at a hub accounts of the people who use the older apps; at head office people (people.py)."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from urllib.parse import quote

from edge.client import Client
from edge.errors import BadInput
from edge.verbs import flags, people
from edge.verbs.output import emit, say
from edge.wire.people import NewPassword, NewUser

COLUMNS = ("email", "username", "state", "logins", "devices", "created_at", "created_by")
PASSWORD_VARIABLE = "OUTPOST_PASSWORD"  # noqa: S105 - its name


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    what = verbs.add_parser(
        "user", help="people at head office; at a hub, accounts for the older apps"
    ).add_subparsers(required=True, metavar="WHAT")
    adding = what.add_parser("add", help=f"make an account; the password is asked, or {PASSWORD_VARIABLE}'s")
    adding.add_argument("email")
    adding.add_argument("--username", default="", help="made from the address unless given")
    adding.add_argument("--name", default="", help="the person's full name")
    adding.add_argument("--role", default="", help="at head office: viewer, technician or admin")
    _add_sites(adding)
    flags.add_hub(adding)
    adding.set_defaults(do=add_user)
    listing = what.add_parser("list", help="all accounts, those who wait for approval first")
    flags.add_hub(listing)
    listing.set_defaults(do=list_users)
    role = what.add_parser("role", help="at head office: give somebody a role, for all or some sites")
    role.add_argument("user", help="e-mail address, username or id")
    role.add_argument("role", help="viewer, technician or admin")
    _add_sites(role)
    role.add_argument("--all-sites", action="store_true", help="he reaches every site")
    flags.add_hub(role)
    role.set_defaults(do=give_role)
    passwd = what.add_parser("passwd", help="set a password; every login of the account ends")
    passwd.add_argument("user", help="e-mail address, username or id")
    flags.add_hub(passwd, prints=False)
    passwd.set_defaults(do=set_password)
    renew = "print a code that sets a new password, once: good for an hour at a hub, for a day at head office"
    for name, help_text, do in (
        ("approve", "let somebody who signed up log in", approve_user),
        ("disable", "shut an account; its logins end at once", disable_user),
        ("enable", "open a shut account again", enable_user),
        ("reset", renew, reset_user),
        ("remove", "at a hub: erase an account; its devices stay, without an owner", remove_user),
        ("show", "at head office: one person", show_user),
    ):
        one = what.add_parser(name, help=help_text)
        one.add_argument("user", help="e-mail address, username or id")
        flags.add_hub(one)
        one.set_defaults(do=do)


async def add_user(arguments: argparse.Namespace) -> int:
    """`outpost user add EMAIL`."""
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            return await people.add(client, arguments, ask_password(needed=False))
        if arguments.role or arguments.sites:
            raise BadInput(
                "An account at a hub has no role: it opens the older apps, and sees what it owns.",
                hint="Leave --role out; for a technician make a key: `outpost key create NAME --role ROLE`.",
            )
        wanted = NewUser(
            email=arguments.email, password=ask_password(), username=arguments.username, full_name=arguments.name
        )
        user = await client.send("POST", "/v1/users", wanted)
    return _done(arguments, user, f"{user['email']} may log in, also as {user['username']}.")


async def list_users(arguments: argparse.Namespace) -> int:
    """`outpost user list`."""
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            return await people.show(client, arguments)
        found = await client.items("/v1/users")
    emit(found, arguments.json, columns=COLUMNS, empty="No accounts yet. `outpost user add EMAIL` makes one.")
    return 0


async def show_user(arguments: argparse.Namespace) -> int:
    """`outpost user show USER`."""
    async with flags.hub(arguments) as client:
        await _require_centre(client, "`outpost user list` shows all that a hub knows of its accounts.")
        return await people.show_one(client, arguments)


async def give_role(arguments: argparse.Namespace) -> int:
    """`outpost user role USER ROLE`."""
    async with flags.hub(arguments) as client:
        await _require_centre(client, "For a technician make a key: `outpost key create NAME --role ROLE`.")
        return await people.give_role(client, arguments)


async def set_password(arguments: argparse.Namespace) -> int:
    """`outpost user passwd USER`."""
    password = ask_password()
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            return await people.set_password(client, arguments, password)
        await client.send("PUT", _path(arguments) + "/password", NewPassword(password=password))
    say("The password is set; every login of the account has ended.")
    return 0


async def approve_user(arguments: argparse.Namespace) -> int:
    """`outpost user approve USER`."""
    return await _act(arguments, "approve", "active", "{} may log in.")


async def disable_user(arguments: argparse.Namespace) -> int:
    """`outpost user disable USER`."""
    return await _act(arguments, "disable", "disabled", "{} may log in no more, and is logged out everywhere.")


async def enable_user(arguments: argparse.Namespace) -> int:
    """`outpost user enable USER`."""
    return await _act(arguments, "enable", "active", "{} may log in again.")


async def reset_user(arguments: argparse.Namespace) -> int:
    """`outpost user reset USER`."""
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            return await people.reset(client, arguments)
        made = await client.send("POST", _path(arguments) + "/reset")
    if arguments.json:
        emit(made, True)
    else:
        say(f"Give this code to {made['email']}; it is good once, for {made['valid_s'] / 60:.0f} minutes.")
        sys.stdout.write(made["code"] + "\n")
    return 0


async def remove_user(arguments: argparse.Namespace) -> int:
    """`outpost user remove USER`."""
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            people.refuse_removal()
        await client.send("DELETE", _path(arguments))
    return _done(arguments, {"removed": arguments.user}, f"The account {arguments.user} is erased.")


def ask_password(*, needed: bool = True) -> str:
    """The password out of OUTPOST_PASSWORD, else asked twice on the terminal; '' where there is none and it is not
    `needed`. Raises BadInput."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        if not needed:
            return ""
        raise BadInput("There is no terminal to ask for the password.", hint=f"Set {PASSWORD_VARIABLE}.")
    first = getpass.getpass("Password: " if needed else "Password (empty: he sets it himself, with a code): ")
    if not first and not needed:
        return ""
    if first != getpass.getpass("The same again: "):
        raise BadInput("The two passwords differ.", hint="Try again.")
    return first


async def _act(arguments: argparse.Namespace, what: str, state: str, sentence: str) -> int:
    async with flags.hub(arguments) as client:
        if await people.is_centre(client):
            return await people.set_state(client, arguments, state, sentence)
        user = await client.send("POST", f"{_path(arguments)}/{what}")
    return _done(arguments, user, sentence.format(user["email"]))


async def _require_centre(client: Client, hint: str) -> None:
    if not await people.is_centre(client):
        raise BadInput("This is for people at head office; an account at a hub has no role.", hint=hint)


def _add_sites(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--site",
        dest="sites",
        action="append",
        default=[],
        metavar="SLUG",
        help="at head office: a site he reaches; once for each, all where none is named",
    )


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/users/{quote(arguments.user, safe='')}"


def _done(arguments: argparse.Namespace, data: dict[str, object], sentence: str) -> int:
    if arguments.json:
        emit(data, True)
    else:
        say(sentence)
    return 0
