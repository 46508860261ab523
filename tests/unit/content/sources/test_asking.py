"""What documents mean, and the presets against answers in the shapes that their services send."""

import datetime
import json
from collections import Counter

import pytest

from edge.content.sources.asking import ask_of, notes_of, values_of
from edge.content.sources.built_in import lists, today
from edge.content.sources.fetching import read
from edge.content.sources.paths import steps
from edge.content.sources.presets import PRESETS
from edge.errors import BadInput
from edge.wire.content import SourceDocument, SourceField

FIELD = (SourceField(name="t", path="a.b", unit="°C"),)
PLACE = {"latitude": "12.9716", "longitude": " -77.5946"}
HEADLINES = (
    b"<rss version='2.0'><channel><item><title>A</title></item><item><title>B</title></item></channel></rss>"
)
RIDDLE = b'{"riddle": "What?", "answer": "That"}'
JOKE = (
    b'{"error": false, "category": "Pun", "type": "single", "joke": "Ha\\nha", "flags": {"nsfw": false}, "id": 5,'
    b' "safe": true, "lang": "en"}'
)
WEATHER = json.dumps(
    {
        "latitude": 12.97, "longitude": 77.59, "utc_offset_seconds": 19800, "timezone": "Asia/Kolkata",
        "current_units": {"temperature_2m": "°C"},
        "current": {"time": "2025-11-21T10:00", "interval": 900, "temperature_2m": 24.3, "relative_humidity_2m": 61,
                    "weather_code": 61, "wind_speed_10m": 9.4},
        "daily": {"time": ["2025-11-21"], "temperature_2m_max": [27.1], "temperature_2m_min": [18.0],
                  "precipitation_probability_max": [None]},
    }
).encode()  # fmt: skip
SHAPES = {
    "dad_jokes": (b'{"id": "R7UfaahVfFd", "joke": "Ha", "status": 200}', {"joke": "Ha"}),
    "programming_jokes": (JOKE, {"joke": "Ha ha"}),
    "clean_jokes": (JOKE, {"joke": "Ha ha"}),
    "easy_riddles": (RIDDLE, {"riddle": "What?", "answer": "That"}),
    "logic_riddles": (RIDDLE, {"riddle": "What?", "answer": "That"}),
    "math_riddles": (RIDDLE, {"riddle": "What?", "answer": "That"}),
    "tech_news": (
        b'{"version": "https://jsonfeed.org/version/1", "title": "HN", "items": [{"id": "1", "title": "A"}]}',
        {"headline 1": "A", "headline 2": "", "headline 3": "", "headline 4": "", "headline 5": ""},
    ),
    "world_news": (HEADLINES, {"headline 1": "A", "headline 2": "B", "headline 5": ""}),
    "science_news": (HEADLINES, {"headline 1": "A", "headline 2": "B"}),
    "weather": (
        WEATHER,
        {"temperature": "24.3 °C", "sky": "light rain", "humidity": "61 %", "wind": "9.4 km/h", "high": "27.1 °C",
         "low": "18.0 °C", "rain": ""},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_preset_reads_what_its_service_sends(name):
    body, expected = SHAPES[name]
    ask = ask_of(SourceDocument(preset=name, needs=PLACE if name == "weather" else {}, every_s=60))
    found = read(ask, body)
    assert {field: found[field] for field in expected} == expected
    assert list(found) == PRESETS[name].view().fields
    assert ask.url.startswith("https://")
    assert ask.every_s == 900


def test_every_preset_is_one_of_these():
    own = {"json", "feed", "built_in_jokes", "built_in_riddles"}
    assert set(PRESETS) == set(SHAPES) | own
    assert all(steps(field.path) for preset in PRESETS.values() for field in preset.fields)


def test_weather_asks_for_its_place_and_for_nothing_else_that_is_in_the_document():
    assert "latitude=12.9716&longitude=-77.5946&" in ask_of(SourceDocument(preset="weather", needs=PLACE)).url
    sly = {"latitude": "1&apikey=x", "longitude": "5"}
    for needs in ({}, {"latitude": "91", "longitude": "0"}, {"latitude": "nan", "longitude": "0"}, sly):
        with pytest.raises(BadInput, match="needs `latitude`: degrees north"):
            ask_of(SourceDocument(preset="weather", needs=needs))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (SourceDocument(preset="horoscope"), "no preset `horoscope`"),
        (SourceDocument(url="http://a.example/"), "no fields"),
        (SourceDocument(fields=FIELD), "not an http or https address"),
        (SourceDocument(url="file:///etc/passwd", fields=FIELD), "not an http or https address"),
        (SourceDocument(url="http://me:word@a.example/", fields=FIELD), "name or password"),
        (SourceDocument(preset="dad_jokes", url="http://a.example/"), "its own address"),
        (SourceDocument(url="http://a.example/", fields=FIELD * 2), "each another one"),
        (SourceDocument(url="http://a.example/", fields=(SourceField(name="", path="a"),)), "need names"),
        (SourceDocument(url="http://a.example/", fields=(SourceField(name="x", path="a["),)), "field `x`: `a[` is"),
    ],
)
def test_what_asks_for_nothing_is_refused_with_why(document, why):
    with pytest.raises(BadInput) as said:
        ask_of(document)
    assert why in said.value.detail
    assert [note.level for note in notes_of(document)] == ["error"]


def test_a_document_of_ones_own():
    document = SourceDocument(url="http://a.example/x?key=1#part", fields=FIELD, every_s=60)
    ask = ask_of(document)
    assert (ask.url, ask.form, ask.every_s) == ("http://a.example/x?key=1", "json", 60)
    assert values_of(ask, {"a": {"b": 3}}) == {"t": "3 °C"}
    assert values_of(ask, {"a": {"b": None}}) == {"t": ""}
    assert notes_of(document) == []


def test_the_key_is_of_what_is_asked_however_often():
    one = ask_of(SourceDocument(url="http://a.example/", fields=FIELD, every_s=60)).key
    assert ask_of(SourceDocument(url="http://a.example/", fields=FIELD, every_s=6000)).key == one
    assert ask_of(SourceDocument(url="http://a.example/b", fields=FIELD)).key != one


def test_built_in_lists_are_long_and_turn_daily():
    jokes, riddles = lists()["jokes"], lists()["riddles"]
    assert len(jokes) >= 20
    assert len(riddles) >= 20
    assert max(Counter([*jokes, *(riddle for riddle, _ in riddles)]).values()) == 1
    day = datetime.date(2026, 11, 21)
    turns = [today("built_in_riddles", day + datetime.timedelta(days=number)) for number in range(len(riddles))]
    assert len({turn["riddle"] for turn in turns}) == len(riddles)
    assert turns[1]["before"] == turns[0]["answer"]
    ask = ask_of(SourceDocument(preset="built_in_riddles"))
    assert values_of(ask, turns[1])["answer of yesterday"] == turns[0]["answer"]
