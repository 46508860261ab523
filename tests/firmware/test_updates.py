"""Updates on MicroPython: its own littlefs, the selector, the updater, a hub that behaves as it is told to."""

from __future__ import annotations

import binascii
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.wire.firmware import INTERCHANGEABLE, may_become
from tests.firmware.board import ROOT, has_micropython, virtual_machine
from tests.firmware.update_apps import write
from tests.firmware_keys import VECTORS
from tests.tools import share

sys.path.insert(0, str(ROOT / "firmware"))

from outpost import manifest, rsa

HERE = Path(__file__).parent
BENCH_HEAP = "heapsize=16M"  # for the bench's disks; what an update itself takes is measured
HEAP_BYTES_MAX = 24 * 1024  # on this build, whose words are twice as long as the chip's
VARIANTS = ("base", "blink", "eink", "display", "sensor", "logger", "vending")
WELL = ["downloading", "verified", "staged", "testing", "confirmed"]


def run(script: str, *arguments: object) -> Any:
    """What a script of this folder prints on the board's Python, as JSON."""
    machine = [word if not word.startswith("heapsize") else BENCH_HEAP for word in virtual_machine()]
    command = [*machine, HERE / script, ROOT / "firmware", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # before it, files that a cut left open may complain


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("updates") / "apps.json"
    write(path)
    return path


@pytest.fixture(scope="module")
def came(apps: Path) -> dict[str, Any]:
    """What came of every scenario; one start of the machine for all."""
    if not has_micropython():
        pytest.skip("there is no MicroPython for this Python")
    results: dict[str, Any] = run("update_scenarios.py", apps)
    return results


def test_an_update_is_fetched_tried_and_confirmed_and_only_what_changed_is_fetched(came: dict[str, Any]) -> None:
    well = came["all_is_well"]
    assert (well["runs"], well["steps"]) == ("new", WELL)
    files = {what for what, _ in well["asked"]} - {"manifest", "signatures"}
    assert len(files) == 2  # the agent and the port; the rest is copied from the app that runs
    assert [start for what, start in well["asked"] if what == well["asked"][-2][0]] == [0, 2048, 4096]


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("by_a_stranger", "no signature by a key that is trusted here"),
        ("unsigned", "no signature by a key that is trusted here"),
        ("other_chip", "it is for esp32s3, this is esp32"),
        ("other_variant", "sensor does not become vending over the air"),
        ("less_secure", "security version 1, here runs 2"),
        ("newer_micropython", "it needs MicroPython 9.0"),
        ("other_mpy", "its files are compiled for .mpy version 5, here is 6"),
        ("image_without_a_place", "this board has one place for a whole image only"),
    ],
)
def test_what_will_never_run_here_is_rejected_before_a_file_is_fetched(
    came: dict[str, Any], scenario: str, reason: str
) -> None:
    rejected = came[scenario]
    assert (rejected["runs"], rejected["steps"], rejected["reasons"][-1]) == (
        "old",
        ["downloading", "rejected"],
        reason,
    )
    assert {what for what, _ in rejected["asked"]} <= {"manifest", "signatures"}


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("wrong_manifest", "the manifest is not the one that was offered"),
        ("wrong_file", "wrong hash: outpost/agent.mpy"),
        ("short_file", "the hub's file has 4999 bytes, not 5000"),
        ("gone", "the hub does not give"),
        ("full", "no room: it needs"),
        ("brimful", "flash is full"),
    ],
)
def test_what_cannot_be_brought_to_flash_fails_with_the_reason(
    came: dict[str, Any], scenario: str, reason: str
) -> None:
    failed = came[scenario]
    assert (failed["runs"], failed["steps"]) == ("old", ["downloading", "failed"])
    assert failed["reasons"][-1].startswith(reason)


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("crash_at_import", "ImportError: no module named 'gone'"),
        ("crash_in_run", "ImportError: no module named 'gone'"),
        ("hang", "watchdog"),
        ("never_well", "not well at its hub in 90 s"),
        ("no_hub", "no hub in 90 s"),
        ("two_cuts_on_trial", "power"),
    ],
)
def test_an_app_that_does_not_prove_itself_makes_room_for_the_old_one_and_says_why(
    came: dict[str, Any], scenario: str, reason: str
) -> None:
    back = came[scenario]
    assert (back["runs"], back["steps"][-1], back["reasons"][-1]) == ("old", "rolled-back", reason)


