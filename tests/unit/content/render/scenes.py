"""One scene for each family of elements, and whole dashboards: what the goldens show and other tests take apart."""

import math

from PIL import Image, ImageDraw

from edge.content.render.scene import AssetSaid, AssetWanted, ChartWanted, Datum, Given, SourceSaid
from edge.wire.layouts import (
    AnyElement,
    AssetElement,
    Box,
    ChartElement,
    ClockElement,
    DateElement,
    Layout,
    PictureElement,
    QrElement,
    ShapeElement,
    SourceElement,
    TextElement,
    ValueElement,
)

NOW_US = 1_795_262_645_000_000  # 2026-11-21 13:04:05 in Berlin
MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
PHOTO, GONE = "a" * 64, "b" * 64


def _day_of_readings() -> tuple[tuple[int, float | None], ...]:
    """A day's temperatures every 5 minutes, with 3 hours missing."""
    times = range(NOW_US - 24 * HOUR_US, NOW_US, 5 * MINUTE_US)
    return tuple(
        (at, 20 + 3 * math.sin((at - NOW_US) / HOUR_US / 4) + 0.3 * math.sin(at / MINUTE_US))
        for at in times
        if not 14 * HOUR_US < NOW_US - at < 17 * HOUR_US
    )


def _month_of_readings() -> tuple[tuple[int, float | None], ...]:
    times = range(NOW_US - 14 * 24 * HOUR_US, NOW_US, HOUR_US)
    return tuple((at, 40 + 25 * math.sin(at / HOUR_US / 30)) for at in times)


GIVEN = Given(
    now_us=NOW_US,
    zone="Europe/Berlin",
    site="Plant 3",
    device="dev-1",
    device_name="Gate 2",
    values={
        ("self", "temperature"): Datum(21.54, NOW_US - MINUTE_US),
        ("self", "humidity"): Datum(48, NOW_US - MINUTE_US),
        ("self", "cold"): Datum(-18.25, NOW_US - 3 * HOUR_US),
        ("self", "door"): Datum(True, NOW_US),
        ("self", "batch"): Datum("Lot 4711, green", NOW_US),
        ("press-1", "count"): Datum(12_845, NOW_US),
    },
    charts={
        ChartWanted("self", "temperature", 24): _day_of_readings(),
        ChartWanted("self", "load", 336): _month_of_readings(),
        ChartWanted("self", "flow", 12): tuple((NOW_US - n * HOUR_US, 3.0 - n % 5) for n in range(12)),
    },
    assets={
        AssetWanted("press-1", "state", ""): AssetSaid("running", NOW_US - 5 * HOUR_US, name="Press 1"),
        AssetWanted("press-2", "state", ""): AssetSaid("stopped", NOW_US - 30 * HOUR_US, name="Press 2"),
        AssetWanted("press-1", "availability", "24h"): AssetSaid(figure=0.9312, coverage=0.8),
        AssetWanted("press-1", "mtbf", "7d"): AssetSaid(figure=3 * 3600 + 12 * 60, coverage=1.0),
        AssetWanted("press-1", "stops", "shift"): AssetSaid(figure=4, coverage=1.0),
    },
    sources={
        "weather": SourceSaid({"temperature": "3 °C", "words": "Light rain until noon"}, NOW_US - MINUTE_US),
        "news": SourceSaid({"title": "New canteen opens on Monday"}, NOW_US - 9 * HOUR_US),
        "old": SourceSaid({"title": "Forgotten"}, NOW_US - 10 * 24 * HOUR_US),
    },
)


