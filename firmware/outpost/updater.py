"""Bringing what was offered to flash, and switching to it: nothing of it counts until all of it is proved.

1. The manifest, whose hash is the offer's name, and its signatures come to `offered/`. A key of the app that runs
   must have signed it. Chip, variant, security version and MicroPython must fit.
2. What of the other folder can stay is found out by hash, and whether there is room for the rest. Only then the
   folder loses its old manifest, by which it was an app, and all that cannot stay.
3. Each file: kept, copied from the app that runs, or fetched in pieces. A piece is on flash before the next is
   asked for, so after a cut it goes on at that byte. Every file is read back from flash and its hash compared.
4. Signatures and manifest are moved in. When the hub has heard of it and nothing is under way here, the switch is
   written and the board starts anew.

A power cut anywhere leaves the app that runs as it is; at the next start all of this is gone through again, and
finds what is done already.
"""

import hashlib
import io  # noqa: F401  (for the types)
import os

from outpost import manifest, rsa
from outpost.clock import Clock
from outpost.flash_files import (
    BLOCK_BYTES,
    blocks,
    clear,
    exists,
    free_bytes,
    make_folder,
    make_folders,
    remove,
    size_in,
)
from outpost.port import Port
from outpost.signing import hexed
from outpost.slots import micropython, mpy_version
from outpost.updates import Updates

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

PIECE_BYTES = 2048
FOLDERS_BYTES = 10 * BLOCK_BYTES  # that the folders of an app take themselves
RESERVE_BYTES = 16 * 1024  # of flash that is left to results and settings
PROGRESS_MS = 5000
ASK_AGAIN_MS = 5000  # after a hub that is busy
GONE_MAX = 3  # times the hub may say that it has not got a piece
DELAYED_MS = 1000  # for what is over in a moment nobody is told
STAGED_MS = 10000  # for the hub to hear of the switch; then it goes without
SAVED_BLOCKS = 16  # of an image, before how far it is gets saved: 64 KB
TRIES_MAX = 2  # of a file whose hash is wrong
ENOSPC = 28
IMAGES = "micropython"  # the target of whole images
MANIFEST, SIGNATURES = "manifest", "signatures"


class Rejected(Exception):
    """This will never run here."""


class Failed(Exception):
    """It could not be brought to flash this time."""


