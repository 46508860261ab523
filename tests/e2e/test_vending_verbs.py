"""`outpost slot`, `vend` and `transaction` against a running hub with an old machine on its network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from edge.sim.vending_wifi import WifiMachine
from tests.e2e.cli import RunningHub

MAC = "6CC8404FE03C"
DEADLINE_S = 60.0


class Machine:
    """The machine in a thread of its own: verbs are run in this one."""

    def __init__(self, url: str) -> None:
        self.sketch = WifiMachine(url, MAC, pace=0.05)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._task = self._loop.create_task(self.sketch.run())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def machine(hub: RunningHub) -> Iterator[Machine]:
    """An approved machine that polls."""
    machine = Machine(hub.url)
    machine.start()
    try:
        _until_known(hub)
        hub.run("device", "approve", MAC)
        yield machine
    finally:
        machine.stop()


def _until_known(hub: RunningHub) -> None:
    until_s = time.monotonic() + DEADLINE_S
    while not hub.run("device", "list", "--json").json:
        assert time.monotonic() < until_s, "the machine did not register"
        time.sleep(0.05)


def test_from_an_empty_machine_to_a_sold_can(hub: RunningHub, machine: Machine) -> None:
    plain = hub.run("slot", "list")
    assert (plain.code, plain.out.count("not counted")) == (0, 5)
    assert hub.run("slot", "set", MAC, "1", "--item", "Cola", "--price", "1.50", "--currency", "EUR").code == 0
    assert hub.run("slot", "set", MAC, "1", "--price", "1.75").code == 0
    empty = hub.run("vend", MAC, "1")
    assert (empty.code, "is empty" in empty.err, "slot restock" in empty.err) == (1, True, True)
    stocked = hub.run("slot", "restock", MAC, "1", "--add", "2")
    assert (stocked.code, stocked.err) == (0, f"Slot 1 of {MAC} holds 2 Cola now.\n")
    sold = hub.run("vend", MAC, "1", "--note", "a test")
    assert (sold.code, sold.err) == (0, "Asked; waiting up to 60 s for the machine to fetch it.\n")
    assert sold.out.startswith("Cola was dispensed from slot 1 of ")
    assert sold.out.endswith(" (by the machine's word).\n")
    assert machine.sketch.turns[1] == 1
    (slot,) = [one for one in hub.run("slot", "list", MAC, "--json").json if one["slot"] == 1]
    assert (slot["price"], slot["count"]) == (175, 1)
    assert "1.75 EUR" in hub.run("slot", "list").out
    moves = hub.run("slot", "movements", MAC, "--slot", "1", "--json").json
    assert [move["what"] for move in moves] == ["vend", "restock"]
    (vend,) = hub.run("transaction", "list", "--state", "succeeded", "--json").json
    assert (vend["item"], vend["note"]) == ("Cola", "a test")
    assert hub.run("slot", "correct", MAC, "1", "--count", "5", "--note", "counted").code == 0
    assert "vends, 0 in doubt" in hub.run("doctor").out


def test_a_vend_that_is_not_waited_for_is_shown_later(hub: RunningHub, machine: Machine) -> None:
    hub.run("slot", "restock", MAC, "2", "--add", "5")
    asked = hub.run("vend", MAC, "2", "--no-wait", "--json")
    assert (asked.code, asked.json["slot"]["reserved"]) == (0, 1)
    until_s = time.monotonic() + DEADLINE_S
    path = ("transaction", "show", asked.json["command"]["id"], "--json")
    while hub.run(*path).json["state"] != "succeeded":
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_doubt_ends_with_1_and_says_what_to_do(hub: RunningHub, machine: Machine) -> None:
    hub.run("slot", "restock", MAC, "3", "--add", "4")
    machine.sketch.faults.resets_in_vend = 1
    doubtful = hub.run("vend", MAC, "3")
    assert doubtful.code == 1
    assert "Nobody can know whether" in doubtful.out
    (vend,) = hub.run("transaction", "list", "--state", "in_doubt", "--json").json
    assert f"outpost command resolve {vend['id']} succeeded" in doubtful.err
    assert "3 left when it fell, 4 when it did not" in doubtful.err
    assert "in doubt" in hub.run("doctor").out
    again = hub.run("vend", MAC, "3")
    assert (again.code, vend["id"] in again.err) == (1, True)
    settled = hub.run("command", "resolve", vend["id"], "succeeded", "--note", "It lay in the tray.")
    assert (settled.code, f"Slot 3 of {MAC} holds 3 now." in settled.err) == (0, True)
    assert "a person" not in hub.run("transaction", "show", vend["id"]).err
    assert hub.run("transaction", "show", vend["id"], "--json").json["note"] == "It lay in the tray."


def test_what_cannot_be_says_so(hub: RunningHub, machine: Machine) -> None:
    assert hub.run("vend", MAC, "9").code == 1
    assert hub.run("vend", MAC, "one").code == 2
    assert hub.run("vend", "nobody", "1").code == 1
    assert hub.run("slot", "set", MAC, "1", "--price", "cheap").code == 2
    assert hub.run("slot", "restock", MAC, "1", "--add", "0").code == 2
    assert hub.run("slot", "restock", MAC, "1").code == 2
    assert hub.run("transaction", "show", "cmd_0_0").code == 1
    assert hub.run("transaction", "list", "--state", "sold").code == 2
    assert hub.run("slot", "list", "nobody").code == 1
