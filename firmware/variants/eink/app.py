"""The e-paper board: for now it shows who it is, and how its hub stands to it. Drawn once for each change.

A panel of this kind flickers for seconds when it is drawn, and lasts longer the less it is. So what is shown has
to be so for a while, and after a picture there is a pause, which only a new code to pair with cuts short.
"""

from outpost import VERSION
from outpost.device import Device
from outpost.port import Paper, Port
from variants.eink.face import Face

try:
    from collections.abc import Iterator  # noqa: F401  (for the types)
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent

SETTLE_MS = 3000  # so long a change has to hold
REST_MS = 30000  # from one picture to the next
RETRY_MS = 300000  # after a panel did not answer
CODE = "code "


class Eink(Device):
    """One board."""

    kind = "eink"

    def __init__(self, port: Port, paper: Paper, agent: "type[Agent] | None" = None) -> None:
        super().__init__(port, agent)
        self._paper = paper
        self._drawing = None  # type: Iterator[None] | None
        self._shown = ()  # type: tuple[str, ...]
        self._wanted = ()  # type: tuple[str, ...]
        self._since_ms = 0
        self._next_ms = 0
        self._drawn = 0

    def tick(self) -> None:
        now = self._clock.ms()
        if self._drawing is not None:
            self._go_on(now)
            return
        face = self._face()
        if face.shown != self._wanted:
            self._wanted, self._since_ms = face.shown, now
        if face.shown == self._shown or now - self._since_ms < SETTLE_MS:
            return
        if now < self._next_ms and not self._is_code_new(face):
            return
        self._shown = face.shown
        self._drawing = self._paper.slices(lambda: face.bands(self._paper.width, self._paper.height))

    def describe(self) -> "dict[str, object]":
        return {"drawn": self._drawn}

    def _go_on(self, now: int) -> None:
        assert self._drawing is not None
        try:
            next(self._drawing)
        except StopIteration:
            self._drawing = None
            self._drawn += 1
            self._next_ms = now + REST_MS
        except OSError as error:
            self._drawing = None
            self._shown = ()
            self._next_ms = now + RETRY_MS
            self._log.error("the panel does not answer: %s" % error)

    def _is_code_new(self, face: Face) -> bool:
        """Whether somebody waits for it; not, when the panel did not answer."""
        codes = [line for line in face.shown if line.startswith(CODE)]
        return bool(self._shown) and bool(codes) and codes[0] not in self._shown

    def _face(self) -> Face:
        hub, code = self._hub()
        lines = ["%s  eink %s" % (self._identity.chip, VERSION), hub]
        if code:
            lines.append(CODE + code)
        if self._setup is not None and self._setup.status():
            lines.append("to set it up join the WiFi")
            lines.append(self._setup.status())
        elif self._port.address():
            lines.append(self._port.address())
        return Face(self._name or "Outpost", lines)

    def _hub(self) -> "tuple[str, str]":
        """How the hub stands to it, and the code to pair with."""
        if self._agent is not None:
            network = self._agent.state()
            if self._agent.online:
                waits = network["network"] == "waiting for approval"
                return "waiting for approval" if waits else "hub connected", str(network["code"])
            if network["code"]:
                return "waiting for approval", str(network["code"])
        if self._link.session:
            approved = self._readings.session == self._link.session
            return "hub connected" if approved else "waiting for approval", ""
        return "hub away", ""
