"""Giving boards their WiFi and their hub: what was asked becomes a job of one of the four ways."""

from __future__ import annotations

import re

from edge.errors import BadInput, Conflict, NotFound
from edge.links.ble.radio import Radio
from edge.links.supervisor import Supervisor
from edge.provision.air import Air
from edge.provision.cable import Cable, Wanted
from edge.provision.jobs import Job, Jobs, Work
from edge.provision.nearby import Nearby
from edge.provision.wifi import Wifi, check
from edge.wire.provision import NearbyBoard, ProvisionView, StartProvision

ADDRESS = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", re.ASCII)
URL_CHARS = 200
NAME_CHARS = 64


class Provisioning:
    """Starts jobs; `jobs` has them."""

    def __init__(self, jobs: Jobs, cable: Cable, air: Air, ports: Supervisor, radio: Radio, nearby: Nearby) -> None:
        self.jobs = jobs
        self._cable, self._air, self._ports, self._radio, self._nearby = cable, air, ports, radio, nearby

    def boards(self) -> list[NearbyBoard]:
        """Boards that offer themselves over BLE. Raises Conflict where Bluetooth does not work."""
        view = self._radio.view()
        if view.state in ("off", "failed"):
            raise Conflict(f"Bluetooth does not work here: {view.detail}.", hint=view.hint)
        return self._nearby.views()

    def start(self, asked: StartProvision, *, actor: str) -> ProvisionView:
        """Begin. Raises BadInput for what cannot be, NotFound for a port there is not, Busy."""
        wifi = check(asked.ssid, asked.password) if asked.ssid else None
        if wifi is None and asked.password:
            raise BadInput("A password needs the name of its WiFi.")
        _check_words(asked)
        return self.jobs.start(asked, self._work(asked, wifi, actor), actor=actor)

    def _work(self, asked: StartProvision, wifi: Wifi | None, actor: str) -> Work:
        if asked.way == "portal":
            return self._air.portal
        if asked.way == "ble":
            address = asked.where.upper()
            if not ADDRESS.fullmatch(address):
                raise BadInput("A board is named by its Bluetooth address, such as 24:0A:C4:12:34:56.")
            return lambda job: self._air.ble(job, address, wifi, identify=asked.identify)
        if all(view.path != asked.where for view in self._ports.views()):
            raise NotFound(f"There is no serial port {asked.where!r}.", hint="GET /v1/ports lists them.")
        wanted = Wanted(asked.where, wifi, asked.hub_url, asked.name, actor)
        way = self._cable.improv if asked.way == "cable" else self._cable.dialogue

        async def work(job: Job) -> None:
            await way(job, wanted)

        return work


def _check_words(asked: StartProvision) -> None:
    """Raises BadInput for a name or an address that a board could not be told."""
    if len(asked.name) > NAME_CHARS or not asked.name.isprintable():
        raise BadInput(f"A name has at most {NAME_CHARS} printable characters.")
    url = asked.hub_url
    fits = (
        url.startswith(("http://", "https://")) and url.isprintable() and " " not in url and len(url) <= URL_CHARS
    )
    if url and not fits:
        raise BadInput("The hub's address begins with http:// or https:// and has no spaces.")
