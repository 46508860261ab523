"""How an asset stands, as the API and head office are shown it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.assets.defined.views import AssetViews
from edge.assets.following.following import Standing
from edge.assets.model import Band, Past, State
from edge.clock import ManualClock, iso
from edge.wire.assets import ChangeAsset, SetReason
from tests.unit.assets.asset_site import opened

SECOND = 1_000_000


class Known:
    """What a test says an asset stands like."""

    def __init__(self) -> None:
        self.now = Standing()

    def standing(self, asset_id: str) -> Standing:
        """The same for every asset."""
        return self.now


async def test_what_was_never_heard_of_is_unknown_and_a_stop_has_its_reason(tmp_path: Path) -> None:
    clock, known = ManualClock(), Known()
    async with opened(tmp_path, clock) as site:
        asset = await site.press(await site.logger())
        views = AssetViews(site.assets, known, clock)
        view = await views.view(site.assets.get(asset))
        assert (view.state, view.since, view.evidence_at, view.age_s, view.stop) == (
            "unknown",
            None,
            None,
            None,
            None,
        )

        began_us = clock.at_us - 60 * SECOND
        band = Band(began_us, State.STOPPED, State.STOPPED, Past.STOPS, began_us)
        known.now = Standing(band, clock.at_us - 10 * SECOND)
        view = await views.view(site.assets.get(asset))
        assert (view.state, view.since, view.stop, view.reason) == ("stopped", iso(began_us), str(began_us), "")
        assert view.age_s == 10
        await site.assets.set_reason("jam", SetReason(name="Jam"), actor="tess")
        await site.assets.explain(asset, (began_us, clock.at_us), "jam", actor="tess")
        assert (await views.view(site.assets.get(asset))).reason == "jam"

        # it runs again: the stop that ended is none that is under way
        runs = msgspec.structs.replace(band, at_us=clock.at_us, state=State.RUNNING, raw=State.RUNNING)
        known.now = Standing(runs, clock.at_us)
        view = await views.view(site.assets.get(asset))
        assert (view.state, view.stop, view.reason) == ("running", None, "")
        known.now = Standing(runs, clock.at_us, chatter=True)
        assert (await views.view(site.assets.get(asset))).state == "unknown"


async def test_head_office_is_not_told_of_every_sign_of_life(tmp_path: Path) -> None:
    clock, known = ManualClock(), Known()
    async with opened(tmp_path, clock) as site:
        asset = await site.press(await site.logger())
        views = AssetViews(site.assets, known, clock)
        band = Band(clock.at_us, State.RUNNING, State.RUNNING, Past.RAN)
        told = []
        for _ in range(61):  # a minute of a logger that is heard each second
            known.now = Standing(band, clock.at_us)
            told.append(await views.view_afar(site.assets.get(asset)))
            clock.advance(1)
        assert len(set(map(msgspec.json.encode, told))) == 3
        assert told[-1].evidence_at == iso(clock.at_us - SECOND)
        # another state comes with what is known by then, and one that may be silent briefly is told of in time
        known.now = Standing(Band(clock.at_us, State.STOPPED, State.STOPPED, Past.STOPS, clock.at_us), clock.at_us)
        view = await views.view_afar(site.assets.get(asset))
        assert (view.state, view.since, view.evidence_at, view.age_s) == ("stopped", *[iso(clock.at_us)] * 2, None)
        await site.assets.change(site.assets.get(asset), ChangeAsset(silent_s=10), actor="tess")
        clock.advance(5)
        known.now = Standing(known.now.band, clock.at_us)
        assert (await views.view_afar(site.assets.get(asset))).evidence_at == iso(clock.at_us)