def test_one_power_cut_on_trial_is_nobodys_fault(came: dict[str, Any]) -> None:
    assert (came["one_cut_on_trial"]["runs"], came["one_cut_on_trial"]["steps"]) == ("new", WELL)


def test_what_went_wrong_is_not_tried_again_before_another_attempt_is_offered(came: dict[str, Any]) -> None:
    again = came["again"]
    assert again["first"] == again["second"] == ["downloading", "verified", "staged", "rolled-back"]
    assert (again["runs"], again["steps"][-1]) == ("new", "confirmed")


def test_what_runs_already_is_not_fetched(came: dict[str, Any]) -> None:
    assert (came["already"]["steps"], came["already"]["asked"]) == (["already"], [])


def test_an_offer_that_is_withdrawn_stops_and_goes_on_later_at_that_byte(came: dict[str, Any]) -> None:
    withdrawn = came["withdrawn"]
    assert (withdrawn["first"], withdrawn["steps_then"]) == (5, ["downloading"])
    assert (withdrawn["runs"], withdrawn["steps"][-1]) == ("new", "confirmed")
    assert came["replaced"]["runs"] == "other"


def test_a_file_is_asked_for_once_byte_by_byte(came: dict[str, Any]) -> None:
    """Also where the download was broken off in the middle of a file."""
    starts: dict[str, list[int]] = {}
    for what, start in came["withdrawn"]["asked"]:
        if what not in ("manifest", "signatures"):
            starts.setdefault(what, []).append(start)
    assert all(found == sorted(set(found)) for found in starts.values())


def test_the_restart_waits_for_what_must_not_be_cut_off(came: dict[str, Any]) -> None:
    delayed = came["delayed"]
    assert delayed["steps"] == ["downloading", "verified", "delayed", "staged", "testing", "confirmed"]
    assert "a motor turns" in delayed["reasons"]


def test_a_hub_that_is_gone_is_waited_for_before_anything_is_switched(came: dict[str, Any]) -> None:
    assert (came["silent_hub"]["runs"], came["silent_hub"]["steps"]) == ("old", ["downloading"])


def test_an_app_that_brings_another_key_is_the_last_that_the_old_one_may_sign(came: dict[str, Any]) -> None:
    rotation = came["rotation"]
    assert rotation["first"] is True
    assert "rejected" in rotation["steps"]  # by the old key
    assert rotation["runs"] == "by_second"


def test_updates_follow_each_other_from_folder_to_folder(came: dict[str, Any]) -> None:
    assert came["there_and_back"]["all"] == [True] * 5


def test_a_confirmed_app_that_cannot_be_loaded_any_more_makes_room_for_the_other(came: dict[str, Any]) -> None:
    damaged = came["damaged"]
    assert (damaged["runs"], damaged["steps"][-3:]) == ("old", ["rolled-back", "testing", "confirmed"])


def test_a_whole_image_goes_to_the_other_place_and_back_when_it_is_not_well(came: dict[str, Any]) -> None:
    well, bad = came["image"], came["bad_image"]
    assert (well["steps"], well["whole"], well["running"], well["state"]) == (WELL, True, "ota_1", "valid")
    assert (bad["steps"][-1], bad["running"]) == ("rolled-back", "ota_0")
    assert bad["reasons"][-1] == "not well at its hub in 90 s"


def test_an_image_of_a_lower_security_version_is_rejected_and_one_put_there_over_the_cable_has_no_name(
    came: dict[str, Any],
) -> None:
    older = came["older_image"]
    assert (older["steps"][-1], older["reasons"][-1]) == ("rejected", "security version 0, here runs 1")
    assert (older["named"], older["security"]) == ([True, False], [1, 1])


def test_a_cut_just_before_an_image_is_switched_to_is_no_failure(came: dict[str, Any]) -> None:
    assert came["image_cut_off"]["steps"] == [*WELL[:2], *WELL]


