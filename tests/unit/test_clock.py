"""Time: its quality is said, it orders by the boot it is of, and it is written one way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import clock
from edge.clock import ManualClock, Quality, SystemClock, iso, site_zone
from edge.errors import ConfigError


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_time_is_written_as_utc_to_the_millisecond(at_us: int) -> None:
    text = iso(at_us)
    assert len(text) == len("2026-01-02T03:04:05.678Z")
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    assert 0 <= at_us - int(read.timestamp() * 1000 + 0.5) * 1000 < 1000
    assert read.tzinfo == UTC


@given(st.lists(st.integers(0, 4_000_000_000_000_000), min_size=2, max_size=5))
def test_times_sort_as_their_text_does(moments: list[int]) -> None:
    assert [iso(at) for at in sorted(moments)] == sorted(iso(at) for at in moments)


def test_the_machine_says_what_it_has_now() -> None:
    machine = SystemClock()
    one, other = machine.now(), machine.now()
    assert one.boot_id == other.boot_id != ""
    assert one.mono_ms <= other.mono_ms
    assert abs(one.at_us / 1e6 - datetime.now(UTC).timestamp()) < 60
    assert SystemClock().now().boot_id == one.boot_id, "a restart of the hub is no reboot"


def test_a_clock_set_by_ntp_is_noticed_while_the_hub_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(clock, "SYNCHRONISED", mark)
    monkeypatch.setattr(clock, "QUALITY_CHECK_S", -1.0)
    machine = SystemClock()
    assert machine.now().quality in (Quality.NONE, Quality.RTC)
    mark.touch()
    assert machine.now().quality is Quality.NTP


def test_without_a_boot_id_each_start_is_a_boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "none")
    assert SystemClock().now().boot_id != SystemClock().now().boot_id


def test_only_an_unset_clock_is_not_trusted() -> None:
    assert [quality for quality in Quality if not quality.good] == [Quality.NONE]


def test_a_reboot_starts_monotonic_time_anew() -> None:
    hand = ManualClock()
    hand.advance(1000.0)
    before = hand.now()
    hand.reboot(quality=Quality.NONE)
    after = hand.now()
    assert (after.boot_id != before.boot_id, after.mono_ms < before.mono_ms) == (True, True)
    assert (after.at_us, after.quality) == (before.at_us, Quality.NONE)


def test_the_sites_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert site_zone("Asia/Kolkata").key == "Asia/Kolkata"
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert site_zone("").key == "Europe/Berlin"
    for wrong in ("Mars/Olympus", "../etc", "\0"):
        with pytest.raises(ConfigError):
            site_zone(wrong)


@pytest.mark.parametrize(
    ("told", "quality"),
    [("1763700000\n", Quality.RTC), ("12\n", Quality.NONE)],  # 12: without a battery it began with 1970
)
def test_a_real_time_clock_counts_if_it_has_kept_the_time(
    told: str, quality: Quality, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "since_epoch").write_text(told)
    monkeypatch.setattr(clock, "RTC_TIME", tmp_path / "since_epoch")
    monkeypatch.setattr(clock, "SYNCHRONISED", tmp_path / "never")
    assert clock.SystemClock().now().quality is quality
