"""What the hub wants on the panel: fetched in pieces to flash, drawn by the variant, told once it is there.

The links ask in every round what there is to ask the hub (`request`), and bring the answers, as with updates: so it
goes on over whichever link there is, and from where it stopped. `step` does one small piece of work. Nothing is
fetched that is on flash already, and the last good picture stays until the next one is whole and proved, with or
without hub or power.

A variant shows `picture`, when it likes to:

    if showing.picture != what_the_panel_shows:
        hash = showing.begin()              # from here on the file stays as it is
        ... draw what showing.rows() gives
        showing.is_shown(hash)              # or showing.is_not()
"""

import gc

from outpost.clock import Clock
from outpost.log import Log
from outpost.picture_file import PictureFile
from outpost.port import Port
from outpost.request import Request

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

WHAT = "picture"  # in a `fetch` over the cable
PIECE_BYTES = 2048
SLICE_MS = 20  # of work, between two rounds of the main loop
TRIES_MAX = 2  # of a picture whose hash is wrong
ASK_AGAIN_MS = 5000  # after a hub that is busy
GONE_MS = 30000  # after one that has not got what it wants shown
FAILED_MS = 3600000  # after a picture that can't be shown, unless it wants another one meanwhile
AGAIN_S_MAX = 86400
MARK_CHARS = 16
ENOSPC = 28
HEX = "0123456789abcdef"
KEY = "show"  # in non-volatile storage while something is scheduled


class CannotShow(Exception):
    """This picture can't be shown here; the code is what the hub is told."""


class Gone(Exception):
    """The hub has it no more."""


