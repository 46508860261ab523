"""Fifty hubs that send readings to a centre as fast as it takes them: `python ingest_hubs.py SECONDS`.

Reads a JSON list of [centre's URL, code] from standard input, one for each hub; enrols each, says hello, sends
batches one after the other, then prints JSON: rows taken, seconds, and the longest answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from tests.fakes.scripted_hub import ScriptedHub

ROWS = 2_000  # of a batch: what a hub that was away for an hour or so has


async def main(seconds: float, hubs: list[tuple[str, str]]) -> None:
    """All of them at once."""
    ready, go = [], asyncio.Event()
    taken, longest = [0], [0.0]

    async def one(url: str, code: str) -> None:
        async with ScriptedHub(url) as hub:
            assert (await hub.enrol(code)).status in (200, 201)
            assert (await hub.hello()).status == 200
            ready.append(hub)
            await go.wait()
            while time.perf_counter() < end[0]:
                began = time.perf_counter()
                answer = await hub.send("readings", hub.readings(ROWS))
                assert answer.status == 200, answer
                longest[0] = max(longest[0], time.perf_counter() - began)
                taken[0] += ROWS

    end = [0.0]
    async with asyncio.TaskGroup() as group:
        for url, code in hubs:
            group.create_task(one(url, code))
        while len(ready) < len(hubs):  # noqa: ASYNC110 - they are tasks, but it is a bench
            await asyncio.sleep(0.05)
        began = time.perf_counter()
        end[0] = began + seconds
        print("go", flush=True)
        go.set()
    print(json.dumps({"rows": taken[0], "seconds": time.perf_counter() - began, "longest_s": longest[0]}))


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), json.load(sys.stdin)))
