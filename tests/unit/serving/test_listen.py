"""Addresses to listen on: read as written, or refused as no address; never anything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.serving.server import Listen, parse_listen

hosts = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5})?", fullmatch=True),
)


@given(hosts, st.integers(0, 65535), st.booleans())
def test_what_is_written_is_read(host: str, port: int, tls: bool) -> None:
    listen = Listen(host, port, tls)
    assert parse_listen(listen.url) == listen
    if not tls:
        assert parse_listen(listen.url.removeprefix("http://")) == listen


@given(st.text())
@example("[::1")
@example("[::1]:99999")
@example("http://user@host:1")
@example("host:1?query")
@example("host:1/path")
@example("host:٣")
@example("host:+1")
@example("ftp://host:1")
@example("https:host:1")
@example(":5000")
@example("host:")
@example("5000")
def test_anything_else_is_no_address(text: str) -> None:
    with contextlib.suppress(ConfigError):
        listen = parse_listen(text)
        assert 0 <= listen.port <= 65535
        assert listen.host
        assert parse_listen(listen.url) == listen


def test_a_broken_one_is_named() -> None:
    with pytest.raises(ConfigError, match="nonsense"):
        parse_listen("nonsense")
