"""The table of errors holds together, and its drawing is the tree that is."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from http import HTTPStatus

import pytest

from edge import errors
from edge.errors import ExitCode, OutpostError, reason_of


def tree(root: type[OutpostError] = OutpostError) -> list[type[OutpostError]]:
    """Every error of the module, the root first."""
    below = [each for kind in root.__subclasses__() if kind.__module__ == errors.__name__ for each in tree(kind)]
    return [root, *below]


def test_codes_are_each_errors_own() -> None:
    codes = [kind.__dict__.get("code") for kind in tree()]
    assert None not in codes
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_each_says_what_happened_and_what_to_do(kind: type[OutpostError]) -> None:
    told = kind()
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", told.code)
    assert 400 <= HTTPStatus(told.status) <= 599
    assert isinstance(told.exit_code, ExitCode)
    assert told.exit_code is not ExitCode.OK
    assert "\n" not in told.detail
    assert told.detail
    assert told.advice
    assert kind("It broke.").detail == "It broke."
    if kind is not errors.GarbledBatch:  # what spoilt it lies between sender and reader: the same may arrive well
        assert kind.retryable is (told.status in (409, 429, 502, 503, 507) and kind.retryable)


def test_the_drawing_is_the_tree() -> None:
    drawn = re.findall(r"^[│ ]*(?:├── |└── )?(\w+)(?=\s|$)", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE)
    assert drawn == [kind.__name__ for kind in tree()]


def test_usage_is_for_what_the_caller_wrote() -> None:
    usage = {kind.__name__ for kind in tree() if kind.exit_code is ExitCode.USAGE}
    assert usage == {
        "BadFirmware", "BadInput", "BadPicture", "BadRange", "TooLarge", "Rejected", "GarbledBatch", "RowRejected",
        "ConfigError", "Unsigned",
    }  # fmt: skip
    assert [kind for kind in tree() if kind.exit_code is ExitCode.CANNOT_CONNECT] == [errors.Unreachable]


def test_why_a_connection_failed_is_said_in_the_systems_words() -> None:
    refused = OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 80)")
    assert reason_of(refused) == "connection refused"
    around = ConnectionError("Cannot connect to host h:80 ssl:default")
    around.__cause__ = refused
    assert reason_of(around) == "connection refused"
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "self-signed certificate"
    assert reason_of(untrusted) == "its certificate is not to be trusted: self-signed certificate"
    assert reason_of(ssl.SSLError(1, "wrong version number")) == "wrong version number"
    assert reason_of(socket.gaierror(-2, "Name or service not known")) == "Name or service not known"
    assert reason_of(ValueError()) == "ValueError"


def test_a_hint_given_counts_before_the_tables() -> None:
    assert OutpostError("x", hint="Do this.").advice == "Do this."
    assert errors.LinkError("x", sent_bytes=3).sent_bytes == 3
    assert errors.RateLimited(retry_after_s=2.5).retry_after_s == 2.5
