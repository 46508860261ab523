"""What `outpost user` does at head office: people with a role, who log in there. At a hub it is users.py's."""

from __future__ import annotations

import argparse
import sys
from typing import Any
from urllib.parse import quote

import msgspec

from edge.client import Client
from edge.errors import BadInput
from edge.verbs.output import emit, say
from edge.wire.people import ChangePerson, CreatePerson, SetPassword

COLUMNS = ("email", "username", "role", "sites", "state", "seen_at", "created_at", "created_by")
NOBODY = "Nobody yet. `outpost user add EMAIL --role ROLE` adds somebody."
Json = dict[str, Any]


async def is_centre(client: Client) -> bool:
    """Whether a centre answers: one elsewhere is known by its status alone."""
    if client.here:
        return client.what == "centre"
    return "database" in await client.get("/v1/status")


async def add(client: Client, arguments: argparse.Namespace, password: str) -> int:
    """`outpost user add EMAIL --role ROLE`; without a password, the code with which one is set is printed."""
    if not arguments.role:
        raise BadInput("Somebody at head office has a role.", hint="Give --role viewer, technician or admin.")
    wanted = CreatePerson(
        email=arguments.email,
        role=arguments.role,
        sites=arguments.sites,
        full_name=arguments.name,
        username=arguments.username,
        password=password,
    )
    made = await client.send("POST", "/v1/people", wanted)
    if arguments.json:
        emit(made, True)
        return 0
    person = made["person"]
    say(f"{person['email']} may log in, also as {person['username']}; he is {person['role']} of {_of(person)}.")
    if made["code"]:
        _tell_code(person, made["code"], made["code_until"])
    return 0


async def show(client: Client, arguments: argparse.Namespace) -> int:
    """`outpost user list`."""
    people = await client.items("/v1/people")
    emit(people, arguments.json, columns=COLUMNS, empty=NOBODY)
    return 0


async def show_one(client: Client, arguments: argparse.Namespace) -> int:
    """`outpost user show USER`."""
    emit(await client.get(_path(arguments)), arguments.json)
    return 0


async def give_role(client: Client, arguments: argparse.Namespace) -> int:
    """`outpost user role USER ROLE`, for the sites named; those he has stay where none are."""
    sites: list[str] | msgspec.UnsetType = arguments.sites or ([] if arguments.all_sites else msgspec.UNSET)
    person = await client.send("PATCH", _path(arguments), ChangePerson(role=arguments.role, sites=sites))
    return _done(arguments, person, f"{person['email']} is {person['role']} of {_of(person)} from now on.")


async def set_password(client: Client, arguments: argparse.Namespace, password: str) -> int:
    """`outpost user passwd USER`."""
    await client.send("PUT", _path(arguments) + "/password", SetPassword(password=password))
    say("The password is set; every login of this person has ended.")
    return 0


async def set_state(client: Client, arguments: argparse.Namespace, state: str, sentence: str) -> int:
    """`outpost user approve|disable|enable USER`; `sentence` has a place for the address."""
    person = await client.send("PATCH", _path(arguments), ChangePerson(state=state))
    return _done(arguments, person, sentence.format(person["email"]))


async def reset(client: Client, arguments: argparse.Namespace) -> int:
    """`outpost user reset USER`."""
    made = await client.send("POST", _path(arguments) + "/reset")
    if arguments.json:
        emit(made, True)
    else:
        _tell_code(made["person"], made["code"], made["until"])
    return 0


def refuse_removal() -> None:
    """Raise BadInput: nobody is erased at head office."""
    raise BadInput(
        "Nobody is erased at head office: the audit names people.", hint="Shut the account: `outpost user disable`."
    )


def _of(person: Json) -> str:
    return ", ".join(person["sites"]) or "all sites"


def _tell_code(person: Json, code: str, until: str) -> None:
    say(f"Give this code to {person['email']}: it sets a password, once, until {until}.")
    sys.stdout.write(code + "\n")


def _done(arguments: argparse.Namespace, person: Json, sentence: str) -> int:
    if arguments.json:
        emit(person, True)
    else:
        say(sentence)
    return 0


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/people/{quote(arguments.user, safe='')}"
