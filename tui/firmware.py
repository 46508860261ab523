"""The firmware the hub holds and rolls out, as last told."""

from __future__ import annotations

from edge.wire.updates import ArtifactView, RolloutDevice, RolloutState, RolloutView

MOST_ROLLOUTS = 100  # the newest; the hub keeps more
NEEDS_A_PERSON = (RolloutState.PAUSED,)
UNDER_WAY = (RolloutState.PAUSED, RolloutState.RUNNING, RolloutState.SCHEDULED)


class Firmware:
    """Artifacts and rollouts by id. `absent`: the hub is of an older version and updates nothing."""

    def __init__(self) -> None:
        self.absent = False
        self._artifacts: dict[str, ArtifactView] = {}
        self._rollouts: dict[str, RolloutView] = {}
        self._devices: dict[str, dict[str, RolloutDevice]] = {}  # of the rollouts one looks at

    def artifacts(self) -> list[ArtifactView]:
        """What is held, the newest version of each target first."""
        newest = sorted(self._artifacts.values(), key=lambda it: (it.version, it.id), reverse=True)
        return sorted(newest, key=lambda it: it.target.casefold())

    def artifact(self, id: str) -> ArtifactView | None:
        """One of them."""
        return self._artifacts.get(id)

    def rollouts(self) -> list[RolloutView]:
        """Those a person must see to first, then those under way, then the newest."""
        newest = sorted(self._rollouts.values(), key=lambda it: (it.created_at, it.id), reverse=True)
        return sorted(newest, key=lambda it: (it.state not in NEEDS_A_PERSON, it.state not in UNDER_WAY))

    def rollout(self, id: str) -> RolloutView | None:
        """One of them."""
        return self._rollouts.get(id)

    def put_artifacts(self, views: list[ArtifactView]) -> None:
        """The whole list."""
        self.absent = False
        self._artifacts = {view.id: view for view in views}

    def put_artifact(self, view: ArtifactView) -> None:
        """One as it is now."""
        self._artifacts[view.id] = view

    def drop_artifact(self, id: str) -> None:
        """It was removed."""
        self._artifacts.pop(id, None)

    def put_rollouts(self, views: list[RolloutView]) -> None:
        """The newest; one they lack is known no more."""
        self._rollouts = {view.id: view for view in views}

    def put_rollout(self, view: RolloutView) -> None:
        """One as it is now."""
        self._rollouts[view.id] = view
        for old in self.rollouts()[MOST_ROLLOUTS:]:
            del self._rollouts[old.id]

    def none_here(self) -> None:
        """The hub knows nothing of updates."""
        self.absent, self._artifacts, self._rollouts = True, {}, {}

    # Devices of a rollout that one looks at

    def devices(self, rollout: str) -> list[RolloutDevice]:
        """In the order of their waves."""
        return sorted(
            self._devices.get(rollout, {}).values(), key=lambda it: (it.wave, it.name.casefold(), it.device)
        )

    def device(self, rollout: str, device: str) -> RolloutDevice | None:
        """One of them."""
        return self._devices.get(rollout, {}).get(device)

    def put_devices(self, rollout: str, views: list[RolloutDevice]) -> None:
        """All of a rollout's; from now on they are kept up to date."""
        self._devices[rollout] = {view.device: view for view in views}

    def put_device(self, rollout: str, view: RolloutDevice) -> None:
        """One as it is now, if anybody looks at its rollout."""
        if rollout in self._devices:
            self._devices[rollout][view.device] = view

    def close(self, rollout: str) -> None:
        """Nobody looks at it any more."""
        self._devices.pop(rollout, None)
