"""A small HTTP server for pages of the board's own, that never waits: one caller at a time, a step in every round.

    server = Server(port, clock, log, 80, answer)
    server.service()  # in every round of the main loop

`answer(request)` gives an Answer, whose pieces are made as they are sent, so that no page needs to fit the heap.
All is bounded: a request's bytes and time, an answer's time, and who waits meanwhile. One who is slow keeps others
from the page for some seconds, and the board from nothing.
"""

from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port
from outpost.sockets import Caller, Listener

try:
    from collections.abc import Callable, Generator, Iterable
except ImportError:  # MicroPython has none, and needs none
    pass

REQUEST_MS = 5000  # from the call to the request's last byte
ANSWER_MS = 10000  # until the caller has taken it all
LINGER_MS = 500  # for the rest of a request that was refused: who is cut off in the middle of it reads no answer
OPEN_PAUSE_MS = 30000  # between two tries to open the port
WAITING_MAX = 2  # callers, beside the one that is served
HEAD_BYTES_MAX = 2048
BODY_BYTES_MAX = 2048
SEND_BYTES = 1024  # gathered before they are sent
METHODS = ("GET", "HEAD", "POST")
REASONS = {
    200: "OK", 302: "Found", 303: "See Other", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large",
    429: "Too Many Requests", 431: "Request Header Fields Too Large",
}  # fmt: skip
SAFE = (
    "Connection: close",
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options: DENY",
)


class Request:
    """What somebody asks for. `newer` is HTTP/1.1, which knows bodies in chunks."""

    def __init__(self, method: str, path: str, newer: bool) -> None:
        self.method = method
        self.path = path
        self.newer = newer
        self.body = b""


class Answer:
    """`pieces` are the body, made while it is sent; `to` is where to look instead, for status 302 and 303."""

    def __init__(self, status: int, kind: str, pieces: "Iterable[bytes]", to: str = "") -> None:
        self.status = status
        self.kind = kind
        self.pieces = pieces
        self.to = to


class Refused(Exception):
    """A request that gets no other answer than this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Server:
    """One TCP port. `idle` while nobody is served."""

    def __init__(
        self, port: Port, clock: Clock, log: Log, number: int, answer: "Callable[[Request], Answer]"
    ) -> None:
        self.number = number
        self.idle = True
        self._port = port
        self._clock = clock
        self._log = log
        self._answer = answer
        self._listener = None  # type: Listener | None
        self._open_ms = 0
        self._got = b""
        self._deadline = 0
        self._life = self._live()

    def service(self) -> None:
        """One small step of whatever is under way."""
        try:
            next(self._life)
        except (MemoryError, ValueError, TypeError, KeyError, RuntimeError) as error:
            self._log.error("the page: %r" % error)
            self.idle = True
            self._life = self._live()

    def close(self) -> None:
        """Let go of the port, and of who is served. With the next `service` it opens again."""
        self._life.close()
        self._life = self._live()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _live(self) -> "Generator[None, None, None]":
        while True:
            listener = self._opened()
            if listener is None:
                yield
                continue
            try:
                caller = listener.accept()
            except OSError as error:
                self._lost(error)
                continue
            if caller is None:
                yield
                continue
            self.idle = False
            listener.watch(False)
            try:
                yield from self._serve(caller)
            except OSError as error:
                self._log.debug("the page: %s" % error)  # gone, or too slow
            finally:
                caller.close()
                listener.watch(True)
                self.idle = True

    def _opened(self) -> "Listener | None":
        if self._listener is None and self._clock.ms() >= self._open_ms:
            try:
                self._listener = Listener(self._port, self.number, WAITING_MAX)
                self._listener.watch(True)
            except OSError as error:
                self._lost(error)
        return self._listener

    def _lost(self, error: OSError) -> None:
        self._log.error("the page can't be served on port %d: %s" % (self.number, error))
        self._open_ms = self._clock.ms() + OPEN_PAUSE_MS
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # One caller

    def _serve(self, caller: Caller) -> "Generator[None, None, None]":
        self._got = b""
        self._within(REQUEST_MS)
        try:
            request = yield from self._read(caller)
        except Refused as refused:
            self._within(ANSWER_MS)
            yield from self._send(caller, Request("GET", "", False), said(refused.status, REASONS[refused.status]))
            yield from self._linger(caller)
            return
        caller.heard()
        self._within(ANSWER_MS)
        yield from self._send(caller, request, self._answer(request))

    def _read(self, caller: Caller) -> "Generator[None, None, Request]":
        while b"\r\n\r\n" not in self._got:
            if len(self._got) > HEAD_BYTES_MAX:
                raise Refused(431)
            yield from self._more(caller)
        head, _, body = self._got.partition(b"\r\n\r\n")
        self._got = b""
        if len(head) > HEAD_BYTES_MAX:
            raise Refused(431)
        request, size = _parsed(head)
        if size > BODY_BYTES_MAX:
            raise Refused(413)
        self._got = body
        while len(self._got) < size:
            yield from self._more(caller)
        if len(self._got) > size:
            raise Refused(413)
        request.body, self._got = self._got, b""
        return request

    def _more(self, caller: Caller) -> "Generator[None, None, None]":
        """At least one byte more. Raises Refused when it takes too long, OSError when he has gone."""
        while True:
            data = caller.read()
            if data:
                self._got += data
                return
            if data is not None:
                raise OSError("he has gone")
            if self._clock.ms() >= self._deadline:
                raise Refused(408)
            yield

    def _send(self, caller: Caller, request: Request, answer: Answer) -> "Generator[None, None, None]":
        """Head and body. In HTTP/1.1 an empty chunk tells the body's end: what was cut off can be seen to be."""
        waiting = _head(answer, request.newer)
        if request.method != "HEAD":
            for piece in answer.pieces:
                waiting += _chunk(piece) if request.newer and piece else piece
                if len(waiting) >= SEND_BYTES:
                    yield from self._all(caller, waiting)
                    waiting = b""
            waiting += _chunk(b"") if request.newer else b""
        yield from self._all(caller, waiting)

    def _all(self, caller: Caller, data: bytes) -> "Generator[None, None, None]":
        view = memoryview(data)
        while view:
            view = view[caller.write(view) :]
            if self._clock.ms() >= self._deadline:
                raise OSError("he is too slow")
            yield

    def _linger(self, caller: Caller) -> "Generator[None, None, None]":
        self._within(LINGER_MS)
        while self._clock.ms() < self._deadline and caller.read() != b"":
            yield

    def _within(self, limit_ms: int) -> None:
        self._deadline = self._clock.ms() + limit_ms


