"""The hub as a process of its own: the line it prints, its listeners, its files, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import trustme

READY_S = 60.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def hub_process(folder: Path, *flags: str, **environ: str) -> AsyncIterator[tuple[Process, str]]:
    """`outpost hub` over `folder`; what it printed when it was ready."""
    command = [sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(folder), "--no-scan", "--no-discovery"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, *flags, stdout=PIPE, stderr=log, env={**os.environ, "OUTPOST_LOG__FORMAT": "json", **environ}
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_S):
            line = (await process.stdout.readline()).decode()
        yield process, line
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_plain_and_tls_beside_each_other_and_an_orderly_end(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    port = free_port()
    listens = ("--listen", "127.0.0.1:0", "--listen", f"https://127.0.0.1:{port}")
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    async with hub_process(tmp_path, *listens, *tls) as (process, line):
        word, what, url = line.split()
        assert (word, what, url.startswith("http://127.0.0.1:")) == ("ready", "hub", True)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        async with aiohttp.ClientSession() as session:
            async with session.get(url + "/healthz", allow_redirects=False) as response:
                assert response.status == 200
            async with session.get(f"https://127.0.0.1:{port}/healthz", ssl=trusting) as response:
                assert response.status == 200
            key = (tmp_path / "admin.key").read_text().strip()
            async with session.get(url + "/v1/status", headers={"X-API-Key": key}) as response:
                assert (await response.json())["ready"] is True
            live = await session.ws_connect(url + "/v1/live", headers={"X-API-Key": key})
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            old.minimum_version = ssl.TLSVersion.TLSv1_2
            authority.configure_trust(old)
            async with session.get(f"https://127.0.0.1:{port}/healthz", ssl=old) as response:
                assert response.status == 200
            assert stat.S_IMODE((tmp_path / "admin.key").stat().st_mode) == 0o600
            assert stat.S_IMODE((tmp_path / "hub.sock").stat().st_mode) == 0o660
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            await live.close()
        assert not (tmp_path / "hub.sock").exists()
    assert key not in (tmp_path / "log").read_text()


async def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with hub_process(tmp_path, "--listen", address) as (process, line):
            assert line == ""
            assert await process.wait() == 1
    said = (tmp_path / "log").read_text()
    assert address in said
    assert "outpost doctor" in said
    assert "Traceback" not in said


async def test_two_hubs_over_one_directory_cannot_be(tmp_path: Path) -> None:
    async with hub_process(tmp_path, "--listen", "127.0.0.1:0") as (first, line):
        assert line.startswith("ready hub ")
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(tmp_path), "--listen", "127.0.0.1:0"),
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await second.communicate()
        assert (second.returncode, out) == (1, b"")
        assert f"pid {first.pid}".encode() in err
        assert (tmp_path / "hub.sock").exists()


async def test_a_setting_no_hub_could_start_with_is_named_without_a_traceback(tmp_path: Path) -> None:
    async with hub_process(tmp_path, OUTPOST_CONTENT__FETCH_ALLOW="not-a-network") as (process, line):
        assert (line, await process.wait()) == ("", 2)
    said = (tmp_path / "log").read_text()
    assert said.startswith("outpost: content.fetch_allow: ")
    assert "Traceback" not in said
