"""The hub at one look: for the status route, readiness, metrics, and the watchdog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from edge import __version__
from edge.clock import Clock, iso
from edge.commands.commands import Commands
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.serving.metrics import Sample
from edge.store.database import Store
from edge.wire.commands import State
from edge.wire.views import StatusView

WRITER_BACKLOG = 2000  # items waiting for the disk, past which the hub does not call itself ready


class Status:
    """Counts and problems as they are now."""

    def __init__(
        self,
        name: str,
        zone: ZoneInfo,
        store: Store,
        registry: Registry,
        presences: Presences,
        commands: Commands,
        clock: Clock,
    ) -> None:
        self._name, self._zone, self._store = name, zone, store
        self._registry, self._presences, self._commands, self._clock = registry, presences, commands, clock
        self._notes: Sequence[Callable[[], list[str]]] = ()
        self._started = clock.now()

    def notes_of(self, notes: Sequence[Callable[[], list[str]]]) -> None:
        """Who knows of more that a person should look at; the hub is ready all the same."""
        self._notes = notes

    def view(self, actor: str, role: str) -> StatusView:
        """For a caller."""
        now = self._clock.now()
        devices = self._registry.all()
        open_commands = self._commands.open()
        problems = self.problems()
        return StatusView(
            name=self._name,
            version=__version__,
            instance=self._store.hub.instance,
            ready=not problems,
            problems=[*problems, *(text for notes in self._notes for text in notes())],
            started_at=iso(self._store.boots.of(self._started)),
            now=iso(now.at_us),
            clock_quality=now.quality.value,
            timezone=self._zone.key,
            devices=len(devices),
            online=sum(self._presences.online(device) for device in devices),
            pending=sum(not device.approved for device in devices),
            queued=sum(command.state is not State.IN_DOUBT for command in open_commands),
            in_doubt=sum(command.state is State.IN_DOUBT for command in open_commands),
            ledger_seq=self._store.hub.writer.facts,
            free_bytes=self._store.space.free_bytes(),
            actor=actor,
            role=role,
        )

    def problems(self) -> list[str]:
        """Why the hub is not ready, in sentences; empty when it is."""
        found = []
        if self._store.space.low():
            found.append("The disk is full: nothing new is taken until space is freed.")
        if self._store.hub.writer.waiting > WRITER_BACKLOG:
            found.append("The disk is slow: writes are waiting.")
        return found

    def samples(self) -> list[Sample]:
        """For /metrics."""
        view, writer = self.view("", ""), self._store.hub.writer
        uptime_s = (self._clock.now().mono_ms - self._started.mono_ms) / 1000
        return [
            Sample("build_info", "gauge", "Version of the hub.", {f'{{version="{view.version}"}}': 1}),
            Sample("ready", "gauge", "Whether the hub is ready.", {"": float(view.ready)}),
            Sample("uptime_seconds", "gauge", "Since the hub started.", {"": uptime_s}),
            Sample("devices", "gauge", "Known devices.", {"": view.devices}),
            Sample("devices_online", "gauge", "Devices with young evidence of life.", {"": view.online}),
            Sample("devices_pending", "gauge", "Devices that wait for approval.", {"": view.pending}),
            Sample("commands_open", "gauge", "Commands queued or sent.", {"": view.queued}),
            Sample("commands_in_doubt", "gauge", "Commands a person must resolve.", {"": view.in_doubt}),
            Sample("ledger_facts_total", "counter", "Facts in the ledger.", {"": view.ledger_seq}),
            Sample("store_commits_total", "counter", "Commits to hub.db.", {"": writer.commits}),
            Sample("store_items_total", "counter", "Pieces of work in those commits.", {"": writer.items}),
            Sample("store_waiting", "gauge", "Pieces of work waiting for the disk.", {"": writer.waiting}),
            Sample("disk_free_bytes", "gauge", "Free space of the data directory.", {"": view.free_bytes}),
        ]
