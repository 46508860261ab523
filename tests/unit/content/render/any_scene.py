"""Any layout that may be written, and anything it may be filled with: for tests that hold for all of them."""

from typing import Any

from hypothesis import strategies as st

from edge.content.render import panel_named
from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, SourceSaid
from edge.wire import layouts
from edge.wire.layouts import Box, Layout
from tests.unit.content.render.scenes import HOUR_US, MINUTE_US, PHOTO

DAY_US = 86_400_000_000
DEVICES, KEYS, ASSETS, SOURCES = ("self", "dev-1"), ("temperature", "x"), ("press-1", "a"), ("weather", "b")
PANELS = [
    panel_named(name)
    for name in ("eink-800x480", "tft-320x480", "rgb565-160x128", "grey4-400x300", "nic-320x480", "png-128x64",
                 "bmp-16x16", "eink-1200x16")
]  # fmt: skip

SAID = [
    *("", " ", "\n\n", "{name} {{site}} }", "word " * 300, "x" * 900, "\ud800 half a pair"),
    *("שלום (21.5) °C\u200f", "نص\nabc", "नमस्ते", "ภาษาไทย", "中文 😀\ufe0f"),
]
texts = st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(SAID)
words = st.text(max_size=20)
percents = st.floats(0, 100) | st.integers(0, 100).map(float)
boxes = st.builds(Box, x=percents, y=percents, w=percents, h=percents)
numbers = st.floats() | st.integers() | st.sampled_from([10**400, -0.0, 1e308, -1e308])
ages_s = st.integers(1, 366 * 86_400)
BASE = {
    "box": boxes,
    "size": st.just(0.0) | percents,
    "align": st.sampled_from(["left", "centre", "right"]),
    "valign": st.sampled_from(["top", "middle", "bottom"]),
    "bold": st.booleans(),
    "colour": st.sampled_from(["black", "white", "grey", "lightgrey", "#1234ab", "#FDFDFD"]),
    "invert": st.booleans(),
}


def _element(kind: type, **fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **BASE, **fields)


def _reading(**fields: Any) -> dict[str, Any]:
    return {
        "device": st.sampled_from(DEVICES),
        "key": st.sampled_from(KEYS),
        "label": words,
        "unit": words,
        **fields,
    }


elements = st.one_of(
    _element(layouts.TextElement, text=texts, wrap=st.booleans()),
    _element(layouts.ClockElement, hours=st.sampled_from([12, 24])),
    _element(
        layouts.DateElement,
        style=st.sampled_from(["full", "long", "medium", "short", "weekday"]),
        language=st.sampled_from(["en", "de", "xx", "en-IN", "zh_Hant", "ar", "hi", "fr-QQ"]),
    ),
    _element(layouts.ValueElement, **_reading(decimals=st.integers(0, 6), max_age_s=ages_s)),
    _element(
        layouts.ChartElement,
        **_reading(
            hours=st.sampled_from([1, 24, 49, 744]),
            style=st.sampled_from(["line", "bars"]),
            low=st.none() | st.floats(),
            high=st.none() | st.floats(),
        ),
    ),
    _element(
        layouts.AssetElement,
        asset=st.sampled_from(ASSETS),
        show=st.sampled_from(["state", "availability", "mtbf", "mttr", "stops"]),
        over=st.sampled_from(["day", "shift", "24h", "7d"]),
        label=words,
    ),
    _element(layouts.QrElement, payload=texts.filter(bool), caption=words),
    _element(
        layouts.PictureElement,
        picture=st.sampled_from([PHOTO, "b" * 64]),
        fit=st.sampled_from(["contain", "cover"]),
        dither=st.booleans(),
    ),
    _element(
        layouts.SourceElement,
        source=st.sampled_from(SOURCES),
        field=st.sampled_from(["", "title"]),
        label=words,
        wrap=st.booleans(),
        max_age_s=ages_s,
        drop_age_s=ages_s,
    ),
    _element(
        layouts.ShapeElement,
        form=st.sampled_from(["box", "filled", "line-across", "line-down"]),
        thick=st.floats(0, 10),
    ),
)
some_layouts = st.builds(Layout, elements=st.lists(elements, max_size=6).map(tuple), dark=st.booleans())

_values = st.none() | numbers | st.booleans() | texts
_hours = st.sampled_from([1, 24, 49, 744])
_wanted_assets = [
    *(AssetWanted(asset, "state", "") for asset in ASSETS),
    *(AssetWanted(asset, show, "24h") for asset in ASSETS for show in ("availability", "mtbf", "stops")),
]
ZONES = ("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Nowhere", "")
# Ages as they come, those of a broken clock, and those on the very edge of another word.
ages_us = st.one_of(
    st.integers(0, 40 * DAY_US),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0, 1, MINUTE_US - 1, MINUTE_US, HOUR_US - 1, HOUR_US, 48 * HOUR_US, 24 * HOUR_US, -HOUR_US]),
)


@st.composite
def givens(draw: st.DrawFn, nows: st.SearchStrategy[int]) -> Given:
    """Anything a layout may be filled with, at such times."""
    now_us = draw(nows)
    moments = ages_us.map(lambda age: now_us - age)
    points = st.lists(st.tuples(moments, st.none() | numbers), max_size=60).map(tuple)
    said = st.builds(
        AssetSaid,
        state=st.sampled_from(["running", "stopped", "planned", "unknown", "", "odd"]),
        since_us=st.none() | moments,
        figure=st.none() | numbers,
        coverage=st.none() | st.floats(),
        name=words,
    )
    device, key = st.sampled_from(DEVICES), st.sampled_from(KEYS)
    fields = st.dictionaries(st.sampled_from(["title", "x"]), texts, max_size=2)
    return Given(
        now_us=now_us,
        zone=draw(st.sampled_from(ZONES)),
        site=draw(words),
        device="dev-1",
        device_name=draw(words),
        values=draw(st.dictionaries(st.tuples(device, key), st.builds(Datum, _values, moments))),
        charts=draw(st.dictionaries(st.builds(ChartWanted, device, key, _hours), points)),
        assets=draw(st.dictionaries(st.sampled_from(_wanted_assets), said)),
        sources=draw(st.dictionaries(st.sampled_from(SOURCES), st.builds(SourceSaid, fields, moments))),
    )