def test_an_update_without_memory_fails_and_the_board_goes_on(came: dict[str, Any]) -> None:
    assert came["no_memory"]["first"].startswith("MemoryError")
    assert (came["no_memory"]["runs"], came["no_memory"]["steps"][-1]) == ("new", "confirmed")


def test_an_update_takes_little_memory(came: dict[str, Any]) -> None:
    print(f"an update takes {came['memory']['bytes']} bytes of heap besides its code")
    assert came["memory"]["bytes"] < HEAP_BYTES_MAX


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not has_micropython(), reason="there is no MicroPython for this Python")
def test_the_power_may_go_at_any_moment_of_an_update(apps: Path) -> None:
    """And the device comes back on an app that is whole, finishes what it began, and tells how it ended."""
    stride = share(2003, 13)
    kinds = run("update_cuts.py", apps, stride, random.randrange(stride))
    print(", ".join(f"{kind}: {one['cuts']} of {one['moments']} moments" for kind, one in kinds.items()))
    assert {kind: one["wrong"] for kind, one in kinds.items() if one["wrong"]} == {}
    assert all(one["cuts"] for one in kinds.values())


# --- what both sides read


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "given")


def put(path: str, text: str) -> str:
    Path(path).write_text(text)
    return path


@pytest.mark.parametrize("case", VECTORS["manifests"], ids=lambda case: case["name"])
def test_a_manifest_means_the_same_to_a_device(path: str, case: dict[str, Any]) -> None:
    read, means = manifest.read(put(path, case["text"])), case["means"]
    for field in ("kind", "target", "chip", "version", "security", "mpy", "size"):
        assert getattr(read, field) == means[field], field
    assert "{}.{}".format(*read.micropython) == (means["micropython"] or "0.0")
    assert [[name, size, sha256] for size, sha256, name in manifest.files(path, read)] == means["files"]
    assert manifest.digest(path).hex() == case["id"]


@pytest.mark.parametrize("case", VECTORS["bad_manifests"], ids=lambda case: case["name"])
def test_what_is_no_manifest_is_none_to_a_device(path: str, case: dict[str, Any]) -> None:
    with pytest.raises(manifest.BadManifest):
        manifest.read(put(path, case["text"]))


@pytest.mark.parametrize("case", VECTORS["signatures"], ids=lambda case: case["name"])
def test_a_signature_holds_for_a_device_where_it_does_for_a_hub(path: str, case: dict[str, Any]) -> None:
    known = {
        key["id"]: binascii.unhexlify(key["modulus"]) for key in VECTORS["keys"] if key["id"] in case["trusted"]
    }
    digest = hashlib.sha256(case["manifest"].encode()).digest()
    given = manifest.signatures(put(path, case["signatures"]))
    assert [id for id, value in given if id in known and rsa.verifies(known[id], value, digest)] == case[
        "signed_by"
    ]


@pytest.mark.parametrize("case", VECTORS["bad_signatures"], ids=lambda case: case["name"])
def test_what_are_no_signatures_are_none_to_a_device(path: str, case: dict[str, Any]) -> None:
    with pytest.raises(manifest.BadManifest):
        manifest.signatures(put(path, case["text"]))


@pytest.mark.skipif(not has_micropython(), reason="there is no MicroPython for this Python")
def test_the_board_itself_reads_all_of_that_in_the_same_way(tmp_path: Path) -> None:
    assert run("manifest_check.py", ROOT / "tests" / "vectors" / "firmware.json", tmp_path / "given") == []


def test_hub_and_device_agree_on_what_may_become_what() -> None:
    assert set(manifest.INTERCHANGEABLE) == INTERCHANGEABLE
    for running in VARIANTS:
        for target in VARIANTS:
            assert manifest.may_become(running, target) == may_become(running, target)


def test_keys_are_those_of_the_file_and_no_others(path: str) -> None:
    good = [f"{key['id']} {key['modulus']}" for key in VECTORS["keys"][:2]]
    bad = ["", "0" * 16 + " " + VECTORS["keys"][0]["modulus"], good[0][:-2], good[0].replace(" ", " zz", 1)]
    put(path, "\n".join([bad[0], good[0], *bad[1:], good[1], ""]))
    assert sorted(rsa.keys(path)) == sorted(key["id"] for key in VECTORS["keys"][:2])
    assert rsa.keys(path + ".none") == {}
