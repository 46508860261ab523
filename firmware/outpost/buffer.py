"""Readings kept on flash until the hub has them: they outlive a power cut at any byte, and a hub that is away.

Segments are files that are only ever appended to, named by the number of their first record. A record is

    A5 5A | length of the payload (2, LE) | number (8, LE) | payload | CRC-32 of length, number and payload (4, LE)

Numbers rise by one and none is given twice, so a number that is missing is a record that was lost: to the bound of
the buffer (the oldest segment goes first), to damage, or to a power cut in the middle of writing it. That is all
the counting there is, and no cut can spoil it. Behind a torn record nothing is appended: a new segment begins.

What the hub has is a number too, the cursor, saved when a segment is deleted and every CURSOR_RECORDS records.
After a cut it may be old, and some records are sent again: the hub takes each once, by its number. The newest
segment is never deleted, so the numbers go on from it even when everything was taken.
"""

import binascii
import io  # noqa: F401  (for the types)
import json
import os

from outpost.log import Log
from outpost.port import Port

try:
    from collections.abc import Generator, Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

MARK = b"\xa5\x5a"
HEAD_BYTES = 12
FRAME_BYTES = HEAD_BYTES + 4  # what a record takes beyond its payload
PAYLOAD_BYTES_MAX = 2048
SEGMENT_BYTES = 16 * 1024  # four blocks of flash: small against the whole, so little is lost with the oldest
BLOCK_BYTES = 4096  # of the file system: what a file of one byte takes
SEGMENTS_MIN = 2  # the one that is written, and one that can be given up
CURSOR_RECORDS = 64  # taken by the hub before the cursor is saved anew, if no segment is deleted sooner
RESERVE_BYTES = 64 * 1024  # of flash that is left to results, settings and pictures
SEARCH_BYTES = 256  # read at once while looking for the next whole record
NUMBERS_A_SEGMENT = SEGMENT_BYTES // FRAME_BYTES  # more than any can hold
SEQ_MAX = 1 << 62  # no device gets there: what is higher is damage
ENOSPC = 28
CURSOR_KEY = "buffer"
SUFFIX = ".seg"


def pack(boot: int, ms: int, at_us: int, values: "dict[str, object]") -> bytes:
    """A record's payload: which boot, ms since then, UTC in us (0: not known), and the readings by key.

    What is not `sound` is left out.
    """
    kept = {key: value for key, value in values.items() if sound(value)}
    return json.dumps([boot, ms, at_us, kept], separators=(",", ":")).encode()


def sound(value: object) -> bool:
    """Whether it can stand in a record. A number that is none (NaN, infinite) cannot: JSON has no word for it."""
    return not isinstance(value, float) or value - value == 0


