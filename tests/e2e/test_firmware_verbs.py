"""Firmware from the command line: a key, a build, a signature, an upload, over the hub and over head office."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli import RunningHub, outpost
from tests.fakes.esp_image import combined, image
from tests.firmware_bundles import app

PASSPHRASE = {"OUTPOST_SIGNING_PASSPHRASE": "correct horse"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and what was built and signed with it."""
    folder = tmp_path_factory.mktemp("bench")
    made = outpost("firmware", "key", "new", str(folder / "maker.pem"), **PASSPHRASE)
    assert (made.code, "keep it away from hubs" in made.err) == (0, True), made.err
    words = ("firmware", "build", "base", "--trust", str(folder / "maker.pem.pub"), "--version", "20261121.190000")
    built = outpost(*words, "--out", str(folder / "base.outpost"), "--json")
    assert (built.code, built.json["signed_by"]) == (0, []), built.err
    assert "not signed" in built.err
    return folder


def test_a_key_is_never_written_over_and_asks_for_its_passphrase(bench: Path) -> None:
    key = str(bench / "maker.pem")
    assert outpost("firmware", "key", "new", key, **PASSPHRASE).code == 1
    shown = outpost("firmware", "key", "show", key + ".pub")
    assert shown.out == (bench / "maker.pem.pub").read_text()
    nobody = outpost("firmware", "sign", str(bench / "base.outpost"), "--key", key)
    assert (nobody.code, "nobody is there to ask" in nobody.err) == (2, True)
    wrong = outpost("firmware", "key", "show", key, OUTPOST_SIGNING_PASSPHRASE="wrong horse")
    assert (wrong.code, "passphrase is wrong" in wrong.err) == (2, True)


@pytest.mark.parametrize("where", ["hub", "centre"])
def test_from_a_build_to_what_is_held(bench: Path, where: str, request: pytest.FixtureRequest) -> None:
    site: RunningHub = request.getfixturevalue(where)
    key, file = str(bench / "maker.pem"), str(bench / "base.outpost")
    public = key + ".pub"
    assert outpost("firmware", "sign", file, "--key", key, **PASSPHRASE).code == 0
    unknown = outpost("firmware", "verify", file)
    assert (unknown.code, "no such key is trusted" in unknown.err) == (2, True)
    found = outpost("firmware", "verify", file, "--trust", public, "--json").json
    assert (len(found["signed_by"]), found["legacy_only"]) == (1, False)

    refused = site.run("firmware", "upload", file)
    assert (refused.code, "no such key is trusted here" in refused.err) == (2, True)
    assert site.run("firmware", "trust", "add", "workshop", public).code == 0
    assert [one["name"] for one in site.run("firmware", "trust", "list", "--json").json] == ["workshop"]
    held = site.run("firmware", "upload", file, "--notes", "the pilot")
    assert held.code == 0, held.err
    assert "It is signed by workshop" in held.err
    assert "base.outpost: 100 %" in held.err
    (one,) = site.run("firmware", "list", "--json").json
    assert (one["target"], one["version"], one["signed_by"]) == ("base", "20261121.190000", ["workshop"])
    assert one["id"] == found["artifact"]
    assert one["id"][:16] in site.run("firmware", "list").out
    shown = site.run("firmware", "show", one["id"][:12])
    assert ("outpost/device.mpy" in shown.out, "Its manifest is in order" in shown.err) == (True, True)
    assert site.run("firmware", "remove", one["id"][:12]).code == 0
    assert site.run("firmware", "list", "--json").json == []
    assert site.run("firmware", "trust", "remove", "workshop").code == 0


def test_images(bench: Path, hub: RunningHub) -> None:
    plain, whole = bench / "kiosk.bin", bench / "whole.bin"
    plain.write_bytes(image())
    whole.write_bytes(combined())
    refused = hub.run("firmware", "upload", str(whole), "--target", "kiosk")
    assert (refused.code, "app together" in refused.err) == (2, True)
    held = hub.run("firmware", "upload", str(plain), "--target", "kiosk", "--json").json
    assert held["legacy_only"]
    assert "older devices alone" in hub.run("firmware", "list").out
    signed = outpost("firmware", "sign", str(plain), "--key", str(bench / "maker.pem"), **PASSPHRASE)
    assert signed.code == 0, signed.err
    checked = outpost("firmware", "verify", str(bench / "kiosk.outpost"), "--trust", str(bench / "maker.pem.pub"))
    assert (checked.code, "an app image for the esp32" in checked.err) == (0, True)


def test_mistakes_are_told(bench: Path, hub: RunningHub) -> None:
    assert hub.run("firmware", "upload", str(bench / "nothing")).code == 2
    assert hub.run("firmware", "show", "abcdef0123").code == 1
    assert outpost("firmware", "build", "toaster", "--trust", str(bench / "maker.pem.pub")).code == 2
    assert outpost("firmware", "build", "base").code == 2
    damaged = bench / "damaged.outpost"
    damaged.write_bytes(app()[:-100])
    told = outpost("firmware", "verify", str(damaged), "--trust", str(bench / "maker.pem.pub"))
    assert (told.code, "cut off" in told.err) == (2, True)
