"""One job: what has been told of it so far. The Console of its work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edge.clock import Clock, iso
from edge.errors import OutpostError
from edge.wire.flashing import BoardView, FlashState, FlashView, NewFlash

NOTES_MAX = 60


class Job:
    """`tell` is called with each change that somebody would want to see. Percentages never fall."""

    def __init__(self, id: str, wanted: NewFlash, actor: str, clock: Clock, tell: Callable[[], None]) -> None:
        self.id, self.wanted, self.actor = id, wanted, actor
        self.state = FlashState.RUNNING
        self.board = BoardView()
        self._clock, self._tell = clock, tell
        self._step, self._ask = "Waiting for the port", ""
        self._begin, self._weight, self._percent = 0.0, 0, 0
        self._notes: deque[str] = deque(maxlen=NOTES_MAX)
        self._reason = self._hint = ""
        self._started, self._ended = iso(clock.now().at_us), ""

    def step(self, sentence: str, weight: int) -> None:
        """See Console."""
        self._begin = min(99.0, self._begin + self._weight)
        self._step, self._weight = sentence, weight
        self._reach(self._begin)
        self._tell()

    def share(self, done: float) -> None:
        """See Console."""
        if self._reach(self._begin + self._weight * done):
            self._tell()

    def note(self, sentence: str) -> None:
        """See Console."""
        self._notes.append(sentence)
        self._tell()

    def ask(self, sentence: str) -> None:
        """See Console."""
        if sentence != self._ask:
            self._ask = sentence
            self._tell()

    def end(self, state: FlashState, error: OutpostError | None = None) -> None:
        """It is over."""
        self.state, self._ask = state, ""
        self._ended = iso(self._clock.now().at_us)
        if state is FlashState.DONE:
            self._percent, self._step = 100, "Done"
        if error is not None:
            self._reason, self._hint = error.detail, error.advice
        self._tell()

    @property
    def reason(self) -> str:
        """Why it failed."""
        return self._reason

    def view(self) -> FlashView:
        """As it is now."""
        return FlashView(
            id=self.id,
            path=self.wanted.path,
            what=self.wanted.what,
            state=self.state,
            percent=self._percent,
            step=self._step,
            ask=self._ask,
            log=list(self._notes),
            board=self.board,
            reason=self._reason,
            hint=self._hint,
            started_at=self._started,
            started_by=self.actor,
            ended_at=self._ended or None,
        )

    def _reach(self, percent: float) -> bool:
        """Whether the whole number is another now."""
        before, self._percent = self._percent, max(self._percent, min(99, int(percent)))
        return self._percent != before
