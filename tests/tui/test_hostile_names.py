"""Names anyone on the LAN can choose, through every view: shown as they are, steering nothing."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.wire import views
from edge.wire.provision import ProvisionView
from edge.wire.updates import Target
from tests.fakes.hub_api import FakeHub, running
from tests.tui import site_assets, site_data, site_updates
from tests.tui.stage import LARGE, settled, shows, terminal, text_of
from tui.literal import literal, typeable

CORPUS = (
    "../../x",
    "'; DROP TABLE devices; --",
    "<img src=x onerror=alert(1)>",
    "[bold",
    "[/]",
    "[red on blue]boo[/red on blue]",
    "[@click=app.quit]press me[/]",
    "$text {} %s",
    "a\u202eb\u2066c",
    "nul\x00bell\x07esc\x1b[31mred\x1b]52;c;AAAA\x07",
    "two\nlines\r\ttabbed",
    "Z\u0335\u0321\u0322\u0327a\u0300\u0301\u0302\u0303\u0304l",
    "zero\u200bwidth\u200djoin\ufeff",
    "kasse \U0001f4b6 \u5e97",
    "\ud800lone",
    "x" * 10_000,
)
TOGETHER = [" ".join(CORPUS[start : start + 8]) for start in range(0, len(CORPUS), 8)]  # a walk takes seconds


def poisoned(struct: msgspec.Struct, text: str) -> Any:
    """Every free text of a view replaced by `text`; ids and enums stay."""
    kept = {
        "id",
        "state",
        "path",
        "what",
        "way",
        "where",
        "address",
        "started_at",
        "seen_at",
        "changed_at",
        "command",
        "at",
        "since",
        "created_at",
        "asked_at",
        "last_at",
        "ended_at",
        "png",
    }
    changes = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        refers = name == "device" and isinstance(struct, views.CommandView | ProvisionView)
        if type(value) is str and name not in kept and not refers:
            changes[name] = text
        elif isinstance(value, msgspec.Struct):
            changes[name] = poisoned(value, text)
        elif name in {"facts", "args"}:
            changes[name] = {text: text}
        elif name in {"aliases", "workstations", "problems", "signed_by", "checks", "log", "urls"}:
            changes[name] = [text]
    return msgspec.structs.replace(struct, **changes)


def hostile_hub(folder: Path, text: str) -> FakeHub:
    """The small site with every free text replaced."""
    text = text.encode("utf-8", "replace").decode()  # JSON carries no lone surrogate
    hub = site_data.hub(folder)
    hub.status = msgspec.structs.replace(poisoned(hub.status, text), timezone="UTC", ready=False)
    for table in (hub.devices, hub.commands, hub.ports, hub.claims):
        for key, view in table.items():
            table[key] = poisoned(view, text)
    hub.knocks = [poisoned(view, text) for view in hub.knocks]
    hub.logs = {key: [poisoned(line, text) for line in lines] for key, lines in hub.logs.items()}
    hub.devices["snack-machine"] = msgspec.structs.replace(hub.devices["snack-machine"], panel="")
    hub.slots = {key: msgspec.structs.replace(it, item=text, why=text) for key, it in hub.slots.items()}
    vends = hub.transactions.items()
    hub.transactions = {key: msgspec.structs.replace(it, item=text, note=text, reason=text) for key, it in vends}
    hub.latest = {
        key: [msgspec.structs.replace(it, key=text, value=text) for it in all_] for key, all_ in hub.latest.items()
    }
    hub.twins = {
        key: msgspec.structs.replace(it, desired={text: text}, pending=[text]) for key, it in hub.twins.items()
    }
    machines = hub.assets
    site_assets.fill(machines)
    for id, asset in machines.views.items():
        named = {"name": text, "line": text, "device": text, "input": text, "reason": text}
        machines.views[id] = msgspec.structs.replace(asset, **named)
    said = {"reason": "jam", "reason_name": text, "note": text, "said_by": text}
    for id, stops in machines.stops.items():
        machines.stops[id] = [msgspec.structs.replace(it, **said) for it in stops]
        machines.pareto[id] = [msgspec.structs.replace(it, reason=text, name=text) for it in machines.pareto[id]]
    machines.reasons = [msgspec.structs.replace(it, name=text) for it in machines.reasons]
    machines.shifts = [msgspec.structs.replace(it, name=text) for it in machines.shifts]
    updates = hub.updates
    site_updates.fill(updates)
    for held in (updates.artifacts, updates.images, updates.jobs, updates.setups):
        for key, view in held.items():
            held[key] = poisoned(view, text)
    for key, rollout in updates.rollouts.items():
        made = {"name": text, "version": text, "reason": text, "created_by": text, "artifact_target": text}
        updates.rollouts[key] = msgspec.structs.replace(rollout, target=Target(group=text), **made)
    updates.devices = {key: [poisoned(it, text) for it in all_] for key, all_ in updates.devices.items()}
    updates.firmware = {key: poisoned(it, text) for key, it in updates.firmware.items()}
    updates.groups = [poisoned(it, text) for it in updates.groups]
    updates.nearby = [poisoned(it, text) for it in updates.nearby]
    updates.heard = [poisoned(it, text) for it in updates.heard]
    hub.attempts = {key: [poisoned(it, text) for it in tries] for key, tries in hub.attempts.items()}
    return hub


def assert_clean(text: str) -> None:
    """Nothing on the screen that a terminal would act on or hide."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    steering = [char for char in text if char != "\n" and unicodedata.category(char) in hidden]
    assert steering == []


