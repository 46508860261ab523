"""A small site to look at: one of everything a technician meets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.wire import views
from edge.wire.commands import State
from edge.wire.readings import LatestView, ReadingView, TwinView
from edge.wire.site import DeadLetterView, LaneView, SyncView
from edge.wire.vending import SlotView, TransactionView
from tests.fakes.hub_api import FakeHub

NOW = datetime(2026, 3, 14, 11, 4, 31, tzinfo=UTC)


def at(minutes_ago: float) -> str:
    """A wire time before NOW."""
    return datetime.fromtimestamp(NOW.timestamp() - minutes_ago * 60, UTC).isoformat().replace("+00:00", "Z")


def status(**changes: Any) -> views.StatusView:
    """A hub in order."""
    facts: dict[str, Any] = {
        "name": "Cologne desk", "version": "0.1.0", "instance": "i1", "ready": True, "problems": [],
        "started_at": at(600), "now": at(0), "clock_quality": "ntp", "timezone": "Europe/Berlin", "devices": 5,
        "online": 3, "pending": 1, "queued": 1, "in_doubt": 1, "ledger_seq": 812, "free_bytes": 11_000_000_000,
        "actor": "anna", "role": "technician",
    }  # fmt: skip
    return views.StatusView(**(facts | changes))


def device(id: str, name: str, **changes: Any) -> views.DeviceView:
    """A display in order, seen three seconds ago."""
    facts: dict[str, Any] = {
        "id": id, "name": name, "kind": "display", "profile": "native", "state": "approved", "online": True,
        "link": "serial /dev/ttyUSB0 @115200", "evidence": "heartbeat", "evidence_at": at(0.05),
        "evidence_age_s": 3.0, "panel": "tft-320x480", "aliases": [], "workstations": [], "agent": None,
        "screen": views.Screen(shows="rotation", since=at(45)), "queued": 0, "in_doubt": 0, "shown_today": 4,
        "shown_total": 318, "facts": {"firmware": "1.4.0", "chip": "24:0a:c4:12:34:56"}, "created_at": at(9000),
        "approved_at": at(8999),
    }  # fmt: skip
    return views.DeviceView(**(facts | changes))


def command(id: str, device: str, state: State, **changes: Any) -> views.CommandView:
    """A QR for a display."""
    facts: dict[str, Any] = {
        "id": id, "device": device, "kind": "display_qr", "state": state, "actor": "key:pos", "agent": "anna@desk",
        "created_at": at(2), "expires_in_s": 42.0, "ended_at": None, "attempts": 1, "reason": "", "resolved_by": "",
        "duration_s": None, "seq": 7, "args": {},
    }  # fmt: skip
    return views.CommandView(**(facts | changes))


def port(path: str, state: str, **changes: Any) -> views.PortView:
    """A USB adapter owned by the hub."""
    facts: dict[str, Any] = {
        "path": path, "by_id": "usb-1a86_USB_Serial-if00-port0", "by_path": "platform-usb-0:1.2:1.0-port0",
        "description": "QinHeng CH340", "owner": "hub", "state": state, "profile": "native", "baud": 115200,
        "device": None, "detail": "", "hint": "", "since": at(30),
    }  # fmt: skip
    return views.PortView(**(facts | changes))


def slot(number: int, item: str, **changes: Any) -> SlotView:
    """A slot of the snack machine."""
    facts: dict[str, Any] = {
        "device": "snack-machine", "slot": number, "item": item, "price": 150, "currency": "EUR", "capacity": 10,
        "count": 5, "reserved": 0, "in_doubt": 0, "available": True, "why": "", "restocked_at": at(3000),
    }  # fmt: skip
    return SlotView(**(facts | changes))


def transaction(id: str, number: int, item: str, state: str, **changes: Any) -> TransactionView:
    """A vend of the snack machine."""
    facts: dict[str, Any] = {
        "id": id, "device": "snack-machine", "slot": number, "item": item, "price": 150, "currency": "EUR",
        "state": state, "evidence": "", "reason": "", "actor": "key:pos", "created_at": at(11), "ended_at": None,
        "resolved_by": "", "note": "", "todo": "",
    }  # fmt: skip
    return TransactionView(**(facts | changes))


def stock(made: FakeHub) -> None:
    """What the snack machine holds, dispensed and measures."""
    for view in (
        slot(1, "Water 0.5 l", count=7),
        slot(2, "Cola", count=3, in_doubt=1, available=False, why="a vend is in doubt"),
        slot(3, "Nut bar", price=220, count=0, available=False, why="it is empty"),
        slot(4, "", price=0, capacity=0, count=None),
    ):
        made.slots[f"{view.device} {view.slot}"] = view
    for vend in (
        transaction("cmd-0040", 2, "Cola", "in_doubt", reason="the line broke after the first byte"),
        transaction("cmd-0031", 1, "Water 0.5 l", "succeeded", created_at=at(95), evidence="sensor"),
        transaction("cmd-0030", 3, "Nut bar", "failed", created_at=at(110), ended_at=at(110), evidence="person",
                    resolved_by="anna", note="the bar hung in the coil"),
    ):  # fmt: skip
        made.transactions[vend.id] = vend
    made.logs["snack-machine"] = [
        views.LogLine(at=at(11), level="info", text="vend seq 12 slot 2", direction="out", channel="serial"),
        views.LogLine(at=at(10.9), level="warning", text="link down: unplugged", direction="", channel=""),
    ]
    made.latest["snack-machine"] = [
        LatestView(key="door", value=False, at=at(1), age_s=60.0, quality="ntp"),
        LatestView(key="temperature", value=4.25, at=at(0.1), age_s=6.0, quality="ntp"),
    ]
    made.readings["snack-machine"] = [
        ReadingView(at=at(60 - step), key="temperature", value=4.0 + (step % 12) / 10, quality="ntp")
        for step in range(60)
    ]
    made.twins["snack-machine"] = TwinView(
        device="snack-machine", version=3, desired={"light": True, "door": False}, reported={"door": False},
        pending=["light"], changed_at=at(5), changed_by="anna",
    )  # fmt: skip


def sync(**changes: Any) -> SyncView:
    """Enrolled, and catching up."""
    facts: dict[str, Any] = {
        "state": "catching-up", "url": "https://outpost.example.com", "site": "cologne-desk",
        "name": "Cologne desk", "tenant": "Example retail", "since": at(3), "problem": "", "hint": "",
        "contact_at": at(0.05), "protocol": 1,
        "lanes": [
            LaneView(stream="ledger", head=812, next=813, waiting=0, oldest_waiting_at=None, complete_to=at(0),
                     rows_per_s=0.4, left_s=None),
            LaneView(stream="readings", head=1_204_331, next=761_020, waiting=443_312, oldest_waiting_at=at(1500),
                     complete_to=at(1500), rows_per_s=18_250.0, left_s=24.3),
        ],
        "buffer_bytes": 122_000_000, "buffer_max_bytes": 1_024_000_000, "buffer_days": 9.4, "dead_letters": 1,
        "sent_bytes": 14_200_000,
    }  # fmt: skip
    return SyncView(**(facts | changes))


def letter(**changes: Any) -> DeadLetterView:
    """A row the centre would not take."""
    facts: dict[str, Any] = {
        "id": 1, "stream": "readings", "seq": 760_112, "at": at(1501), "why": "a text with a character 0 in it",
        "body": '["sensor-1", "note", "ok\\u0000"]',
    }  # fmt: skip
    return DeadLetterView(**(facts | changes))


def hub(folder: Path) -> FakeHub:
    """The site, not yet listening."""
    made = FakeHub(folder / "hub.sock", status())
    made.sync, made.letters = sync(), [letter()]
    anna = views.AgentView(
        device="till-1", agent="anna@desk", name="Anna Weber", since=at(120), how="workstation PC-7"
    )
    shows = views.Screen(shows="qr", command="cmd-0042", since=at(0.5))
    for view in (
        device("till-1", "Till 1", agent=anna, workstations=["PC-7"], screen=shows, queued=1),
        device("till-2", "Till 2", link="poll", screen=views.Screen(shows="unknown"), evidence_age_s=14.0),
        device("back-office", "Back office", online=False, link="", evidence_age_s=7500.0, screen=None),
        device("snack-machine", "Snack machine", kind="vending", link="serial /dev/ttyUSB1 @9600", panel="",
               screen=None, in_doubt=1, evidence_age_s=31.0),
        device("display-9f31", "display-9f31", state="pending", link="poll", panel="", screen=None,
               evidence_age_s=1.0),
    ):  # fmt: skip
        made.devices[view.id] = view
    for asked in (
        command("cmd-0044", "till-1", State.QUEUED, created_at=at(0.2), attempts=0),
        command("cmd-0042", "till-1", State.SUCCEEDED, created_at=at(0.6), ended_at=at(0.5), duration_s=0.41),
        command("cmd-0041", "till-1", State.SUPERSEDED, created_at=at(0.7), ended_at=at(0.6),
                reason="a newer QR came"),
        command("cmd-0039", "till-1", State.FAILED, created_at=at(70), ended_at=at(69), duration_s=12.3,
                reason="the display did not answer within 10 s", attempts=2),
        command("cmd-0040", "snack-machine", State.IN_DOUBT, kind="vend", created_at=at(11), agent=None,
                expires_in_s=None, reason="the line broke after the first byte"),
    ):  # fmt: skip
        made.commands[asked.id] = asked
    made.attempts["cmd-0040"] = [
        views.AttemptView(attempt=1, link="serial /dev/ttyUSB1", at=at(11), verdict="in_doubt",
                          reason="unplugged after 1 byte", duration_s=1.2),
    ]  # fmt: skip
    made.claims["omar"] = views.ClaimView(
        agent="omar", name="Omar Haddad", device="till-2", computer_name="PC-9",
        why="PC-9 is bound to no display", asked_at=at(4), count=3,
    )  # fmt: skip
    made.knocks.append(
        views.KnockView(
            peer="10.0.0.31", what="POST /api/display", why="the key is not known here", count=57, last_at=at(0.1)
        )
    )
    for view in (
        port("/dev/ttyUSB0", "online", device="till-1"),
        port("/dev/ttyUSB1", "online", device="snack-machine", profile="vending", baud=9600),
        port("/dev/ttyUSB2", "failed", owner="pid 812 minicom", profile="", baud=0,
             detail="another program holds it",
             hint="Close minicom (process 812), or tell it to use another port."),
    ):  # fmt: skip
        made.ports[view.path] = view
    made.logs["till-1"] = [
        views.LogLine(at=at(3), level="info", text="wifi: not configured, serial only"),
        views.LogLine(at=at(2), level="warning", text="frame 118: checksum differs, asked again"),
        views.LogLine(at=at(0.5), level="info", text="panel: shows cmd-0042"),
    ]
    stock(made)
    made.monitor = [
        {"dir": "tx", "at": at(0.2), "hex": b"\x02AT+SHOW=cmd-0042\r\n\x00".hex()},
        {"dir": "rx", "at": at(0.1), "hex": b"OK\r\n".hex()},
    ]
    return made
