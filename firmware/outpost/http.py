"""A small HTTP/1.1 client over one kept-alive connection, that never waits: its requests are generators.

`yield from connection.ask(…)` pauses whenever there is nothing to do just now. Every phase has a time limit, and
head and body of an answer are bounded, since whoever answers a search need not be a hub.
"""

from outpost.clock import Clock
from outpost.port import Port
from outpost.sockets import Stream

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

CONNECT_MS = 5000
SEND_MS = 5000
REST_MS = 5000  # from the first byte of an answer to its last
HEAD_BYTES_MAX = 2048
BODY_BYTES_MAX = 8192
CHUNK_LINE_BYTES_MAX = 64


class HttpError(Exception):
    """The connection failed, or what came is no answer."""


class Answer:
    """Status, headers (names in lower case) and the body."""

    def __init__(self, status: int, headers: "dict[str, str]") -> None:
        self.status = status
        self.headers = headers
        self.body = b""


class Address:
    """Where a hub may be."""

    def __init__(self, host: str, number: int, tls: bool = False) -> None:
        self.host = host
        self.number = number
        self.tls = tls

    def __str__(self) -> str:
        return "%s://%s:%d" % ("https" if self.tls else "http", self.host, self.number)


def parsed(url: str) -> "Address | None":
    """The address in `http(s)://host[:port]`, whatever path follows; None for what is none."""
    scheme, found, rest = url.strip().partition("://")
    if not found or scheme not in ("http", "https") or not rest:
        return None
    host, _, number = rest.split("/")[0].partition(":")
    tls = scheme == "https"
    if not number:
        number = "443" if tls else "80"
    if not host or not number.isdigit() or not 0 < int(number) < 65536:
        return None
    for character in host:
        if not character.isalpha() and not character.isdigit() and character not in "-._":
            return None
    return Address(host, int(number), tls)


