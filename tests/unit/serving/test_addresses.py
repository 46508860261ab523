"""Whose a request is: its connection's, and behind a proxy that is named whom that proxy heard; nothing made up."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from edge.errors import ConfigError
from edge.serving.addresses import TRUSTED, address_of, client_of, proxies

NAMED = proxies(["10.0.0.1", "10.1.0.0/16", "2001:db8:1::/48"], "centre.trusted_proxies")
PROXY, CLIENT = "10.0.0.1", "198.51.100.7"


def request(peer: str, *said: str, trusted: object = NAMED) -> web.Request:
    """One that came from `peer`, with these X-Forwarded-For."""
    app = web.Application()
    app[TRUSTED] = trusted
    made = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", each) for each in said], app=app)
    return made.clone(remote=peer)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        (PROXY, [CLIENT], CLIENT),
        (PROXY, ["203.0.113.1, 10.1.2.3, " + CLIENT], CLIENT),  # what stands before it the client made up
        (PROXY, ["203.0.113.1", CLIENT], CLIENT),
        (PROXY, [f"203.0.113.1, {CLIENT}, 10.1.2.3"], CLIENT),  # two proxies in a row
        (PROXY, [f"{CLIENT}:50123"], CLIENT),
        (f"::ffff:{PROXY}", [f"::ffff:{CLIENT}"], f"::ffff:{CLIENT}"),
        ("2001:db8:1::7", ["[2001:db8:2::9]:443"], "2001:db8:2::9"),
        (PROXY, [], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["unknown"], PROXY),
        (PROXY, [f"{CLIENT}, unknown"], PROXY),
        (PROXY, ["10.1.2.3"], "10.1.2.3"),  # all are proxies: the first of them asks for itself
        (CLIENT, ["203.0.113.1"], CLIENT),  # not from a proxy: nothing is believed
        ("10.0.0.2", ["203.0.113.1"], "10.0.0.2"),
        ("", ["203.0.113.1"], ""),
    ],
)
async def test_whose_a_request_is(peer: str, said: list[str], client: str) -> None:
    assert client_of(request(peer, *said)) == client
    assert client_of(request(peer, *said, trusted=())) == peer


async def test_what_counts_as_one_caller() -> None:
    assert address_of(request(PROXY, "2001:db8:2::9")) == "2001:db8:2::/64"
    assert address_of(request(f"::ffff:{PROXY}", f"::ffff:{CLIENT}")) == CLIENT
    assert address_of(request("", CLIENT)) == "local"


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/24", "", "10.0.0.0/99"])
def test_a_proxy_that_is_no_address_is_told(wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        proxies(["10.0.0.1", wrong], "centre.trusted_proxies")
    assert refused.value.detail.startswith("centre.trusted_proxies: ")