class Buffer:
    """One folder of segments. `next_seq` is the number of the next record, `cursor` the one the hub wants next."""

    def __init__(self, port: Port, log: Log, size_bytes: int) -> None:
        self._port = port
        self._log = log
        self._bound = max(size_bytes, SEGMENTS_MIN * SEGMENT_BYTES)
        self._folder = port.files + "/buffer"
        _make_folder(self._folder)
        self._sizes = {}  # type: dict[int, int]
        for name in os.listdir(self._folder):
            first = _first_of(name)
            if first is not None:
                self._sizes[first] = os.stat(self._path(first))[6]
        self._segments = sorted(self._sizes)
        self._file = None  # type: io.BufferedWriter | None  # of the newest segment, open for appending
        self._skip = 0  # where in the oldest segment the cursor is, at least
        self.lost = 0  # records, since the start, that nobody will get
        self.next_seq = 0
        self.cursor = 0
        self._saved_cursor = 0
        self._sound = self._find_end()  # whether the newest segment may be appended to
        self._find_cursor()

    # Writing

    def append(self, payload: bytes) -> int:
        """Keep a record; its number. On flash when this returns. Raises OSError: then it is lost, and counted."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise ValueError("a record past %d bytes" % PAYLOAD_BYTES_MAX)
        seq = self.next_seq
        body = len(payload).to_bytes(2, "little") + seq.to_bytes(8, "little") + payload
        crc = binascii.crc32(body) & 0xFFFFFFFF  # type: int
        record = MARK + body + crc.to_bytes(4, "little")
        self.next_seq = seq + 1  # whatever comes: a number that may be on flash is not given again
        try:
            self._write_or_make_room(seq, record)
        except OSError:
            self._give_up_newest()
            self.lost += 1
            raise
        return seq

    def close(self) -> None:
        """Let go of the file. What was appended is kept already; the next append opens it again."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                pass  # what was in it is synced, or told as lost
            self._file = None

    # Replay

    def batch(self, records_max: int, bytes_max: int) -> "tuple[int, int, list[bytes]]":
        """The oldest records that the hub has not: the number of the first, how many before it were lost, and the
        payloads, whose numbers rise by one. At least one is given if there is one, however long it is.
        """
        payloads = []  # type: list[bytes]
        first = self.next_seq
        size = 0
        records = self._records()
        for seq, payload in records:
            if not payloads:
                first = seq
            elif seq != first + len(payloads) or size + len(payload) > bytes_max:
                break
            payloads.append(payload)
            size += len(payload)
            if len(payloads) >= records_max:
                break
        records.close()  # and with it the file, which may be deleted next
        return first, first - self.cursor, payloads

    def acknowledge(self, seq: int) -> None:
        """The hub has, or has given up, all before `seq`. Few writes: see the module. Raises OSError."""
        if seq > SEQ_MAX:
            return
        if seq > self.next_seq:
            self._log.error("the hub is ahead of the buffer: %d, here %d" % (seq, self.next_seq))
            self._give_up_newest()  # numbers it has are not given again, and no segment has a gap it can't show
            self.next_seq = seq
        if seq <= self.cursor:
            return
        self.cursor = seq
        done = [first for first, after in zip(self._segments, self._segments[1:]) if after <= seq]
        if done or seq - self._saved_cursor >= CURSOR_RECORDS:
            self._save_cursor()
        for first in done:
            self._remove(first)

    # How it stands

    def waiting(self) -> int:
        """Records that the hub has not got, lost ones among them."""
        return self.next_seq - self.cursor

    def state(self) -> "dict[str, object]":
        """Fields of the report."""
        return {
            "buffer_records": self.waiting(),
            "buffer_bytes": self._used(),
            "buffer_max": self._bound,
            "buffer_lost": self.lost,
            "flash_free": self.free_bytes(),
        }

    def free_bytes(self) -> int:
        """Of the file system, -1 where it does not tell. Slow on a large flash."""
        try:
            stat = os.statvfs(self._folder)
        except (OSError, AttributeError):
            return -1
        return stat[0] * stat[3]

    # Segments

    def _path(self, first: int) -> str:
        return "%s/%016x%s" % (self._folder, first, SUFFIX)

    def _used(self) -> int:
        """Flash taken: a file takes whole blocks."""
        return sum([max(BLOCK_BYTES, (size + BLOCK_BYTES - 1) & -BLOCK_BYTES) for size in self._sizes.values()])

    def _write_or_make_room(self, seq: int, record: bytes) -> None:
        try:
            self._write(seq, record)
        except OSError as error:
            if error.errno != ENOSPC or len(self._segments) < SEGMENTS_MIN:
                raise
            self._give_up_newest()
            self._drop_oldest()
            self._write(seq, record)

    def _write(self, seq: int, record: bytes) -> None:
        """Append to the newest segment, or to a new one; synced when this returns."""
        if not self._sound or self._sizes[self._segments[-1]] + len(record) > SEGMENT_BYTES:
            self._begin_segment(seq)
        elif self._file is None:
            self._file = open(self._path(self._segments[-1]), "ab")
        file = self._file
        assert file is not None
        file.write(record)
        file.flush()  # MicroPython's is an fsync
        if hasattr(os, "fsync"):
            os.fsync(file.fileno())  # CPython needs to be told
        self._sizes[self._segments[-1]] += len(record)

    def _begin_segment(self, first: int) -> None:
        self.close()
        free = self.free_bytes()
        while len(self._segments) >= SEGMENTS_MIN and (
            self._used() + SEGMENT_BYTES > self._bound or 0 <= free < RESERVE_BYTES + SEGMENT_BYTES
        ):
            self._drop_oldest()
            free = self.free_bytes()
        self._file = open(self._path(first), "ab")
        self._sizes[first] = os.stat(self._path(first))[6]
        if first not in self._segments:
            self._segments.append(first)
        self._sound = True

    def _give_up_newest(self) -> None:
        """What it ends with is not known: the next record goes to another."""
        self._sound = False
        self.close()

    def _drop_oldest(self) -> None:
        """Room for the new. The cursor stays: the numbers between it and what is left are those that were lost."""
        self.lost += max(0, self._segments[1] - max(self.cursor, self._segments[0]))
        self._remove(self._segments[0])

    def _remove(self, first: int) -> None:
        os.remove(self._path(first))
        self._segments.remove(first)
        del self._sizes[first]
        self._skip = 0

    # Reading

    def _records(self) -> "Generator[tuple[int, bytes], None, None]":
        """Whole records from the cursor on, in order."""
        expected = self.cursor
        for first in list(self._segments):
            oldest = first == self._segments[0]
            try:
                with open(self._path(first), "rb") as file:
                    for seq, payload, end in _whole_records(file, self._skip if oldest else 0):
                        if expected <= seq < self.next_seq:
                            yield seq, payload
                            expected = seq + 1
                        elif seq < self.cursor and oldest:
                            self._skip = end  # not read again next time
            except OSError as error:
                self._log.error("segment %x can't be read: %r" % (first, error))

    # The start

    def _find_end(self) -> bool:
        """Learn `next_seq` from the newest segment; whether it ends with a whole record."""
        if not self._segments:
            return False
        newest = self._segments[-1]
        self.next_seq = newest
        try:
            with open(self._path(newest), "rb") as file:
                return self._read_to_end(file, self._sizes[newest])
        except OSError as error:
            self._log.error("segment %x can't be read: %r" % (newest, error))
            self.next_seq = newest + NUMBERS_A_SEGMENT
            return False

    def _read_to_end(self, file: "io.BufferedReader", size: int) -> bool:
        whole_end = 0
        for seq, _, end in _whole_records(file, 0):
            self.next_seq = max(self.next_seq, seq + 1)
            whole_end = end
        torn = size - whole_end
        if torn > 0:
            file.seek(whole_end)
            count = _lost_in(file.read(FRAME_BYTES + PAYLOAD_BYTES_MAX), torn)
            self.next_seq += count
            self.lost += count
            self._log.error("the buffer's end is torn: %d bytes, %d record(s) lost" % (torn, count))
        return torn <= 0

    def _find_cursor(self) -> None:
        oldest = self._segments[0] if self._segments else 0
        saved = int.from_bytes(self._port.load(CURSOR_KEY) or b"\xff" * 8, "little")
        if saved > SEQ_MAX:
            self.cursor = oldest
            self._save_cursor()
            return
        self.cursor = self._saved_cursor = saved
        if not self._segments or self.next_seq < self.cursor:
            # Files are gone that the hub has had, and perhaps so many more since the cursor was saved.
            self.next_seq = self.cursor + CURSOR_RECORDS
            self._sound = False

    def _save_cursor(self) -> None:
        self._port.save(CURSOR_KEY, self.cursor.to_bytes(8, "little"))
        self._saved_cursor = self.cursor


