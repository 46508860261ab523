"""The e-paper board: shows what the hub wants shown, and tells what it notices around it.

What it shows of itself (a face) is for somebody who needs it: while nothing was ever shown, while a code waits to
be typed at the hub, while somebody sets it up, and for a minute after a long press of its button. A short press
asks the hub at once what there is.

Where the hub desires it, it sleeps between two looks at its hub: outpost.sleep has for how long, here is when.
"""

from outpost import VERSION, config
from outpost.device import Device
from outpost.port import Paper, Port
from outpost.sleep import AWAKE_MS_MAX, NO_HUB_MS, Sleep
from variants.eink.face import Face
from variants.eink.room import LONG, Room
from variants.eink.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent

ZLIB_WBITS = 10  # 1 KB: what inflating may cost
READ_S_MIN, READ_S_MAX = 2, 86400  # a DHT22 wants two seconds between readings
REST_S_MAX = 3600
WHO_MS = 60000  # so long it shows who it is after a long press


class Eink(Device):
    """One board."""

    kind = "eink"

    def __init__(self, port: Port, paper: Paper, agent: "type[Agent] | None" = None) -> None:
        self._paper = paper
        super().__init__(port, agent)
        assert self._showing is not None
        self._clock.learn(port.utc_us_kept())
        rest_ms = config.number(self.settings, "epd_rest_s", 1, REST_S_MAX) * 1000
        self._sheet = Sheet(port, self._clock, self._log, paper, self._showing, rest_ms)
        read_ms = config.number(self.settings, "read_s", READ_S_MIN, READ_S_MAX) * 1000
        self._room = Room(port, self._clock, self._log, read_ms, self.note)
        self._sleep = Sleep(port, self._log)
        self._who_until_ms = 0
        self._code = ""
        self._somebody_waits = False  # for a face
        self._sleeps(self._sleep.on)

    def panel(self) -> "dict[str, object] | None":
        return {
            "width": self._paper.width,
            "height": self._paper.height,
            "format": "1bpp-zlib",
            "zlib_wbits": ZLIB_WBITS,
        }

    def tick(self) -> None:
        now = self._clock.ms()
        pressed = self._room.tick()
        if pressed:
            self._is_pressed(pressed, now)
        hub, code = self._hub()
        if code != self._code:
            self._code, self._somebody_waits = code, bool(code)
        face = self._face(hub, code) if self._needs_face(now, code) else None
        if self._sheet.tick(face, self._somebody_waits):
            self._somebody_waits = False
        if self._sleep.on and self._may_sleep(now, code):
            self._go_to_sleep()

    def apply(self, desired: "dict[str, object]") -> "dict[str, object]":
        said = self._sleep.apply(desired)
        self._sleeps(self._sleep.on)
        return said

    def describe(self) -> "dict[str, object]":
        seconds = self._sleep.seconds if self._sleep.on else 0
        return {"drawn": self._sheet.drawn, "sleeps_s": seconds, "woken_by": self._port.woken_by()}

    def occupied(self) -> str:
        return "the panel is drawn" if self._sheet.busy else ""

    # What it shows of itself

    def _is_pressed(self, how: str, now: int) -> None:
        if how == LONG:
            self._who_until_ms = now + WHO_MS
            self._somebody_waits = True
            return
        if self._showing is not None:
            self._showing.look_again()
        if self._agent is not None:
            self._agent.meet_again()

    def _needs_face(self, now: int, code: str) -> bool:
        if code or now < self._who_until_ms or self._setup is not None and self._setup.somebody_sets_it_up:
            return True
        if self._showing is not None and self._showing.picture:
            return False
        # Who sleeps is not with its hub yet when it wakes, and that is nothing to draw.
        return not self._sleep.on or self._online() or now >= NO_HUB_MS

    def _face(self, hub: str, code: str) -> Face:
        lines = ["%s  eink %s" % (self._identity.chip, VERSION), hub]
        if code:
            lines.append("code " + code)
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

    # Sleep

    def _sleeps(self, on: bool) -> None:
        if self._agent is not None:
            self._agent.sleeps = on

    def _may_sleep(self, now: int, code: str) -> bool:
        """Whether nothing and nobody needs it awake. Without a hub it waits a while, and then sleeps, too."""
        agent, showing = self._agent, self._showing
        if agent is None or showing is None or self._somebody_is_there(now, code):
            return False
        if self._updates is not None and self._updates.under_way and now < AWAKE_MS_MAX * 10:
            return False
        if self._sheet.busy or not self._room.measured:
            return False
        if agent.delivered and not showing.under_way:
            return True
        return now >= (AWAKE_MS_MAX if agent.online else NO_HUB_MS) and not agent.telling

    def _somebody_is_there(self, now: int, code: str) -> bool:
        if code or self._console.busy or self._link.session or self._reboot_ms is not None:
            return True
        if self._setup is not None and (self._setup.status() or self._setup.is_new):
            return True
        return self._room.active or now < self._who_until_ms

    def _go_to_sleep(self) -> None:
        assert self._showing is not None
        ms = self._sleep.ms(self._showing.again_s if self._showing.scheduled else 0)
        self._log.debug("sleeps for %d s" % (ms // 1000))
        self._port.deep_sleep(ms, self.now_us())