WALK: tuple[tuple[list[str], str], ...] = (
    (["tab"], "Asking"),
    (["enter"], "Asking"),
    (["a"], "Give this agent"),
    (["escape", "shift+tab", "a"], "Approve this"),
    (["escape", "down", "down", "down", "enter"], "What it says"),
    (["d"], "Forget this"),
    (["escape", "e"], "End this session"),
    (["escape", "l"], "Link an agent"),
    (["escape", "s"], "Show a QR"),
    (["escape", "n"], "Rename"),
    (["escape", "2"], "Reason"),
    (["enter"], "Attempts"),
    (["escape", "v"], "What happened"),
    (["escape", "3"], "This port"),
    (["x"], "Reset this"),
    (["escape", "y"], "This port"),
    (["4"], "Transactions"),
    (["v"], "Vend?"),
    (["escape", "s"], "How many you put in"),
    (["escape", "e"], "How many fit"),
    (["escape", "5"], "To devices"),
    (["7", "s"], "MTBF"),
    (["e"], "Set up an asset"),
    (["escape", "i"], "Wire to an input"),
    (["escape", "enter"], "Why it stood"),
    (["v"], "Why did it stand still?"),
    (["escape", "escape", "8"], "Firmware held"),
    (["p"], "Pause this"),
    (["escape", "s"], "Roll out which"),
    (["enter"], "To which devices"),
    (["enter"], "Stop above"),
    (["escape", "enter"], "Next begins"),
    (["t"], "Try again?"),
    (["escape", "escape", "tab", "enter"], "What was looked at"),
    (["escape", "d"], "Shall run"),
    (["escape", "b"], "The board at this port"),
    (["c"], "End this now?"),
    (["escape", "down", "f"], "Which MicroPython?"),
    (["enter"], "Which app?"),
    (["enter"], "Flash this board?"),
    (["escape", "9"], "Step by step"),
    (["down", "down", "down"], "It is here as"),
    (["enter"], "Which WiFi?"),
    (["enter"], "Set this board up"),
    (["escape", "1", "colon", "x"], "x"),
)


@pytest.mark.parametrize("text", TOGETHER, ids=range(len(TOGETHER)))
async def test_a_hostile_name_is_literal_in_every_view(tmp_path: Path, text: str) -> None:
    async with running(hostile_hub(tmp_path, text)) as hub:
        app = terminal(hub.target)
        async with app.run_test(size=LARGE, notifications=True) as pilot:
            await settled(pilot, app)
            assert literal(text.encode("utf-8", "replace").decode(), 10).rstrip("…")[:7] in text_of(app)
            for keys, landmark in WALK:
                await pilot.press(*keys)
                await shows(pilot, app, landmark)
                assert_clean(text_of(app))
            await pilot.press("escape")
            app.open_device("snack-machine")
            await shows(pilot, app, "Shall be")
            assert_clean(text_of(app))


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_literal_leaves_nothing_that_steers(text: str) -> None:
    shown = literal(text)
    assert_clean(shown)
    assert "\n" not in shown
    assert len(shown) <= 200
    assert not any(ord(char) < 32 for char in shown)


def test_literal_leaves_ordinary_names_alone() -> None:
    for name in ("Till 1", "Kasse Köln", "店舗 3", "[bold", "C:\\x"):
        assert literal(name) == name


def test_only_plain_names_must_be_typed() -> None:
    assert typeable("Till 1")
    assert not any(typeable(text) for text in ("", " x", "\u202ex", "é", "x" * 41))
