"""What every device says over the cable besides commands: its readings out of the buffer, and how it fares."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.links.native import NativeSession
from edge.sim.uart import UartLine
from edge.wire.cable import Readings, Report, Taken, Welcome
from tests.firmware.board import ROOT, until
from tests.firmware.flash import Flash
from tests.firmware.machine import Machine

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.buffer import Buffer, pack
from outpost.log import Log

RECORDS = 40
NOW_US = 1_800_000_000_000_000


def filled(machine: Machine) -> None:
    """The machine has measured, and no hub was there."""
    flash = Flash(machine.flash)
    buffer = Buffer(flash, Log(), 0)
    for n in range(RECORDS):
        buffer.append(pack(1, 1000 * n, 0, {"n": n, "text": "é" * (n % 7)}))
    buffer.close()
    (machine.flash / "nvs" / "buffer").write_bytes(flash.values["buffer"])


def batches(machine: Machine) -> list[Readings]:
    return [event for event in machine.events if isinstance(event, Readings)]


async def batch_from(machine: Machine, first: int) -> Readings:
    await until(lambda: any(batch.first == first for batch in batches(machine)))
    return next(batch for batch in batches(machine) if batch.first == first)


async def welcome(session: NativeSession, next_seq: int, *, approved: bool = True) -> None:
    await session.tell(Welcome(approved=approved, now_us=NOW_US, quality="ntp", next=next_seq))


async def test_readings_kept_while_the_hub_was_away_come_once_and_in_order(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        filled(machine)
        await machine.boot()
        session = await machine.connect()
        await welcome(session, 0)
        expected = 0
        while expected < RECORDS:
            batch = await batch_from(machine, expected)
            assert (batch.epoch, batch.dropped, batch.boot) == (session.hello.epoch, 0, 1)
            values = [record[3]["n"] for record in batch.records]
            assert values == list(range(expected, expected + len(values)))
            expected += len(values)
            await session.tell(Taken(next=expected))
        assert len(batches(machine)) <= RECORDS / 10
        await session.close()
        await machine.cut_power()


async def test_a_hub_that_has_some_of_them_gets_only_the_rest(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        filled(machine)
        await machine.boot()
        session = await machine.connect()
        await welcome(session, RECORDS - 1)
        await until(lambda: bool(batches(machine)))
        assert [(batch.first, len(batch.records)) for batch in batches(machine)] == [(RECORDS - 1, 1)]
        await session.close()
        await machine.cut_power()


async def test_a_device_that_is_not_approved_reports_and_keeps_its_readings(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        filled(machine)
        await machine.boot()
        session = await machine.connect()
        await welcome(session, 0, approved=False)
        await until(lambda: any(isinstance(event, Report) for event in machine.events))
        report = next(event for event in machine.events if isinstance(event, Report))
        assert report.health["buffer_records"] == RECORDS
        assert batches(machine) == []
        await welcome(session, 0)  # and then it is
        await until(lambda: bool(batches(machine)))
        await session.close()
        await machine.cut_power()
