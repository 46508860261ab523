"""What a piece of work tells while it goes on, and whom it tells: a job of the hub, or a terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol, TypeVar

from edge.updates.flashing.trouble import Kind, Trouble

T = TypeVar("T")

PATIENCE_S = 300.0  # for a person to find the buttons; then the work is given up
PAUSE_S = 0.5  # between two tries meanwhile


class Console(Protocol):
    """Whom the work tells."""

    def step(self, sentence: str, weight: int) -> None:
        """A new step begins; `weight` is its part of the whole, in percent."""

    def share(self, done: float) -> None:
        """So much of the step is done, 0 to 1."""

    def note(self, sentence: str) -> None:
        """Something a person should know, though the work goes on."""

    def ask(self, sentence: str) -> None:
        """A person has to do this now; '' when it is done."""


@contextlib.contextmanager
def asking(console: Console, sentence: str) -> Iterator[None]:
    """While somebody is asked to do something."""
    console.ask(sentence)
    try:
        yield
    finally:
        console.ask("")


async def with_help(
    console: Console,
    sentence: str,
    work: Callable[[], Awaitable[T]],
    *,
    may_pass: Callable[[Trouble], bool],
    at_once: bool = False,
) -> T:
    """Do `work`; while it fails in a way that a person at the board can help with, ask him and try again.

    `at_once`: it is known that nothing happens without him. Raises the last Trouble after PATIENCE_S.
    """
    if not at_once:
        try:
            return await work()
        except Trouble as trouble:
            if not may_pass(trouble):
                raise
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + PATIENCE_S
    with asking(console, sentence):
        while True:
            try:
                return await work()
            except Trouble as trouble:
                if not may_pass(trouble) or loop.time() > ends_s:
                    raise
            await asyncio.sleep(PAUSE_S)


def is_silent(trouble: Trouble) -> bool:
    """Whether nobody answered."""
    return trouble.kind is Kind.SILENT