def said(status: int, text: str) -> Answer:
    """A line of text."""
    return Answer(status, "text/plain; charset=utf-8", (text.encode() + b"\n",))


def form(body: bytes) -> "dict[str, str]":
    """The fields of a form as browsers send it; the last one of a name counts. Raises ValueError."""
    fields = {}  # type: dict[str, str]
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            fields[_unquoted(name)] = _unquoted(value)
    return fields


def escaped(text: object) -> str:
    """Text as it may stand in HTML, between tags and in quotes."""
    shown = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace('"', "&quot;").replace("'", "&#39;")


def _parsed(head: bytes) -> "tuple[Request, int]":
    """The request, and the length of the body that is to come. Raises Refused."""
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0") or words[1][:1] != b"/":
        raise Refused(400)
    size = b"0"
    for line in lines[1:]:
        name, found, value = line.partition(b":")
        name = name.lower()
        if not found or name == b"content-length" and size != b"0":
            raise Refused(400)
        if name == b"transfer-encoding":
            raise Refused(411)
        if name == b"content-length":
            size = value.strip()
    if not size.isdigit() or len(size) > 9:
        raise Refused(400)
    try:
        method, path = words[0].decode(), words[1].split(b"?")[0].decode()
    except ValueError:
        raise Refused(400)
    if method not in METHODS:
        raise Refused(405)
    return Request(method, path, words[2] == b"HTTP/1.1"), int(size)


def _head(answer: Answer, chunked: bool) -> bytes:
    lines = ["HTTP/1.1 %d %s" % (answer.status, REASONS[answer.status]), "Content-Type: " + answer.kind]
    if answer.to:
        lines.append("Location: " + answer.to)
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines + list(SAFE)) + "\r\n\r\n").encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


def _unquoted(text: bytes) -> str:
    pieces = text.replace(b"+", b" ").split(b"%")
    plain = pieces[0]
    for piece in pieces[1:]:
        plain += bytes((int(piece[:2].decode(), 16),)) + piece[2:]
    return plain.decode()
