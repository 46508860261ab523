"""What the firmware signs with, on the board's Python and on CPython, against the hub's vectors and the RFCs."""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT, virtual_machine

sys.path.insert(0, str(ROOT / "firmware"))

from outpost import signing

CHECK = Path(__file__).with_name("signing_check.py")
VECTORS = ROOT / "tests" / "vectors" / "signing.json"


@pytest.mark.parametrize("vm", [virtual_machine(), [sys.executable]], ids=["board", "cpython"])
def test_it_signs_as_the_hub_does_and_agrees_on_keys_as_the_rfc_does(vm: list[str]) -> None:
    long_key = hmac.digest(b"\xaa" * 131, b"x", "sha256").hex()
    command = [*vm, str(CHECK), str(ROOT / "firmware"), str(VECTORS), long_key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("done\n", "")


@given(st.binary(max_size=100), st.binary(max_size=300))
def test_its_hmac_is_everybodys(key: bytes, message: bytes) -> None:
    assert signing.hmac(key, message) == hmac.digest(key, message, "sha256")


def test_codes_that_differ_anywhere_are_not_the_same() -> None:
    mac = json.loads(VECTORS.read_text())["hello_mac"]
    assert signing.same(mac, mac)
    for other in ("", mac[:-1], mac + "0", "é" + mac[1:], mac[:-1] + "f"):
        assert not signing.same(mac, other)
