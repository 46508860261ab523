"""The decoder process: confined, warm, replaced when it fails. Real processes, real signals."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from edge.content.intake.decoder import Job
from edge.content.intake.decoder_process import MAX_WAITING, DecoderProcess
from edge.errors import BadPicture, Busy, Unreachable


@pytest.fixture
async def decoder():
    process = DecoderProcess(jobs_per_process=3)
    await process.start()
    yield process
    await process.close()


def limits(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:25].strip(): line[25:].split()[0] for line in lines}


async def gone(pid: int) -> None:
    async with asyncio.timeout(60):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - a process's end is no event of ours
            await asyncio.sleep(0.01)


async def test_it_can_open_nothing(decoder, qr_png):
    await decoder.run(Job(qr_png))
    found = limits(decoder.pid)
    assert found["Max open files"] == "3"
    assert found["Max file size"] == "0"
    assert int(found["Max address space"]) <= 512 * 2**20
    assert int(found["Max cpu time"]) < 20
    assert {fd.name for fd in Path(f"/proc/{decoder.pid}/fd").iterdir()} == {"0", "1", "2"}
    assert b"TOKEN" not in Path(f"/proc/{decoder.pid}/environ").read_bytes()


async def test_a_killed_decoder_costs_one_picture(decoder, qr_png, emv):
    os.kill(decoder.pid, signal.SIGKILL)
    with pytest.raises(BadPicture, match="broke its decoder"):
        await decoder.run(Job(qr_png))
    assert (await decoder.run(Job(qr_png))).text == emv


async def test_a_stuck_decoder_is_killed_at_its_deadline(qr_png, emv):
    decoder = DecoderProcess(job_deadline_s=0.3)
    await decoder.start()
    stuck = decoder.pid
    os.kill(stuck, signal.SIGSTOP)
    with pytest.raises(BadPicture, match="too long"):
        await decoder.run(Job(qr_png))
    await gone(stuck)
    assert (await decoder.run(Job(qr_png))).text == emv
    await decoder.close()


async def test_a_caller_who_leaves_takes_no_others_answer(decoder, qr_png, emv, saved):
    os.kill(decoder.pid, signal.SIGSTOP)
    leaving = asyncio.create_task(decoder.run(Job(b"nothing")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await decoder.run(Job(qr_png))).text == emv


async def test_callers_who_leave_the_line_free_their_place(qr_png, emv):
    decoder = DecoderProcess()
    await decoder.start()
    os.kill(decoder.pid, signal.SIGSTOP)
    line = [asyncio.create_task(decoder.run(Job(qr_png))) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    for waiting in line[1:]:
        waiting.cancel()
    await asyncio.gather(*line[1:], return_exceptions=True)
    os.kill(decoder.pid, signal.SIGCONT)
    assert (await decoder.run(Job(qr_png))).text == emv
    assert (await line[0]).text == emv
    await decoder.close()


async def test_one_that_does_not_start_says_so_and_the_next_try_may(qr_png, emv, monkeypatch):
    decoder = DecoderProcess()
    with monkeypatch.context() as broken:
        broken.setattr("edge.content.intake.decoder_process.sys.executable", "/bin/false")
        with pytest.raises(Unreachable, match="does not start"):
            await decoder.run(Job(qr_png))
    assert (await decoder.run(Job(qr_png))).text == emv
    await decoder.close()


async def test_it_is_renewed_after_its_share_of_jobs(decoder, qr_png, emv):
    first = decoder.pid
    for _ in range(4):
        assert (await decoder.run(Job(qr_png))).text == emv
    assert decoder.pid != first
    await gone(first)


async def test_the_line_is_bounded(qr_png):
    decoder = DecoderProcess()
    await decoder.start()
    os.kill(decoder.pid, signal.SIGSTOP)
    line = [asyncio.create_task(decoder.run(Job(qr_png))) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await decoder.run(Job(qr_png))
    os.kill(decoder.pid, signal.SIGCONT)
    assert len(await asyncio.gather(*line)) == MAX_WAITING
    await decoder.close()


async def test_close_leaves_no_process(qr_png):
    decoder = DecoderProcess(jobs_per_process=1)
    await decoder.start()
    first = decoder.pid
    await decoder.run(Job(qr_png))  # a successor is on its way
    await decoder.close()
    await decoder.close()
    await gone(first)
    assert decoder.pid is None
    with pytest.raises(Busy, match="closing"):
        await decoder.run(Job(qr_png))