class Connection:
    """One connection to one address, opened when it is needed. `asking` while a request is under way."""

    def __init__(self, port: Port, clock: Clock, address: Address, tls: "object | None" = None) -> None:
        self._port = port
        self._clock = clock
        self._address = address
        self._tls = tls
        self._stream = None  # type: Stream | None
        self._got = b""
        self._deadline = 0
        self.asking = False

    def ask(
        self, method: str, target: str, headers: "dict[str, str]", body: bytes, patience_ms: int
    ) -> "Generator[None, None, Answer]":
        """The answer, whose first byte may take `patience_ms`. Raises HttpError; the next `ask` connects anew."""
        self.look()  # a kept connection that ended meanwhile is given up before it is used
        self.asking = True
        try:
            answer = yield from self._exchange(method, target, headers, body, patience_ms)
        except (OSError, ValueError) as error:  # the latter is a certificate that nobody vouches for
            self.close()
            raise HttpError("%s: %s" % (self._address, str(error).strip()))
        except HttpError:
            self.close()
            raise
        finally:
            self.asking = False
        if answer.headers.get("connection", "").lower() == "close" or self._got:
            self.close()  # bytes after the answer belong to nobody
        return answer

    def look(self) -> None:
        """Between requests: nothing is to come, so whatever comes (its end, mostly) ends the connection."""
        if self._stream is None or self.asking:
            return
        try:
            if self._stream.read() is None:
                return
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._got = b""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _exchange(
        self, method: str, target: str, headers: "dict[str, str]", body: bytes, patience_ms: int
    ) -> "Generator[None, None, Answer]":
        stream = yield from self._connected()
        self._within(SEND_MS)
        # In one piece: two small segments wait for one another's acknowledgement, some 40 ms each time.
        yield from self._send(stream, self._head(method, target, headers, len(body)) + body)
        self._within(patience_ms)
        yield from self._more(stream)
        self._within(REST_MS)
        answer = yield from self._read_head(stream)
        answer.body = yield from self._read_body(stream, answer)
        return answer

    def _connected(self) -> "Generator[None, None, Stream]":
        if self._stream is not None:
            return self._stream
        self._within(CONNECT_MS)
        stream = Stream(self._port, self._address.host, self._address.number, self._tls)
        self._stream = stream
        while not stream.connected():
            self._check()
            yield
        return stream

    def _head(self, method: str, target: str, headers: "dict[str, str]", size: int) -> bytes:
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: %s:%d" % (self._address.host, self._address.number)]
        lines += ["%s: %s" % (name, headers[name]) for name in headers]
        if method != "GET":
            lines += ["Content-Type: application/json", "Content-Length: %d" % size]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _send(self, stream: Stream, data: bytes) -> "Generator[None, None, None]":
        view = memoryview(data)
        while view:
            taken = stream.write(view)
            view = view[taken:]
            if not taken:
                self._check()
                yield

    def _read_head(self, stream: Stream) -> "Generator[None, None, Answer]":
        while True:
            head = yield from self._until(stream, b"\r\n\r\n", HEAD_BYTES_MAX)
            answer = _parsed_head(head)
            if answer.status >= 200:
                return answer  # an answer of 1xx only announces another

    def _read_body(self, stream: Stream, answer: Answer) -> "Generator[None, None, bytes]":
        if answer.status in (204, 304):
            return b""
        if "transfer-encoding" in answer.headers:
            if answer.headers["transfer-encoding"].lower() != "chunked" or "content-length" in answer.headers:
                raise HttpError("an answer of unclear length")
            body = yield from self._read_chunks(stream)
            return body
        size = answer.headers.get("content-length", "")
        if not size.isdigit() or len(size) > 9:
            raise HttpError("an answer of unclear length")
        body = yield from self._exactly(stream, int(size))
        return body

    def _read_chunks(self, stream: Stream) -> "Generator[None, None, bytes]":
        body = b""
        while True:
            line = yield from self._until(stream, b"\r\n", CHUNK_LINE_BYTES_MAX)
            size = _chunk_size(line)
            if len(body) + size > BODY_BYTES_MAX:
                raise HttpError("an answer past %d bytes" % BODY_BYTES_MAX)
            if not size:
                while line:  # trailers, up to an empty line
                    line = yield from self._until(stream, b"\r\n", HEAD_BYTES_MAX)
                return body
            body += yield from self._exactly(stream, size)
            line = yield from self._until(stream, b"\r\n", CHUNK_LINE_BYTES_MAX)
            if line:
                raise HttpError("a chunk that does not end")

    def _until(self, stream: Stream, mark: bytes, limit: int) -> "Generator[None, None, bytes]":
        """What comes before `mark`, which is taken too."""
        while True:
            end = self._got.find(mark)
            if 0 <= end <= limit:
                found = self._got[:end]
                self._got = self._got[end + len(mark) :]
                return found
            if len(self._got) > limit:
                raise HttpError("a head past %d bytes" % limit)
            yield from self._more(stream)

    def _exactly(self, stream: Stream, size: int) -> "Generator[None, None, bytes]":
        if size > BODY_BYTES_MAX:
            raise HttpError("an answer past %d bytes" % BODY_BYTES_MAX)
        while len(self._got) < size:
            yield from self._more(stream)
        found = self._got[:size]
        self._got = self._got[size:]
        return found

    def _more(self, stream: Stream) -> "Generator[None, None, None]":
        """At least one byte more, unless there are some unread. Raises HttpError at the end of the connection."""
        while True:
            data = stream.read()
            if data:
                self._got += data
                return
            if data is not None:
                raise HttpError("%s closed the connection" % self._address)
            self._check()
            yield

    def _within(self, limit_ms: int) -> None:
        self._deadline = self._clock.ms() + limit_ms

    def _check(self) -> None:
        if self._clock.ms() >= self._deadline:
            raise HttpError("%s took too long" % self._address)


def _parsed_head(head: bytes) -> Answer:
    lines = head.split(b"\r\n")
    first = lines[0].split(b" ", 2)
    if len(first) < 2 or first[0] not in (b"HTTP/1.1", b"HTTP/1.0") or len(first[1]) != 3 or not first[1].isdigit():
        raise HttpError("no HTTP")
    headers = {}  # type: dict[str, str]
    if first[0] == b"HTTP/1.0":
        headers["connection"] = "close"
    for line in lines[1:]:
        name, found, value = line.partition(b":")
        try:
            key = name.decode().lower()
            text = value.decode().strip()
        except ValueError:
            raise HttpError("a header that is no text")
        if not found or key in headers and key in ("content-length", "transfer-encoding"):
            raise HttpError("a broken header")
        headers[key] = text
    return Answer(int(first[1]), headers)


def _chunk_size(line: bytes) -> int:
    try:
        digits = line.split(b";")[0].strip().decode()
        if not 0 < len(digits) <= 6 or digits[0] in "+-":
            raise ValueError
        return int(digits, 16)
    except ValueError:
        raise HttpError("a chunk without a size")
