"""The parts without a screen: filters, ages, pictures, problems, targets."""

from __future__ import annotations

import io
from datetime import UTC, timedelta
from pathlib import Path

import msgspec
import pytest
import segno
from PIL import Image

from edge.errors import BadPicture, ConfigError, Conflict, NotFound, OutpostError, RateLimited, TooLarge
from edge.wire.views import Problem
from tests.tui.site_data import NOW
from tui import ages
from tui.filter import Filter
from tui.half_blocks import drawn
from tui.picture_file import LARGEST_BYTES, data_uri
from tui.png import Bad, dark_pixels
from tui.problem import from_answer
from tui.qr_modules import modules_in
from tui.target import Target

ROW = {"state": "offline", "name": "Till 1", "id": "till-1", "kind": "display"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", True),
        ("till", True),
        ("TILL display", True),
        ("state:offline", True),
        ("state:online", False),
        ("!state:offline", False),
        ("!vending", True),
        ("mac:24", False),
        ("till state:on", False),
    ],
)
def test_filter(text: str, shown: bool) -> None:
    assert Filter(text).matches(ROW) is shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "never"), (-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_age(seconds: float | None, text: str) -> None:
    assert ages.age(seconds) == text


def test_times_are_the_sites_and_carry_the_date_when_it_is_not_today() -> None:
    berlin = ages.zone("Europe/Berlin")
    assert ages.clock_text(NOW, berlin, NOW) == "12:04:31"
    assert ages.clock_text(NOW - timedelta(days=2), berlin, NOW) == "12 Mar 12:04"
    assert ages.zone("../etc/passwd") is UTC
    assert ages.moment("not a time") is None


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("scale", [1, 5, 8])
def test_a_qr_is_read_back_from_any_png_a_hub_makes(mode: str, scale: int) -> None:
    code = segno.make("https://pay.example/42", micro=False)
    raw = io.BytesIO()
    code.save(raw, kind="png", scale=scale, border=4)
    picture = Image.open(raw).convert("L")
    panel = Image.new("L", (picture.width + 11, picture.height + 90), 255)
    panel.paste(picture, (5, 7))
    packed = io.BytesIO()
    panel.convert(mode).save(packed, "PNG")
    assert modules_in(packed.getvalue(), scale) == [[bool(it) for it in row] for row in code.matrix]


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"])
def test_what_is_no_png_is_refused(data: bytes) -> None:
    with pytest.raises(Bad):
        dark_pixels(data)


def test_a_drawing_keeps_its_quiet_zone_or_is_left_out() -> None:
    modules = [[True] * 21 for _ in range(21)]
    lines = drawn(modules, 25, 13).split("\n")
    assert len(lines) == 13
    assert {len(line) for line in lines} == {25}
    assert lines[0].strip() == ""
    assert drawn(modules, 24, 13) == ""
    assert drawn(modules, 25, 12) == ""


def test_a_picture_file_is_measured_and_known_by_its_first_bytes(tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    segno.make("x").save(str(picture))
    assert data_uri(str(picture)).startswith("data:image/png;base64,iVBOR")
    with pytest.raises(NotFound):
        data_uri(str(tmp_path))
    with pytest.raises(NotFound):
        data_uri("\0")
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(LARGEST_BYTES))
    with pytest.raises(TooLarge):
        data_uri(str(large))
    other = tmp_path / "x.png"
    other.write_bytes(b"MZ")
    with pytest.raises(BadPicture):
        data_uri(str(other))


def test_a_problem_becomes_the_error_of_its_code_with_the_hubs_own_hint() -> None:
    problem = Problem(
        type="about:blank", title="Conflict", status=409, detail="taken", code="conflict", hint="Wait.",
        retryable=False,
    )  # fmt: skip
    error = from_answer(409, msgspec.json.encode(problem))
    assert type(error) is Conflict
    assert (error.detail, error.advice) == ("taken", "Wait.")
    assert isinstance(from_answer(404, b"<html>"), NotFound)
    assert type(from_answer(418, b"")) is OutpostError
    limited = msgspec.json.encode(msgspec.structs.replace(problem, code="rate-limited"))
    error = from_answer(429, limited, 7.0)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 7.0


def test_targets() -> None:
    assert str(Target.parse("unix:/run/outpost/hub.sock")) == "unix:/run/outpost/hub.sock"
    assert Target.parse("https://pi.local:5000/").base == "https://pi.local:5000"
    for text in ("", "unix:", "pi.local:5000", "ftp://x", "http://"):
        with pytest.raises(ConfigError):
            Target.parse(text)
