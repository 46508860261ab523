"""The power goes at any byte of what the buffer writes, and the flash spoils any byte of what it wrote."""

from __future__ import annotations

import builtins
import io
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import outpost.buffer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outpost.buffer import FRAME_BYTES, SEGMENT_BYTES, Buffer

from tests.firmware.flash import EVERYTHING, Flash, opened, payload, waiting


class Recorder:
    """What the buffer does to the flash, in order, each step as a function that does it once more, partly."""

    def __init__(self, flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[str, str, bytes]] = []
        self._flash = flash

        def recording_open(path: str, mode: str) -> Any:
            if mode == "ab":
                self.steps.append(("write", path, b""))
            file = builtins.open(path, mode, buffering=0 if mode == "ab" else -1)  # noqa: PTH123, SIM115
            return RecordingFile(self, path, file) if mode == "ab" else file

        remove = os.remove

        def recording_remove(path: str) -> None:
            self.steps.append(("remove", path, b""))
            remove(path)

        def recording_save(key: str, value: bytes) -> None:
            self.steps.append(("save", key, value))
            flash.values[key] = value

        monkeypatch.setattr(outpost.buffer, "open", recording_open, raising=False)
        monkeypatch.setattr(outpost.buffer.os, "remove", recording_remove)
        monkeypatch.setattr(flash, "save", recording_save)

    def cuts(self) -> Iterator[tuple[int, int]]:
        """(whole steps, bytes of the next one) for every moment the power could go."""
        for i, (kind, _, data) in enumerate(self.steps):
            yield from ((i, n) for n in range(len(data) if kind == "write" else 1))
        yield len(self.steps), 0


class RecordingFile:
    def __init__(self, recorder: Recorder, path: str, file: io.RawIOBase) -> None:
        self._recorder, self._path, self._file = recorder, path, file

    def write(self, data: bytes) -> None:
        self._recorder.steps.append(("write", self._path, data))
        self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def apply(steps: list[tuple[str, str, bytes]], flash: Flash, old: str, torn: int, tail: bytes) -> None:
    """Do the steps in another folder; of the last `torn` bytes, and what a file system may leave behind them."""
    for i, (kind, name, data) in enumerate(steps):
        path = Path(name.replace(old, flash.files))
        if kind == "save":
            flash.values[name] = data
        elif kind == "remove":
            path.unlink()
        else:
            last = i == len(steps) - 1 and torn >= 0
            with path.open("ab") as file:
                file.write(data[:torn] + tail[: max(0, len(data) - torn)] if last else data)


def appending(buffer: Buffer) -> None:
    buffer.append(payload(buffer.next_seq, 60))


def beginning_a_segment(buffer: Buffer) -> None:
    buffer.append(payload(buffer.next_seq, 150))


def taking(buffer: Buffer) -> None:
    buffer.acknowledge(buffer.next_seq - 1)


@pytest.mark.parametrize("act", [appending, beginning_a_segment, taking])
@pytest.mark.parametrize("tail", [b"", bytes(4096), b"\xff" * 4096], ids=["nothing", "zeros", "ones"])
def test_a_cut_at_any_byte_loses_at_most_the_record_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Buffer], None], tail: bytes
) -> None:
    """And the device goes on from there: what is appended next is kept, and a number is never given twice."""
    before, working, flash = (Flash(tmp_path / name) for name in ("before", "working", "cut"))
    Path(before.files).mkdir()
    buffer = opened(before)
    while len(before.segments()) < 2 or SEGMENT_BYTES - buffer._sizes[buffer._segments[-1]] > 150:
        buffer.append(payload(buffer.next_seq, 1900 if buffer.next_seq < 15 else 90))
    buffer.close()
    shutil.copytree(before.files, working.files)
    working.values = dict(before.values)
    buffer = opened(working)
    had = waiting(buffer)
    recorder = Recorder(working, monkeypatch)
    act(buffer)
    steps, next_seq, lost = recorder.steps, buffer.next_seq, buffer.lost
    after = waiting(buffer)
    cuts = list(recorder.cuts())
    monkeypatch.undo()
    buffer.close()
    assert len(cuts) > 1
    for whole, torn in cuts:
        shutil.copytree(before.files, flash.files)
        flash.values = dict(before.values)
        tears = whole < len(steps) and steps[whole][0] == "write"
        apply(steps[: whole + tears], flash, working.files, torn if tears else -1, tail)
        reopened = opened(flash)
        found = waiting(reopened)
        if act is not taking:  # nothing that was whole is lost but what the bound has pushed out
            assert found == [record for record in had if record[0] >= found[0][0]] or found == after
            assert found[0][0] <= lost
            torn_is_seen = tears and (torn or tail) and len(steps[whole][2])
            assert reopened.next_seq - 1 - found[-1][0] == (1 if torn_is_seen and found != after else 0)
        else:
            assert {record[0] for record in found} >= {record[0] for record in after}
        number = reopened.append(b"next")
        assert number >= (next_seq - 1)
        if act is not taking and torn_is_seen:  # nothing is appended behind a torn record
            assert Path(flash.segments()[-1]).stat().st_size == FRAME_BYTES + len(b"next") or found == after
        again = opened(flash)
        assert waiting(again)[-1] == (number, b"next")
        assert again.append(b"and next") == number + 1
        again.close()
        shutil.rmtree(flash.files)


def test_a_flipped_byte_costs_its_own_record_only_and_is_told(flash: Flash) -> None:
    buffer = opened(flash)
    for n in range(6):
        buffer.append(payload(n, n))
    segment = flash.segments()[0]
    good = segment.read_bytes()
    for at in range(len(good)):
        segment.write_bytes(good[:at] + bytes([good[at] ^ 0x5A]) + good[at + 1 :])
        reopened = opened(flash)
        found = waiting(reopened)
        assert len(found) == 5
        assert set(found) < {(n, payload(n, n)) for n in range(6)}
        assert reopened.next_seq >= 6
        told = 0
        while reopened.waiting():
            first, dropped, payloads = reopened.batch(100, EVERYTHING)
            told += dropped
            reopened.acknowledge(first + len(payloads))
        assert told >= 1
        flash.values.clear()
        segment.write_bytes(good)


@given(st.binary(max_size=3000), st.randoms(use_true_random=False))
def test_any_bytes_in_a_segment_are_survived(junk: bytes, luck: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder, Flash(Path(folder)) as flash:
        buffer = opened(flash)
        for n in range(3):
            buffer.append(payload(n))
        buffer.close()
        segment = flash.segments()[0]
        good = segment.read_bytes()
        at = luck.randrange(len(good))
        segment.write_bytes(good[:at] + b"\xa5\x5a" + junk + good[at:])
        reopened = opened(flash)
        assert set(waiting(reopened)) <= {(n, payload(n)) for n in range(3)}
        number = reopened.append(b"next")
        assert number >= 3 or at == 0
        assert waiting(opened(flash))[-1] == (number, b"next")
