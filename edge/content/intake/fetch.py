"""A picture from an address somebody sent: fetched through the guard of edge/outbound.py, bounded in size, time."""

from __future__ import annotations

import asyncio

import aiohttp
import tenacity
from yarl import URL

from edge.content.intake.forms import MAX_PICTURE_BYTES
from edge.errors import BadPicture, Unreachable
from edge.outbound import (
    Address,
    Network,
    NoAddress,
    NotPublic,
    Outbound,
    Resolve,
    body_of,
    checked_url,
    session_to,
    system_resolve,
)

DEADLINE_S = 10.0  # over all: resolving, both attempts, the body
ATTEMPTS = 2


class Fetcher:
    """Fetches pictures. `allowed` are networks it may enter although they are not public."""

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        *,
        resolve: Resolve = system_resolve,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._outbound = Outbound(allowed, resolve=resolve)
        self._deadline_s = deadline_s

    async def fetch(self, url: str) -> bytes:
        """The body at `url`, at most MAX_PICTURE_BYTES. Redirects are not followed, no proxy is used.

        Raises BadPicture (not an address for a picture, not allowed, refused by its server), TooLarge, Unreachable
        (nobody answered within the deadline). What the server sent is never part of an error.
        """
        try:
            target = checked_url(url)
            async with asyncio.timeout(self._deadline_s):
                address = await self._outbound.vetted(target)
                return await self._with_retry(target, address)
        except NoAddress as error:
            raise BadPicture(error.detail) from None
        except NotPublic:
            raise BadPicture(
                "the picture's address is not a public one",
                hint="Send the picture itself, or allow its network in content.fetch_allow.",
            ) from None
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise Unreachable(
                "the picture's address does not answer", hint="Check the address, or send the picture itself."
            ) from None

    async def _with_retry(self, target: URL, address: Address) -> bytes:
        attempts = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random(0.1, 0.3),
            retry=tenacity.retry_if_exception(_is_transient),
            reraise=True,
        )
        return await attempts(_get, target, address)


async def _get(target: URL, address: Address) -> bytes:
    """One attempt over one new connection to `address`."""
    async with (
        session_to(address) as session,
        session.get(target, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status != 200:
            raise BadPicture(f"the picture's server answered {response.status}", hint="Send the picture itself.")
        return await body_of(response, MAX_PICTURE_BYTES, "the picture")


def _is_transient(error: BaseException) -> bool:
    """Whether trying again can help: nobody took the connection, or the body broke off; not a bad certificate.

    A connection that breaks before the answer is not in here: aiohttp repeats such a GET once by itself.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return False
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientPayloadError)
