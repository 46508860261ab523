"""One fetch of a source, within DEADLINE_S and BODY_BYTES, through the guard of edge/outbound.py.

Each redirect is an address that somebody gave, and is looked at like the first. Nothing packed is asked for, and
nothing packed is taken, so no small answer becomes a large one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from yarl import URL

from edge.content.sources.asking import ANSWER_FORMS, Ask, values_of
from edge.content.sources.feeds import NoFeed, feed
from edge.content.sources.paths import NoText
from edge.errors import BadInput
from edge.outbound import NotPublic, Outbound, body_of, checked_url, session_to

DEADLINE_S = 10.0  # resolving, redirects and body together
BODY_BYTES = 1024 * 1024
REDIRECTS_MAX = 3
RETRY_AFTER_MAX_S = 86_400.0  # a service that says next year is asked tomorrow
TAG_CHARS = 200  # of an ETag or a date that is sent back; a longer one is not kept
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Refusal(Exception):
    """A fetch that failed: why, in our words, and how long its server asks to be left alone."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_s = reason, retry_after_s


class Heard(msgspec.Struct, frozen=True):
    """What a source said: its fields' texts, None for nothing new, and by what it knows this answer again."""

    values: dict[str, str] | None
    etag: str = ""
    modified: str = ""


class Fetcher:
    """Fetches sources. `now_s`: seconds since 1970, by which a date in Retry-After is read."""

    def __init__(
        self, outbound: Outbound, *, user_agent: str, now_s: Callable[[], float], deadline_s: float = DEADLINE_S
    ) -> None:
        self._outbound, self._user_agent, self._now_s, self._deadline_s = outbound, user_agent, now_s, deadline_s

    async def fetch(self, ask: Ask, etag: str = "", modified: str = "") -> Heard:
        """Ask once; `etag` and `modified` of the answer one has already. Raises Refusal. Of what the server sent,
        nothing but names of its fields is part of that."""
        headers = {"Accept": ANSWER_FORMS[ask.form], "Accept-Encoding": "identity", "User-Agent": self._user_agent}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": modified} if modified else {}
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._follow(ask, headers)
        except NotPublic:
            raise Refusal("its address is private, and content.fetch_allow does not name its network") from None
        except BadInput as error:
            raise Refusal(error.detail) from None
        except TimeoutError:
            raise Refusal(f"it did not answer in full within {self._deadline_s:g} s") from None
        except (ssl.SSLError, aiohttp.ClientSSLError):
            raise Refusal("its certificate is not good for this address") from None
        except aiohttp.ClientPayloadError:
            raise Refusal("its answer broke off") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise Refusal("it does not answer") from None

    async def _follow(self, ask: Ask, headers: Mapping[str, str]) -> Heard:
        target = checked_url(ask.url)
        for _ in range(REDIRECTS_MAX + 1):
            found = await self._get(ask, target, headers)
            if isinstance(found, Heard):
                return found
            if target.scheme == "https" and found.scheme != "https":
                raise Refusal("it leads on from https to http")
            target = found
        raise Refusal(f"it leads on more than {REDIRECTS_MAX} times")

    async def _get(self, ask: Ask, target: URL, headers: Mapping[str, str]) -> Heard | URL:
        """One request: what was heard, or where it leads on to."""
        address = await self._outbound.vetted(target)
        async with (
            session_to(address) as session,
            session.get(target, headers=headers, allow_redirects=False) as response,
        ):
            if response.status in _REDIRECTS:
                return _onward(target, response)
            if response.status == 304 and ("If-None-Match" in headers or "If-Modified-Since" in headers):
                return Heard(None, headers.get("If-None-Match", ""), headers.get("If-Modified-Since", ""))
            self._require_answer(response)
            body = await body_of(response, BODY_BYTES, "its answer")
            values = await asyncio.to_thread(read, ask, body)
            return Heard(values, _tag(response, "ETag"), _tag(response, "Last-Modified"))

    def _require_answer(self, response: aiohttp.ClientResponse) -> None:
        if response.status != 200:
            wait_s = retry_after_s(response.headers, self._now_s())
            many = " (too many questions)" if response.status == 429 else ""
            raise Refusal(f"it answered {response.status}{many}", wait_s)
        if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise Refusal("its answer is packed, which was not asked for")


def read(ask: Ask, body: bytes) -> dict[str, str]:
    """The text of every field of an answer. Raises Refusal."""
    try:
        return values_of(ask, feed(body) if ask.form == "feed" else _json(body))
    except (NoFeed, NoText) as error:
        raise Refusal(f"its answer is not as expected: {error}") from None


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float:
    """The seconds that Retry-After asks for, at most a day; 0 for none that can be read. A date counts from the
    answer's own, where it has one: this hub's clock may be wrong."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(RETRY_AFTER_MAX_S, float(asked[:9]))
    until, sent = _date(asked), _date(headers.get("Date", ""))
    if until is None:
        return 0.0
    since_s = sent.timestamp() if sent else now_s
    return min(RETRY_AFTER_MAX_S, max(0.0, until.timestamp() - since_s))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text[:60])
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise Refusal("its answer is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("its answer is no JSON") from None


def _onward(target: URL, response: aiohttp.ClientResponse) -> URL:
    try:
        return checked_url(str(target.join(URL(response.headers.get("Location", "")))))
    except ValueError:
        raise Refusal("it leads on to nowhere") from None


def _tag(response: aiohttp.ClientResponse, name: str) -> str:
    text = response.headers.get(name, "")
    return text if len(text) <= TAG_CHARS and text.isascii() and text.isprintable() else ""
