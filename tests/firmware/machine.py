"""A vending machine, or any other board without a screen: the real firmware in a process of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from edge.links.native import NativeSession
from edge.sim.uart import UartLine
from edge.wire.orders import Order, Outcome
from tests.fakes.pty_stream import PtyStream
from tests.firmware.board import DEADLINE_S, UNIX_PORT, until, virtual_machine
from tests.firmware.pictures import order

MOTOR_MS = 120
FAST = {"motor_ms": MOTOR_MS, "drop_ms": 250, "slots": 5}
CHIP = "A0B1C2D3E4F5"


class Machine:
    """One machine: a process, a flash folder, and beside it what its mechanics did."""

    def __init__(self, tmp: Path, line: UartLine, *, variant: str = "vending", **settings: object) -> None:
        self.flash = tmp / "flash"
        self.line = line
        self.variant = variant
        self.events: list[object] = []
        self._beside = tmp
        self._process: asyncio.subprocess.Process | None = None
        (self.flash / "nvs").mkdir(parents=True)
        (self.flash / "nvs" / "config").write_text(json.dumps(settings))

    async def boot(self, halt: str = "") -> None:
        """Start it, and wait until it has counted the start. `halt`: where it stands still until it is killed."""
        before = self._boots()
        (self._beside / "halted").unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *virtual_machine(), UNIX_PORT, "--variant", self.variant, "--tty", self.line.device_tty,
            "--flash", self.flash, "--chip", CHIP, *(("--halt", halt) if halt else ()),
        )  # fmt: skip
        await until(lambda: self._boots() > before)

    async def cut_power(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def exit_code(self) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), DEADLINE_S)

    async def connect(self) -> NativeSession:
        """A hub's session with it. Events are gathered in `events`."""
        self.stream = PtyStream(self.line.host_tty)
        return await NativeSession.open(self.stream, on_event=self.events.append, raise_baud=False, timeout_s=10)

    async def deliver(self, order: Order) -> Outcome:
        """In a session of its own."""
        session = await self.connect()
        try:
            return await session.deliver(order)
        finally:
            await session.close()

    async def halted(self) -> None:
        await until((self._beside / "halted").exists)

    def turns(self) -> list[int]:
        """The slots whose motors turned, in order: what a customer finds in the tray."""
        log = self._beside / "motor.log"
        return [int(slot) for slot in log.read_text().split()] if log.exists() else []

    def jam(self, on: bool = True) -> None:
        self._flag("jam", on)

    def block(self, on: bool = True) -> None:
        self._flag("blocked", on)

    def _flag(self, name: str, on: bool) -> None:
        if on:
            (self._beside / name).touch()
        else:
            (self._beside / name).unlink()

    def _boots(self) -> int:
        counter = self.flash / "nvs" / "boot"
        return int.from_bytes(counter.read_bytes(), "little") if counter.exists() else 0


def vend(seq: int, slot: object = 3, *, ttl_ms: int = 30_000) -> Order:
    return order(seq, "vend", ttl_ms=ttl_ms, slot=slot)  # type: ignore[arg-type]  # also what is no slot