def photo() -> Image.Image:
    """A picture in colour: a sky, a hill and a sun."""
    image = Image.new("RGB", (600, 400))
    draw = ImageDraw.Draw(image)
    for y in range(400):
        draw.line((0, y, 600, y), fill=(90 + y // 4, 150 + y // 5, 235))
    draw.ellipse((420, 40, 520, 140), fill=(255, 220, 60))
    draw.ellipse((-200, 240, 500, 800), fill=(40, 110, 50))
    draw.ellipse((250, 280, 900, 800), fill=(70, 150, 70))
    return image


def pictures(sha256: str) -> Image.Image | None:
    """The library: it has one picture."""
    return photo() if sha256 == PHOTO else None


def _box(x: float, y: float, w: float, h: float) -> Box:
    return Box(x=x, y=y, w=w, h=h)


def _layout(*elements: AnyElement, dark: bool = False) -> Layout:
    return Layout(elements=elements, dark=dark)


TEXTS = _layout(
    TextElement(box=_box(3, 3, 94, 20), text="Welcome to {site}", bold=True, align="centre"),
    TextElement(
        box=_box(3, 27, 45, 30), text="Please sign in at {name}, take a badge, and wait for whom you visit."
    ),
    TextElement(box=_box(52, 27, 45, 30), text="Right\nand\nbottom", size=6, align="right", valign="bottom"),
    TextElement(box=_box(3, 61, 45, 16), text="Inverted", invert=True, bold=True, align="centre"),
    TextElement(box=_box(52, 61, 45, 16), text="Cut, since not all of these words have room in a box " * 12),
    TextElement(box=_box(3, 81, 30, 16), text="שלום 21.5 °C", align="right"),
    TextElement(box=_box(36, 81, 30, 16), text="درجة الحرارة ٢١", align="right"),
    TextElement(box=_box(69, 81, 28, 16), text="☀ → ✓ ∑ 中文 ⚠"),
)
CLOCKS = _layout(
    ClockElement(box=_box(3, 3, 94, 45), align="centre", bold=True),
    ClockElement(box=_box(3, 52, 45, 20), hours=12),
    DateElement(box=_box(52, 52, 45, 20), language="de"),
    DateElement(box=_box(3, 76, 30, 20), style="weekday"),
    DateElement(box=_box(36, 76, 30, 20), style="medium", language="fr"),
    DateElement(box=_box(69, 76, 28, 20), style="short", language="en-IN"),
)
VALUES = _layout(
    ValueElement(box=_box(3, 3, 45, 40), device="self", key="temperature", label="Hall", unit="°C", bold=True),
    ValueElement(box=_box(52, 3, 45, 40), device="self", key="cold", label="Cold store", unit="°C"),
    ValueElement(box=_box(3, 47, 30, 24), device="self", key="none", label="Not there"),
    ValueElement(box=_box(36, 47, 30, 24), device="self", key="door", label="Door", align="centre"),
    ValueElement(box=_box(69, 47, 28, 24), device="self", key="humidity", label="Humidity", unit="%", invert=True,
                 align="centre"),
    ValueElement(box=_box(3, 75, 60, 22), device="self", key="batch", label="Batch"),
    ValueElement(box=_box(67, 75, 30, 22), device="press-1", key="count", label="Parts", decimals=0, align="right"),
)  # fmt: skip
CHARTS = _layout(
    ChartElement(box=_box(3, 3, 94, 44), device="self", key="temperature", label="Temperature", unit="°C"),
    ChartElement(box=_box(3, 52, 45, 22), device="self", key="flow", hours=12, style="bars", label="Flow",
                 unit="l/s"),
    ChartElement(box=_box(52, 52, 45, 22), device="self", key="none", label="No readings"),
    ChartElement(box=_box(3, 77, 94, 21), device="self", key="load", hours=336, style="bars", label="Load",
                 unit="%", low=0, high=100),
)  # fmt: skip
ASSETS = _layout(
    AssetElement(box=_box(3, 3, 45, 30), asset="press-1", bold=True),
    AssetElement(box=_box(52, 3, 45, 30), asset="press-2", invert=True),
    AssetElement(box=_box(3, 37, 45, 28), asset="press-1", show="availability"),
    AssetElement(box=_box(52, 37, 45, 28), asset="press-1", show="mtbf", over="7d"),
    AssetElement(box=_box(3, 69, 45, 28), asset="press-1", show="stops", over="shift", label="Stops of this shift"),
    AssetElement(box=_box(52, 69, 45, 28), asset="press-9"),
)
QR_CODES = _layout(
    QrElement(box=_box(2, 3, 46, 60), payload="https://example.com/m/press-1", caption="Report a fault",
              align="centre"),
    QrElement(box=_box(52, 3, 46, 60), payload="WIFI:T:WPA;S:Guests;P:correct horse;;", align="centre"),
    QrElement(box=_box(2, 68, 30, 28), payload="x" * 900, caption="Too fine"),
    QrElement(box=_box(36, 68, 60, 28), payload="HELLO", caption="A caption that is longer than its code"),
)  # fmt: skip
PHOTOS = _layout(
    PictureElement(box=_box(3, 3, 60, 55), picture=PHOTO, align="centre"),
    PictureElement(box=_box(67, 3, 30, 55), picture=PHOTO, fit="cover"),
    PictureElement(box=_box(3, 62, 30, 35), picture=PHOTO, dither=False),
    PictureElement(box=_box(36, 62, 61, 35), picture=GONE),
)
SOURCES = _layout(
    SourceElement(box=_box(3, 3, 94, 28), source="weather", field="words", label="Weather", align="centre"),
    SourceElement(box=_box(3, 35, 45, 28), source="weather", label="Outside", bold=True),
    SourceElement(box=_box(52, 35, 45, 28), source="news", label="News"),
    SourceElement(box=_box(3, 67, 45, 28), source="old", label="Dropped"),
    SourceElement(box=_box(52, 67, 45, 28), source="nothing", label="Never fetched"),
)
SHAPES = _layout(
    ShapeElement(box=_box(3, 3, 30, 40)),
    ShapeElement(box=_box(36, 3, 30, 40), thick=3),
    ShapeElement(box=_box(69, 3, 28, 40), form="filled"),
    ShapeElement(box=_box(3, 47, 30, 40), form="filled", colour="grey"),
    ShapeElement(box=_box(36, 47, 30, 40), form="filled", colour="lightgrey"),
    ShapeElement(box=_box(69, 47, 28, 40), form="filled", colour="#c02020"),
    ShapeElement(box=_box(3, 89, 94, 4), form="line-across", thick=1),
    ShapeElement(box=_box(48, 3, 4, 94), form="line-down"),
)


def dashboard(*, dark: bool = False) -> Layout:
    """What a site might hang on its wall, in a landscape panel."""
    return _layout(
        TextElement(box=_box(2, 2, 60, 11), text="{site} · {name}", bold=True),
        ClockElement(box=_box(64, 2, 34, 11), align="right", bold=True),
        ShapeElement(box=_box(2, 14, 96, 1), form="line-across"),
        ValueElement(box=_box(2, 17, 22, 25), device="self", key="temperature", label="Hall", unit="°C", bold=True),
        ValueElement(box=_box(26, 17, 22, 25), device="self", key="humidity", label="Humidity", unit="%"),
        ValueElement(box=_box(50, 17, 22, 25), device="self", key="cold", label="Cold store", unit="°C"),
        AssetElement(box=_box(74, 17, 24, 25), asset="press-1", invert=True, align="centre"),
        ChartElement(box=_box(2, 45, 46, 40), device="self", key="temperature", label="Hall", unit="°C"),
        PictureElement(box=_box(50, 45, 22, 40), picture=PHOTO, fit="cover"),
        QrElement(box=_box(74, 45, 24, 40), payload="https://example.com/m/press-1", caption="Report a fault",
                  align="centre"),
        SourceElement(box=_box(2, 88, 62, 10), source="weather", field="words", wrap=False),
        DateElement(box=_box(66, 88, 32, 10), align="right"),
        dark=dark,
    )  # fmt: skip


TALL = _layout(
    TextElement(box=_box(4, 2, 92, 8), text="{site} · {name}", bold=True, align="centre"),
    ShapeElement(box=_box(4, 11, 92, 1), form="line-across"),
    ValueElement(box=_box(4, 13, 44, 16), device="self", key="temperature", label="Hall", unit="°C", bold=True),
    ValueElement(box=_box(52, 13, 44, 16), device="self", key="cold", label="Cold store", unit="°C"),
    ChartElement(box=_box(4, 31, 92, 25), device="self", key="temperature", label="Hall", unit="°C"),
    AssetElement(box=_box(4, 58, 44, 14), asset="press-1", invert=True, align="centre"),
    AssetElement(box=_box(52, 58, 44, 14), asset="press-1", show="availability"),
    QrElement(box=_box(4, 74, 44, 24), payload="https://example.com/m/press-1", caption="Report a fault"),
    ClockElement(box=_box(52, 75, 44, 12), align="right"),
    DateElement(box=_box(52, 88, 44, 9), align="right", valign="bottom"),
)

FAMILIES = {
    "texts": TEXTS,
    "clocks": CLOCKS,
    "values": VALUES,
    "charts": CHARTS,
    "assets": ASSETS,
    "qr_codes": QR_CODES,
    "photos": PHOTOS,
    "sources": SOURCES,
    "shapes": SHAPES,
}
