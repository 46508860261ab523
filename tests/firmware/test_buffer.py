"""The buffer on flash against a model: whatever is appended, taken, and reopened, and a board that is killed."""

from __future__ import annotations

import builtins
import json
import math
import os
import random
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import outpost.buffer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outpost.buffer import CURSOR_RECORDS, ENOSPC, FRAME_BYTES, PAYLOAD_BYTES_MAX, SEGMENT_BYTES, Buffer, pack

from tests.firmware.board import ROOT, virtual_machine
from tests.firmware.flash import EVERYTHING, SMALL, Flash, opened, payload, waiting
from tests.tools import share

# What a hub gets


def test_records_come_back_in_order_with_rising_numbers_after_a_restart(flash: Flash) -> None:
    buffer = opened(flash)
    numbers = [buffer.append(payload(n)) for n in range(50)]
    assert numbers == list(range(50))
    assert waiting(opened(flash)) == [(n, payload(n)) for n in range(50)]


def test_a_batch_is_bounded_but_never_empty(flash: Flash) -> None:
    buffer = opened(flash)
    for n in range(5):
        buffer.append(payload(n, 300))
    assert len(buffer.batch(3, EVERYTHING)[2]) == 3
    assert len(buffer.batch(100, 2 * len(payload(0, 300)))[2]) == 2
    assert buffer.batch(100, 1) == (0, 0, [payload(0, 300)])


def test_what_the_hub_has_taken_is_not_sent_again(flash: Flash) -> None:
    buffer = opened(flash)
    for n in range(10):
        buffer.append(payload(n))
    buffer.acknowledge(7)
    assert [seq for seq, _ in waiting(buffer)] == [7, 8, 9]
    buffer.acknowledge(3)  # an old answer, late
    assert buffer.cursor == 7
    buffer.acknowledge(10)
    assert buffer.batch(10, EVERYTHING) == (10, 0, [])
    assert buffer.append(payload(10)) == 10
    assert waiting(buffer) == [(10, payload(10))]


def test_numbers_go_on_after_everything_was_taken(flash: Flash) -> None:
    buffer = opened(flash)
    for n in range(300):
        buffer.append(payload(n, 100))
        buffer.acknowledge(n + 1)
    assert len(flash.segments()) == 1
    buffer = opened(flash)
    assert buffer.append(payload(300)) == 300


def test_a_segment_is_closed_before_it_may_be_deleted(flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = opened(flash)
    for n in range(5):
        buffer.append(payload(n))
    files: list[Any] = []

    def keeping_open(path: str, mode: str) -> Any:
        files.append(builtins.open(path, mode))  # noqa: PTH123, SIM115
        return files[-1]

    monkeypatch.setattr(outpost.buffer, "open", keeping_open, raising=False)
    assert len(buffer.batch(2, EVERYTHING)[2]) == 2
    assert [file.closed for file in files] == [True]


def test_acknowledgements_cost_few_writes(flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = opened(flash, 64 * 1024)
    saves: list[str] = []
    monkeypatch.setattr(flash, "save", lambda key, value: saves.append(key))
    for n in range(1000):
        buffer.append(payload(n))
        buffer.acknowledge(n + 1)
    assert len(saves) <= 1000 // CURSOR_RECORDS + 1000 * (len(payload(0)) + 20) // SEGMENT_BYTES + 1
    written = sum(len(payload(n)) + FRAME_BYTES for n in range(1000)) + 8 * len(saves)
    print(f"{written / 1000:.1f} bytes written for a record of {len(payload(0))}")


def test_when_full_the_oldest_go_and_are_counted(flash: Flash) -> None:
    buffer = opened(flash, 4 * SEGMENT_BYTES)
    for n in range(300):
        buffer.append(payload(n, 400))
    assert sum(path.stat().st_size for path in flash.segments()) <= 4 * SEGMENT_BYTES
    first, dropped, _ = buffer.batch(1, EVERYTHING)
    assert first == dropped == buffer.lost > 0
    assert waiting(buffer) == [(n, payload(n, 400)) for n in range(first, 300)]
    buffer = opened(flash, 4 * SEGMENT_BYTES)
    assert buffer.batch(1, EVERYTHING)[:2] == (first, dropped)


def test_a_record_that_is_too_long_is_refused_and_takes_no_number(flash: Flash) -> None:
    buffer = opened(flash)
    with pytest.raises(ValueError, match="past"):
        buffer.append(bytes(PAYLOAD_BYTES_MAX + 1))
    assert buffer.append(bytes(PAYLOAD_BYTES_MAX)) == 0


def test_a_number_that_is_none_does_not_spoil_a_batch() -> None:
    packed = pack(3, 1000, 0, {"a": math.nan, "b": math.inf, "c": 1.5, "d": True, "e": "é"})
    assert json.loads(packed) == [3, 1000, 0, {"c": 1.5, "d": True, "e": "é"}]


# The model


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, PAYLOAD_BYTES_MAX // 2)),
        st.tuples(st.just("take"), st.integers(1, 40)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 2000)),
        st.tuples(st.just("forgotten cursor"), st.just(0)),
    ),
    max_size=120,
)


