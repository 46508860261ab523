"""A line of machines to look at: one in every state, with stops that have a reason and stops that have none."""

from __future__ import annotations

from typing import Any

from edge.wire.assets import (
    AssetView,
    AvailabilityRow,
    BandView,
    ParetoRow,
    ReasonView,
    ShiftView,
    StopView,
    WiringView,
)
from tests.fakes.hub_assets import FakeAssets
from tests.tui.site_data import at

WINDOW_MIN = 480.0  # the last eight hours


def asset(id: str, name: str, input: str, **changes: Any) -> AssetView:
    """A machine that runs, heard three seconds ago."""
    facts: dict[str, Any] = {
        "id": id, "name": name, "line": "Cans", "device": "hall-1", "input": input, "inverted": False,
        "short_stop_s": 300.0, "silent_s": 180.0, "state": "running", "since": at(95), "evidence_at": at(0.05),
        "age_s": 3.0, "stop": None, "reason": "",
        "wirings": [WiringView(at=at(9000), device="hall-1", input=input)],
    }  # fmt: skip
    return AssetView(**(facts | changes))


def row(id: str, name: str, **changes: Any) -> AvailabilityRow:
    """The last eight hours of a machine that ran most of them."""
    facts: dict[str, Any] = {
        "of": id, "name": name, "at": at(WINDOW_MIN), "to": at(0), "availability": 0.934, "coverage": 1.0,
        "run_s": 26_900.0, "stop_s": 1_900.0, "planned_s": 0.0, "unknown_s": 0.0, "stops": 5, "ended_stops": 5,
        "short_stops": 3, "mtbf_s": 5_380.0, "mttr_s": 380.0, "longest_stop_s": 1_320.0,
    }  # fmt: skip
    return AvailabilityRow(**(facts | changes))


def stop(asset: str, number: int, began: float, ended: float | None, **changes: Any) -> StopView:
    """A stop, from so many minutes ago until so many."""
    stopped_s = (began - (ended or 0)) * 60
    facts: dict[str, Any] = {
        "id": str(number), "asset": asset, "name": "", "line": "Cans", "at": at(began),
        "to": None if ended is None else at(ended), "stopped_s": stopped_s,
        "short": None if ended is None else stopped_s < 300, "reason": "", "reason_name": "", "note": "",
        "said_by": "", "said_at": None,
    }  # fmt: skip
    return StopView(**(facts | changes))


def bands(asset: str, *states: tuple[float, str]) -> list[BandView]:
    """A state from so many minutes ago until the next begins; the last goes on."""
    ends = [*(at(minutes) for minutes, _ in states[1:]), None]
    return [
        BandView(asset=asset, at=at(minutes), to=to, state=state, stop=None, reason="")
        for (minutes, state), to in zip(states, ends, strict=True)
    ]


def fill(made: FakeAssets) -> None:
    """The line."""
    made.reasons = [
        ReasonView(id="jam", name="Jam"),
        ReasonView(id="no-material", name="No material"),
        ReasonView(id="change-over", name="Change over"),
        ReasonView(id="old", name="Never used", retired=True),
    ]
    made.shifts = [
        ShiftView(id="early", name="Early", begins="06:00", ends="14:00"),
        ShiftView(id="late", name="Late", begins="14:00", ends="22:00"),
    ]
    for view in (
        asset("filler", "Filler", "in1"),
        asset("labeller", "Labeller", "in2", state="stopped", since=at(22), stop="501", reason=""),
        asset("packer", "Packer", "in3", state="unknown", since=at(64), evidence_at=at(64), age_s=3840.0),
        asset("palletiser", "Palletiser", "in4", state="planned", since=at(120), inverted=True),
        asset("hall-1 in7", "hall-1 in7", "in7", line="", named=False, state="unknown", chatter=True, since=at(9)),
        asset("hall-1 in8", "hall-1 in8", "in8", line="", named=False, state="unknown", since=None, age_s=None,
              evidence_at=None),
    ):  # fmt: skip
        made.views[view.id] = view
    none = {"availability": None, "mtbf_s": None, "mttr_s": None, "run_s": 0.0, "stop_s": 0.0, "stops": 0}
    for one in (
        row("filler", "Filler"),
        row("labeller", "Labeller", availability=0.8123, stops=9, ended_stops=8, short_stops=4, mtbf_s=2_490.0,
            mttr_s=642.0, run_s=22_410.0, stop_s=5_180.0, unknown_s=1_210.0, coverage=0.958),
        row("packer", "Packer", availability=1.0, coverage=0.867, stops=0, ended_stops=0, short_stops=0,
            mtbf_s=None, mttr_s=None, run_s=24_960.0, stop_s=0.0, unknown_s=3_840.0, longest_stop_s=0.0),
        row("palletiser", "Palletiser", planned_s=7_200.0, run_s=19_700.0),
        row("hall-1 in7", "hall-1 in7", **none, coverage=0.0, unknown_s=28_800.0, ended_stops=0, short_stops=0),
        row("hall-1 in8", "hall-1 in8", **none, coverage=0.0, unknown_s=28_800.0, ended_stops=0, short_stops=0),
    ):  # fmt: skip
        made.rows[one.of] = one
    made.bands["filler"] = bands(
        "filler", (480, "running"), (401, "stopped"), (379, "running"), (300, "stopped"), (298, "running"),
        (97, "stopped"), (95, "running"),
    )  # fmt: skip
    made.bands["labeller"] = bands(
        "labeller", (480, "unknown"), (460, "running"), (350, "stopped"), (311, "running"), (160, "stopped"),
        (157, "running"), (22, "stopped"),
    )  # fmt: skip
    made.bands["packer"] = bands("packer", (480, "running"), (64, "unknown"))
    made.bands["palletiser"] = bands(
        "palletiser", (480, "running"), (200, "stopped"), (196, "running"), (120, "planned")
    )
    for id in ("hall-1 in7", "hall-1 in8"):
        made.bands[id] = bands(id, (480, "unknown"))
    made.stops["labeller"] = [
        stop("labeller", 501, 22, None),
        stop("labeller", 401, 160, 157, reason="jam", reason_name="Jam", said_by="omar", note="label torn"),
        stop("labeller", 301, 350, 311, reason="no-material", reason_name="No material", said_by="anna"),
    ]
    made.stops["filler"] = [stop("filler", 201, 97, 95), stop("filler", 101, 401, 379)]
    made.pareto["labeller"] = [
        ParetoRow(reason="no-material", name="No material", stop_s=2_340.0, stops=1, share=0.61),
        ParetoRow(reason="", name="", stop_s=1_320.0, stops=1, share=0.34),
        ParetoRow(reason="jam", name="Jam", stop_s=180.0, stops=1, share=0.05),
    ]
    made.pareto["filler"] = [ParetoRow(reason="", name="", stop_s=1_440.0, stops=2, share=1.0)]
