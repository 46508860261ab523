"""The displays as the old API names them, and whether one can take a picture now."""

from __future__ import annotations

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.compat.nic.door import SCOPE
from edge.devices.agents.model import agent_key
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import Conflict
from edge.wire.older import SHARED_AGENT, is_shared, number_or_text
from edge.wire.orders import Outcome, Verdict

# An upload takes 26 s over a 9600 baud line, without a poll meanwhile; past this no answer is coming.
DELIVERY_S = 60.0
CLIENT_PROFILE = "nic-client"


class NicDisplays:
    """What both halves of the facade need to know of a display. `handed_s`: when each open delivery began."""

    def __init__(self, registry: Registry, presences: Presences, commands: Commands, clock: Clock) -> None:
        self._registry, self._presences, self._commands, self._clock = registry, presences, commands, clock
        self.handed_s: dict[str, float] = {}

    def known(self, device_id: str) -> Device:
        """A device by the hub's own id."""
        return self._registry.known(device_id)

    def all(self) -> list[Device]:
        """Every display of the site, pending ones too."""
        return [device for device in self._registry.all() if device.kind == "display"]

    def reachable(self, device: Device) -> bool:
        """Whether it can show something now: it gives signs of life, or is busy with a delivery."""
        return device.approved and (self._presences.online(device) or self.delivering(device.id))

    def delivering(self, device_id: str) -> bool:
        """Whether the display's client was handed a command and may still be at work on it."""
        command = self._commands.under_way(device_id)
        if command is None or command.id not in self.handed_s:
            return False
        return self._clock.mono_s() - self.handed_s[command.id] < DELIVERY_S

    async def settle_lost(self) -> None:
        """Give up deliveries that nobody answered: whether the picture came up, nobody can know."""
        for command_id, since_s in list(self.handed_s.items()):
            if self._clock.mono_s() - since_s >= DELIVERY_S:
                await self.settle_unanswered(command_id)

    async def settle_unanswered(self, command_id: str) -> None:
        """End one delivery without an answer; it goes out again if that is still allowed."""
        self.handed_s.pop(command_id, None)
        command = self._commands.find_open(command_id)
        if command is None:
            return
        try:
            outcome = Outcome(verdict=Verdict.UNKNOWN, reason="The display's client never said what became of it.")
            await self._commands.settle(command, outcome)
        except Conflict:
            return  # its answer came in the same moment


def old_id(device: Device) -> str:
    """The id an old client knows the display by; a display on the hub's own port has the hub's."""
    return next((alias for system, alias in device.aliases if system == SCOPE), device.id)


def named_agent(raw: object, peer: str) -> str:
    """The agent of a request, as an agent_key.

    All unidentified users of the old page share one id, so it is told apart by their computer's address: two of
    them never get each other's picture. An id sent in that very form is the shared id too, so nobody can borrow
    another's. Raises BadInput.
    """
    agent = agent_key(raw)
    return f"{SHARED_AGENT}@{peer}" if agent == SHARED_AGENT or is_shared(agent) else agent


def shown_agent(agent: str) -> int | float | str:
    """An agent's id as the old clients sent it."""
    return number_or_text(SHARED_AGENT if is_shared(agent) else agent)