class Update:
    """One offer. `steps` ends with a restart, or when there is nothing more to do."""

    def __init__(self, port: Port, clock: Clock, updates: Updates, offer: "dict[str, object]") -> None:
        self._port = port
        self._clock = clock
        self._updates = updates
        self._artifact = str(offer["artifact"])
        self._kind = str(offer["kind"])
        self._slots = updates.slots
        self._runs = manifest.Manifest()
        self._folder = port.files + "/offered"
        self._done = 0  # bytes of files that are in place
        self._told_ms = 0

    def steps(self) -> "Generator[bool, None, None]":
        """All of it, a few milliseconds at a time; true while the next are due at once."""
        try:
            self._updates.tell("downloading")
            head = yield from self._proved()
            if head.kind == manifest.APP:
                yield from self._bring_app(head)
            else:
                yield from self._bring_image(head)
        except Rejected as why:
            self._updates.end("rejected", str(why))
        except (Failed, manifest.BadManifest) as why:
            self._updates.end("failed", str(why))
        except OSError as error:
            self._updates.end("failed", "flash is full" if error.errno == ENOSPC else "flash: %r" % error)
        else:
            yield from self._switch(head)

    # 1. What it is

    def _proved(self) -> "Generator[bool, None, manifest.Manifest]":
        """The manifest in `offered/`, signed by who is trusted here, and of what can run here."""
        make_folder(self._folder)
        path = self._folder + "/" + MANIFEST
        if not exists(path) or (yield from self._hash(path)) != self._artifact:
            yield from self._fetch_short(MANIFEST, manifest.MANIFEST_MAX)
            if (yield from self._hash(path)) != self._artifact:
                remove(path)
                raise Failed("the manifest is not the one that was offered")
        if not exists(self._folder + "/" + SIGNATURES) or not (yield from self._signed()):
            yield from self._fetch_short(SIGNATURES, manifest.SIGNATURES_BYTES_MAX)
            if not (yield from self._signed()):
                remove(self._folder + "/" + SIGNATURES)
                raise Rejected("no signature by a key that is trusted here")
        try:
            head = manifest.read(path)
        except manifest.BadManifest as error:
            raise Rejected("manifest: %s" % error)
        why = self._objection(head)
        if why:
            raise Rejected(why)
        return head

    def _signed(self) -> "Generator[bool, None, bool]":
        digest = manifest.digest(self._folder + "/" + MANIFEST)
        keys = rsa.keys(self._slots.folder + "/keys")
        try:
            signatures = manifest.signatures(self._folder + "/" + SIGNATURES)
        except manifest.BadManifest:
            return False
        for key, signature in signatures:
            yield True
            if key in keys and rsa.verifies(keys[key], signature, digest):
                return True
        return False

    def _objection(self, head: manifest.Manifest) -> str:
        runs = self._slots
        if head.kind != self._kind:
            return "it is no %s" % self._kind
        if head.chip != self._port.chip_kind:
            return "it is for %s, this is %s" % (head.chip, self._port.chip_kind)
        if head.kind == manifest.ESP_IMAGE:
            return self._objection_to_image(head)
        if not manifest.may_become(runs.target, head.target):
            return "%s does not become %s over the air" % (runs.target, head.target)
        if head.security < runs.security:
            return "security version %d, here runs %d" % (head.security, runs.security)
        if head.micropython > micropython():
            return "it needs MicroPython %d.%d" % head.micropython
        if head.mpy != mpy_version():
            return "its files are compiled for .mpy version %d, here is %d" % (head.mpy, mpy_version())
        for _, _, path in manifest.files(self._folder + "/" + MANIFEST, head):
            if path.split("/")[0] in (MANIFEST, SIGNATURES):
                return "a file called %s" % path
        return ""

    def _objection_to_image(self, head: manifest.Manifest) -> str:
        slot = self._port.image_slot()
        if slot is None:
            return "this board has one place for a whole image only"
        if head.target != IMAGES:
            return "it is an image of %s" % head.target
        if head.security < self._updates.image_security:
            return "security version %d, here runs %d" % (head.security, self._updates.image_security)
        return "it is larger than %d bytes" % slot.size if head.size > slot.size else ""

    def _fetch_short(self, what: str, most: int) -> "Generator[bool, None, None]":
        """A manifest or signatures, from the beginning."""
        path, size = self._folder + "/" + what, 1
        with open(path + ".new", "wb") as file:
            at = 0
            while at < size:
                size, data = yield from self._piece(what, at)
                if size > most or not data and at < size:
                    raise Failed("%s of %d bytes" % (what, size))
                file.write(data)
                at += len(data)
        os.rename(path + ".new", path)

    # 2. and 3. An app

    def _bring_app(self, head: manifest.Manifest) -> "Generator[bool, None, None]":
        listed = self._folder + "/" + MANIFEST
        kept = set()  # type: set[str]
        needed = FOLDERS_BYTES
        self._runs = manifest.head(self._slots.folder + "/" + MANIFEST)
        for size, sha256, path in manifest.files(listed, head):
            if (yield from self._is(self._slots.other + "/" + path, size, sha256)):
                kept.add(path)
                self._done += size
            else:
                needed += blocks(size)
        yield from self._make_room(needed, kept)
        for size, sha256, path in manifest.files(listed, head):
            if path not in kept:
                make_folders(self._slots.other, path)
                if not (yield from self._copy(size, sha256, path)):
                    yield from self._fetch_file(size, sha256, path)
                self._done += size
        make_folder(self._slots.other)
        for name in (SIGNATURES, MANIFEST):
            os.rename(self._folder + "/" + name, self._slots.other + "/" + name)

    def _make_room(self, needed: int, kept: "set[str]") -> "Generator[bool, None, None]":
        """Clear the other folder of all that can't stay, if there is room enough then. Raises Failed."""
        other = self._slots.other
        free = free_bytes(self._port.files)
        if free >= 0:
            room = (
                free + size_in(other, "", kept) + size_in(self._folder, "", {MANIFEST, SIGNATURES}) - RESERVE_BYTES
            )
            if room < needed:
                raise Failed("no room: it needs %d bytes of flash, there are %d" % (needed, max(0, room)))
        remove(other + "/" + MANIFEST)  # from here on it is no app
        yield from clear(other, "", kept)

    def _copy(self, size: int, sha256: str, path: str) -> "Generator[bool, None, bool]":
        """From the app that runs, which has most files of the next one; whether it had."""
        source = self._running_file(size, sha256)
        if not source:
            return False
        target = self._slots.other + "/" + path
        buffer = bytearray(manifest.READ_BYTES)
        view = memoryview(buffer)
        with open(source, "rb") as old:
            with open(target + ".new", "wb") as new:
                while True:
                    count = old.readinto(buffer)
                    if not count:
                        break
                    new.write(view[:count])
                    yield True
        whole = yield from self._is(target + ".new", size, sha256)
        if whole:
            os.rename(target + ".new", target)
        else:
            remove(target + ".new")
        return bool(whole)

    def _running_file(self, size: int, sha256: str) -> str:
        """The path of a file of that hash in the app that runs; '' when it has none."""
        folder = self._slots.folder
        for its_size, its_sha256, path in manifest.files(folder + "/" + MANIFEST, self._runs):
            if its_sha256 == sha256 and its_size == size and exists(folder + "/" + path):
                return folder + "/" + path
        return ""

    def _fetch_file(self, size: int, sha256: str, path: str) -> "Generator[bool, None, None]":
        part = "%s/part-%s" % (self._folder, sha256[:16])
        yield from clear(self._folder, "", {MANIFEST, SIGNATURES, part.rsplit("/", 1)[1]})
        for _ in range(TRIES_MAX):
            yield from self._fetch_rest(part, size, sha256)
            if (yield from self._is(part, size, sha256)):
                os.rename(part, self._slots.other + "/" + path)
                return
            remove(part)
        raise Failed("wrong hash: %s" % path)

    def _fetch_rest(self, part: str, size: int, sha256: str) -> "Generator[bool, None, None]":
        """From the byte on where it stopped."""
        at = os.stat(part)[6] if exists(part) else 0
        if at > size:
            remove(part)
            at = 0
        with open(part, "ab") as file:
            while at < size:
                total, data = yield from self._piece(sha256, at)
                if total != size or not data or at + len(data) > size:
                    raise Failed("the hub's file has %d bytes, not %d" % (total, size))
                file.write(data)
                file.flush()  # MicroPython's is an fsync
                at += len(data)
                self._progress(at)

    # An image

    def _bring_image(self, head: manifest.Manifest) -> "Generator[bool, None, None]":
        slot = self._port.image_slot()
        assert slot is not None
        size, sha256, _ = next(manifest.files(self._folder + "/" + MANIFEST, head))
        at = self._port.number("image_at", 0)
        mark = ("%s %s" % (slot.name, sha256)).encode()
        if self._port.load("image_of") != mark or not 0 <= at <= size or at % slot.block:
            self._port.set_number("image_at", 0)
            self._port.save("image_of", mark)
            at = 0
        block = bytearray(slot.block)
        view = memoryview(block)
        while at < size:
            filled = 0
            while filled < min(slot.block, size - at):
                total, data = yield from self._piece(sha256, at + filled)
                if total != size or not data or filled + len(data) > slot.block:
                    raise Failed("the hub's image has %d bytes, not %d" % (total, size))
                view[filled : filled + len(data)] = data
                filled += len(data)
            slot.write(at, view[:filled])  # type: ignore[arg-type]  # bytes of a kind
            at += filled
            if at // slot.block % SAVED_BLOCKS == 0:
                self._port.set_number("image_at", at)
            self._progress(at)
            yield True
        digest = hashlib.sha256()
        for start in range(0, size, slot.block):
            count = min(slot.block, size - start)
            slot.readinto(start, view[:count])
            digest.update(view[:count])
            yield True
        if hexed(digest.digest()) != sha256:
            self._port.set_number("image_at", 0)
            raise Failed("wrong hash: the image")

    # 4. The switch

    def _switch(self, head: manifest.Manifest) -> "Generator[bool, None, None]":
        updates = self._updates
        updates.tell("verified", self._done)
        while updates.telling():
            yield False
        if updates.refused:
            return  # it is not wanted any more
        yield from self._undisturbed()
        try:
            if head.kind == manifest.APP:
                self._slots.stage()
            else:
                slot = self._port.image_slot()
                assert slot is not None
                self._port.forget("why")
                updates.note(to=slot.name, security=head.security)
                slot.activate()
        except OSError as error:
            updates.end("failed", "the switch: %r" % error)
            return
        updates.is_switched()
        updates.tell("staged", self._done)
        until = self._clock.ms() + STAGED_MS
        while (updates.telling() and self._clock.ms() < until) or updates.busy():
            yield False
        updates.restart()

    def _undisturbed(self) -> "Generator[bool, None, None]":
        """Wait until a restart cuts nothing off."""
        told, since = "", self._clock.ms()
        while True:
            why = self._updates.busy()
            if not why:
                return
            if why != told and self._clock.ms() - since >= DELAYED_MS:
                told = why
                self._updates.tell("delayed", self._done, why)
            yield False

    # Small things

    def _piece(self, what: str, start: int) -> "Generator[bool, None, tuple[int, bytes]]":
        """Size of the whole, and what the hub gives of it from there on. Raises Failed."""
        gone = 0
        while True:
            self._updates.fetch(what, start, PIECE_BYTES)
            try:
                piece = self._updates.fetched()
                while piece is None:
                    yield False
                    piece = self._updates.fetched()
                return piece
            except ValueError as said:
                if str(said) != "busy":
                    gone += 1
                if gone >= GONE_MAX:
                    raise Failed("the hub does not give %s: %s" % (what[:16], said))
            yield from self._updates.wait(ASK_AGAIN_MS)

    def _progress(self, of_file: int) -> None:
        if self._clock.ms() - self._told_ms >= PROGRESS_MS and not self._updates.telling():
            self._told_ms = self._clock.ms()
            self._updates.tell("downloading", self._done + of_file)

    def _hash(self, path: str) -> "Generator[bool, None, str]":
        digest = yield from manifest.digests(path)
        return hexed(digest)

    def _is(self, path: str, size: int, sha256: str) -> "Generator[bool, None, bool]":
        """Whether that file is there, as it lies on flash."""
        try:
            if os.stat(path)[6] != size:
                return False
            found = yield from self._hash(path)
        except OSError:
            return False
        return bool(found == sha256)