@given(steps)
def test_it_does_as_its_model(steps: list[tuple[str, int]]) -> None:
    """A cut loses at most the record that was being written; all else is sent in order until the hub has it."""
    with tempfile.TemporaryDirectory() as folder, Flash(Path(folder)) as flash:
        buffer = opened(flash)
        model: dict[int, bytes] = {}
        saved: dict[str, bytes] = {}
        for step, size in steps:
            if step == "append":
                data = os.urandom(size)
                model[buffer.append(data)] = data
            elif step == "take":
                first, _, payloads = buffer.batch(size, EVERYTHING)
                assert payloads == [model[seq] for seq in range(first, first + len(payloads))]
                buffer.acknowledge(first + len(payloads))
                saved.update(flash.values)
            elif step == "cut":
                cut_while_appending(flash, buffer, os.urandom(300), size)
                buffer = opened(flash)
            else:
                buffer = opened(flash)
            found = waiting(buffer)
            assert dict(found).items() <= model.items()
            kept = [seq for seq in model if seq >= (found[0][0] if found else buffer.next_seq)]
            assert [seq for seq, _ in found] == kept
            assert all(seq < buffer.next_seq for seq in model)
            assert sum(path.stat().st_size for path in flash.segments()) <= SMALL


def cut_while_appending(flash: Flash, buffer: Buffer, data: bytes, after: int) -> None:
    """The power goes when `after` bytes of a record have reached the flash."""
    before = {path: path.stat().st_size for path in flash.segments()}
    seq = buffer.append(data)
    newest = flash.segments()[-1]
    whole = newest.stat().st_size
    os.truncate(newest, min(before.get(newest, 0) + after, whole - 1))
    assert seq + 1 == buffer.next_seq


# What goes wrong with the flash


def test_a_full_flash_gives_up_the_oldest(flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = opened(flash, 8 * SEGMENT_BYTES)
    for n in range(500):
        buffer.append(payload(n))
    buffer.close()
    full = [True]

    def no_room(path: str, mode: str) -> Any:
        if mode == "ab" and full.pop() if full else False:
            raise OSError(ENOSPC, "no space")
        return builtins.open(path, mode)  # noqa: PTH123

    buffer._file = None
    monkeypatch.setattr(outpost.buffer, "open", no_room, raising=False)
    assert buffer.append(payload(500)) == 500
    assert buffer.lost > 0
    found = waiting(buffer)
    assert found == [(n, payload(n)) for n in range(buffer.lost, 501)]


def test_a_flash_that_fails_is_told_and_its_number_counted(flash: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = opened(flash)
    buffer.append(payload(0))
    buffer.close()

    def broken(path: str, mode: str) -> Any:
        raise OSError(5, "I/O error")

    monkeypatch.setattr(outpost.buffer, "open", broken, raising=False)
    with pytest.raises(OSError, match="I/O"):
        buffer.append(payload(1))
    assert buffer.batch(10, EVERYTHING)[2] == []  # it can't be read either, and that is no crash
    monkeypatch.undo()
    assert buffer.append(payload(2)) == 2
    assert buffer.lost == 1
    assert waiting(opened(flash)) == [(0, payload(0)), (2, payload(2))]


def test_numbers_are_not_given_again_when_the_files_are_gone(flash: Flash) -> None:
    buffer = opened(flash)
    for n in range(CURSOR_RECORDS):
        buffer.append(payload(n))
    buffer.acknowledge(CURSOR_RECORDS)
    for path in flash.segments():
        path.unlink()
    assert opened(flash).append(b"") >= 2 * CURSOR_RECORDS


def test_strange_files_and_numbers_do_no_harm(flash: Flash) -> None:
    folder = Path(flash.files) / "buffer"
    folder.mkdir()
    for name in ("ffffffffffffffff.seg", "-1.seg", "x.seg", "notes.txt", ".seg"):
        (folder / name).write_bytes(b"\xa5\x5a")
    flash.values["buffer"] = b"\xff" * 8
    buffer = opened(flash)
    assert buffer.append(payload(0)) == 0
    buffer.acknowledge(1 << 70)
    buffer.acknowledge(-1)
    assert waiting(buffer) == [(0, payload(0))]


def test_a_hub_that_is_ahead_is_caught_up_with(flash: Flash) -> None:
    buffer = opened(flash)
    buffer.append(payload(0))
    buffer.acknowledge(1000)
    assert buffer.append(payload(1000)) == 1000
    assert waiting(opened(flash))[-1] == (1000, payload(1000))


def test_a_board_killed_while_it_writes_keeps_every_record_it_had_kept(tmp_path: Path) -> None:
    """The real firmware on the real MicroPython, killed at random moments, on one folder all the while."""
    script = Path(__file__).with_name("buffer_writer.py")
    luck = random.Random(1)
    rounds = share(8, 40)
    kept = 0
    for _ in range(rounds):
        command = [*virtual_machine(), script, ROOT / "firmware", tmp_path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(luck.randrange(1, 150))]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        assert writer.returncode == -signal.SIGKILL, lines[-1]
        numbers = [int(line) for line in lines if line.endswith("\n")]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[0] - kept <= 1  # at most the record that was being written has no number that was told
        kept = numbers[-1] + 1
        with Flash(tmp_path) as flash:
            cursor = tmp_path / "nvs_buffer"
            if cursor.exists():
                flash.values["buffer"] = cursor.read_bytes()
            found = waiting(opened(flash))
        assert [seq for seq, _ in found][-1] in (kept - 1, kept)
        assert all(json.loads(data)[3] == {"n": seq} for seq, data in found)
        numbers_found = [seq for seq, _ in found]
        assert numbers_found == list(range(numbers_found[0], numbers_found[-1] + 1))