def _whole_records(file: "io.BufferedReader", at: int) -> "Iterator[tuple[int, bytes, int]]":
    """(number, payload, where it ends) of each whole record from `at` on; what is not whole is passed over."""
    while True:
        record = _record_at(file, at)
        if record is not None:
            yield record
            at = record[2]
            continue
        found = _next_mark(file, at + 1)
        if found is None:
            return
        at = found


def _record_at(file: "io.BufferedReader", at: int) -> "tuple[int, bytes, int] | None":
    file.seek(at)
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or head[:2] != MARK:
        return None
    size = int.from_bytes(head[2:4], "little")
    if size > PAYLOAD_BYTES_MAX:
        return None
    rest = file.read(size + 4)
    if len(rest) < size + 4:
        return None
    payload = rest[:size]
    if binascii.crc32(payload, binascii.crc32(head[2:])) & 0xFFFFFFFF != int.from_bytes(rest[size:], "little"):
        return None
    return int.from_bytes(head[4:], "little"), payload, at + HEAD_BYTES + size + 4


def _next_mark(file: "io.BufferedReader", at: int) -> "int | None":
    """Where the next record may begin, from `at` on."""
    while True:
        file.seek(at)
        window = file.read(SEARCH_BYTES)
        found = window.find(MARK)  # type: int
        if found >= 0:
            return at + found
        if len(window) < SEARCH_BYTES:
            return None
        at += SEARCH_BYTES - 1  # the mark may lie across the border


def _lost_in(tail: bytes, size: int) -> int:
    """How many numbers a torn end of `size` bytes may stand for. A power cut tears one record; more than one can
    have been there only if the flash itself failed, and then too many are passed over rather than one too few.
    """
    declared = FRAME_BYTES + int.from_bytes(tail[2:4], "little")
    if size <= declared or len(tail.rstrip(b"\0")) < HEAD_BYTES:  # a file system may have put zeros for the rest
        return 1
    return 1 + size // FRAME_BYTES


def _first_of(name: str) -> "int | None":
    """The number in a segment's name; None for another file."""
    if not name.endswith(SUFFIX):
        return None
    try:
        first = int(name[: -len(SUFFIX)], 16)
    except ValueError:
        return None
    return first if 0 <= first <= SEQ_MAX else None


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except OSError:
        os.listdir(path)  # it is there already, or this raises
