"""What stands for devices, in memory: read with every poll, changed only after the commit that makes it true."""

from __future__ import annotations

from edge.updates.offers.model import Rollout, Target
from edge.updates.offers.store import Hold, Known
from edge.updates.rollouts.model import OPEN


class Book:
    """Rollouts that are not over, open targets by device, what devices run, and what they are held off from."""

    def __init__(self) -> None:
        self.rollouts: dict[str, Rollout] = {}
        self.targets: dict[str, Target] = {}
        self.known: dict[str, Known] = {}
        self.holds: dict[tuple[str, str], float] = {}

    def load(self, rollouts: list[Rollout], targets: list[Target], known: list[Known], holds: list[Hold]) -> None:
        """What the database holds."""
        self.rollouts = {one.id: one for one in rollouts}
        self.targets = {one.device: one for one in targets}
        self.known = {one.device: one for one in known}
        self.holds = {(one.device, one.artifact): one.until_s for one in holds}

    def hold(self, holds: dict[tuple[str, str], float]) -> None:
        """Devices are held off from these alone: device and artifact, and until when."""
        self.holds = holds

    def put_rollout(self, now: Rollout) -> None:
        """A rollout is new, or stands elsewhere; one that is over stays while a device has not ended."""
        if now.state in OPEN or any(one.rollout == now.id for one in self.targets.values()):
            self.rollouts[now.id] = now
        else:
            self.rollouts.pop(now.id, None)

    def put_target(self, now: Target) -> None:
        """A device is further."""
        if now.open:
            self.targets[now.device] = now
            return
        before = self.targets.get(now.device)
        if before is not None and before.rollout == now.rollout:
            del self.targets[now.device]
            rollout = self.rollouts.get(now.rollout)
            if rollout is not None and rollout.state not in OPEN:
                self.put_rollout(rollout)

    def of_rollout(self, rollout_id: str) -> list[Target]:
        """Its devices that have not ended."""
        return [one for one in self.targets.values() if one.rollout == rollout_id]