class Showing:
    """One panel's. `picture`: the hash of the last good one, '' for none; `scheduled`: the hub wants something
    shown; `mark`: which picture it wants, for the poll; `again_s`: when that may be another one, 0: not known.
    """

    def __init__(self, port: Port, clock: Clock, log: Log, width: int, height: int) -> None:
        self._port = port
        self._clock = clock
        self._log = log
        self._file = PictureFile(port, width, height)
        self.mark = ""
        self.again_s = 0
        self.picture = self._file.whole()
        self.scheduled = port.load(KEY) is not None
        self._wanted = None  # type: dict[str, object] | None
        self._on_panel = None  # type: str | None  # the hash of what is on the panel, '' for nothing of the hub's
        self._since_ms = None  # type: int | None  # when that was drawn; None: before this start
        self._drawing = False
        self._news = None  # type: Request | None  # of what is on the panel
        self._sorry = None  # type: Request | None  # of what can't be
        self._want = None  # type: Request | None
        self._piece = None  # type: tuple[int, bytes] | None
        self._error = ""
        self._pausing = False  # after a picture that can't be had
        self._begun = False  # some of the picture that is being fetched is here
        self._life = None  # type: Generator[bool, None, None] | None

    # For the links

    def show(self, said: "object") -> bool:
        """What the hub wants shown, or None; whether that is news.

        A picture of which some is here already is brought first: over a slow line the hub may want another one
        before any is whole, and none would ever be.
        """
        wanted = _sound(said)
        mark = "" if wanted is None else str(wanted["picture"])[:MARK_CHARS]
        self.again_s = _again_s(said) if wanted is not None else 0
        self._schedule(wanted is not None)
        if mark == self.mark:
            return False
        self.mark = mark
        self._wanted = wanted
        other = wanted is not None and wanted["picture"] != self.picture
        if other and self._begun and self._life is not None:
            return True
        self._want = None
        if self._life is not None:
            self._life.close()  # its files, too
            self._life = None
        if other:
            self._life = self._bring()
        elif wanted is not None and self._on_panel == self.picture:
            self._tell()
        return True

    def met(self) -> None:
        """A hub has just been told who we are: it hears what is on the panel, too."""
        if self._on_panel or self._on_panel == "" and self.picture:  # without any, the hub knows of none
            self._tell()

    def request(self) -> "Request | None":
        """What to ask the hub next. The same object until it is answered, or no longer wanted."""
        if self._news is not None and self._news.told is not None:
            self._news.told["shown_ms"] = 0 if self._since_ms is None else self._clock.ms() - self._since_ms
        return self._sorry or self._news or self._want

    def heard(self, request: "Request | None", picture: "object") -> None:
        """The hub has what was told of this picture, or will never have it."""
        if _is_of(self._sorry, request, picture):
            self._sorry = None
        elif _is_of(self._news, request, picture):
            self._news = None

    def piece(self, request: "Request | None", message: "dict[str, object]", data: bytes) -> None:
        """Bytes that were asked for, or `err`. Over the cable nothing but the message says which."""
        wanted = self._want
        if wanted is None or wanted.fetch is None or request is not None and request is not wanted:
            return
        for key in ("artifact", "what", "start"):
            if message.get(key) != wanted.fetch[key]:
                return
        self._want = None
        total = message.get("total")
        if message.get("err") or not isinstance(total, int):
            self._error = str(message.get("err") or "no total")
        else:
            self._piece = (total, data)

    @property
    def under_way(self) -> bool:
        """Whether a picture is being brought, or the hub has not heard yet what is shown."""
        told = self._news is None and self._sorry is None
        return not told or self._life is not None and not self._pausing

    def step(self) -> bool:
        """Some milliseconds of what there is to do; whether there is more. To be called between commands only."""
        if self._life is None:
            return False
        until = self._clock.ms() + SLICE_MS
        try:
            while next(self._life):
                if self._clock.ms() >= until:
                    return True
        except StopIteration:
            self._life = None
        except Exception as error:  # such as memory: what the board does besides goes on
            self._life = None
            gc.collect()
            if self._wanted is not None:
                self._failed(str(self._wanted["picture"]), "failed", "%s: %s" % (type(error).__name__, error))
        return False

    def look_again(self) -> None:
        """Somebody wants to see it: try at once what could not be had."""
        wanted = self._wanted
        if wanted is not None and wanted["picture"] != self.picture and not self.under_way:
            if self._life is not None:
                self._life.close()
            self._life = self._bring()

    # For the variant

    def begin(self) -> str:
        """The picture is about to be drawn; its hash. Until `is_shown` or `is_not` it stays as it is."""
        self._drawing = True
        return self.picture

    def rows(self) -> "Generator[bytes, None, None]":
        """The picture from the top on, in pieces of whole rows, set bits white. To be closed by who does not take
        all of it. Raises OSError, ValueError or EOFError when its file is damaged.
        """
        return self._file.rows()

    def is_shown(self, picture: str) -> None:
        """It has been drawn, and is to be seen."""
        self._drawing = False
        self._on_panel, self._since_ms = picture, self._clock.ms()
        self._tell()

    def is_not(self, damaged: bool = False) -> None:
        """It could not be drawn. `damaged`: because of its file, so it is to be fetched anew."""
        self._drawing = False
        if not damaged:
            return
        self._log.error("the picture on flash is damaged")
        self.picture = ""
        try:
            self._file.drop()
        except OSError as error:
            self._log.error("picture: %r" % error)
        if self._wanted is not None and self._life is None:
            self._life = self._bring()

    def was_shown(self, picture: str) -> None:
        """It has been on the panel since before this start."""
        self._on_panel, self._since_ms = picture, None
        self._tell()

    def is_covered(self, briefly: bool = False) -> None:
        """Something else has been drawn over it. `briefly`: it comes back, so the hub need not hear of it."""
        before = self._on_panel
        if before:
            self._on_panel = self._news = None
        if not briefly and before != "":
            self._on_panel, self._since_ms = "", self._clock.ms()
            self._tell()

    def was_covered(self) -> None:
        """Something else has been on the panel since before this start."""
        self._on_panel, self._since_ms = "", None

    # Lives

    def _bring(self) -> "Generator[bool, None, None]":
        """Until what is wanted is the last good one here, or can't be."""
        while self._wanted is not None and self._wanted["picture"] != self.picture:
            self._pausing = self._begun = False
            wanted = self._wanted
            picture, size = str(wanted["picture"]), wanted["size"]
            assert isinstance(size, int)
            try:
                yield from self._fetch(picture, size)
                while self._drawing:
                    yield False
                self._file.install()
                self.picture = picture
                continue  # another one may be wanted since
            except Gone as why:
                self._log.info("picture %s: %s" % (picture[:MARK_CHARS], why))
                pause_ms = GONE_MS
            except CannotShow as why:
                self._failed(picture, str(why), "")
                self._file.drop_part()
                pause_ms = FAILED_MS
            except OSError as error:
                self._failed(picture, "no_space" if error.args[:1] == (ENOSPC,) else "failed", repr(error))
                self._file.drop_part()
                pause_ms = FAILED_MS
            self._begun = False
            if self._wanted is wanted:
                yield from self._pause(pause_ms)

    def _fetch(self, picture: str, size: int) -> "Generator[bool, None, None]":
        """All of it on flash, proved. Raises CannotShow, Gone, OSError."""
        if not 0 < size <= self._file.bytes_max:
            raise CannotShow("bad_picture")
        for _ in range(TRIES_MAX):
            at = self._file.begin(picture, size)
            while at < size:
                self._begun = at > 0
                total, data = yield from self._next_piece(picture, at)
                if total != size or not data or at + len(data) > size:
                    raise CannotShow("bad_picture")
                self._file.append(data)
                at += len(data)
            wrong = yield from self._file.proved()
            if not wrong:
                return
            if wrong == "form":
                break
            self._file.drop_part()
        raise CannotShow("bad_picture")

    def _next_piece(self, picture: str, start: int) -> "Generator[bool, None, tuple[int, bytes]]":
        """Size of the whole, and what the hub gives of it from there on. Raises Gone."""
        while True:
            self._piece, self._error = None, ""
            self._want = Request(None, {"artifact": picture, "what": WHAT, "start": start, "most": PIECE_BYTES})
            while self._piece is None and not self._error:
                yield False
            piece, self._piece = self._piece, None
            if piece is not None:
                return piece
            if self._error != "busy":
                raise Gone(self._error)
            yield from self._wait(ASK_AGAIN_MS)

    def _pause(self, ms: int) -> "Generator[bool, None, None]":
        """Nothing is to be done for so long."""
        self._pausing = True
        yield from self._wait(ms)

    def _wait(self, ms: int) -> "Generator[bool, None, None]":
        until = self._clock.ms() + ms
        while self._clock.ms() < until:
            yield False

    # Small things

    def _failed(self, picture: str, code: str, why: str) -> None:
        self._log.error("picture %s: %s %s" % (picture[:MARK_CHARS], code, why))
        self._want = None
        self._sorry = Request({"picture": picture, "shown_ms": 0, "err": code}, None)

    def _tell(self) -> None:
        """The hub shall hear what is on the panel."""
        self._news = Request({"picture": self._on_panel or "", "shown_ms": 0, "err": ""}, None)

    def _schedule(self, on: bool) -> None:
        """Remember over a power cut whether anything is to be shown."""
        if on == self.scheduled:
            return
        self.scheduled = on
        try:
            if on:
                self._port.save(KEY, b"1")
            else:
                self._port.forget(KEY)
        except OSError as error:
            self._log.error("show: %r" % error)  # until the next start it is known all the same


def _is_of(news: "Request | None", request: "Request | None", picture: "object") -> bool:
    """Whether these news are what was told by that request, or, where none is named, of that picture."""
    if news is None or news.told is None or request is not None and request is not news:
        return False
    return news.told["picture"] == picture


def _sound(said: "object") -> "dict[str, object] | None":
    """Picture and size out of what the hub said; None when it is none."""
    if not isinstance(said, dict):
        return None
    picture, size = said.get("picture"), said.get("size")
    if not isinstance(picture, str) or len(picture) != 64 or not isinstance(size, int):
        return None
    if [character for character in picture if character not in HEX]:
        return None
    return {"picture": picture, "size": size}


def _again_s(said: "object") -> int:
    again_s = said.get("again_s") if isinstance(said, dict) else None
    return min(max(again_s, 0), AGAIN_S_MAX) if isinstance(again_s, int) else 0
