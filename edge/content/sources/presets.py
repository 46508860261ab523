"""Sources that Outpost knows: where each is fetched, and which fields its answer has.

The services belong to others and need no key; they may change, or ask for less. `at_least_s` is how long is waited
between two fetches, whatever a document says, as a guest should. The built-in ones need nobody (built_in.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from edge.wire.content import PresetView

Form = Literal["json", "feed", "built-in"]


class Field(msgspec.Struct, frozen=True):
    """One text of an answer. `words`: what its values are called. `optional`: '' where the answer has it not."""

    name: str
    path: str
    unit: str = ""
    words: Mapping[str, str] = {}
    optional: bool = False


class Need(msgspec.Struct, frozen=True):
    """A number that a preset must be told."""

    text: str
    least: float
    most: float


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A source by name. No `url`: the document has it; no `fields`: so it does with these. `{needs}` in the address
    are filled in."""

    name: str
    title: str
    url: str = ""
    form: Form = "json"
    fields: tuple[Field, ...] = ()
    needs: Mapping[str, Need] = {}
    at_least_s: int = 900

    def view(self) -> PresetView:
        """As the API shows it."""
        return PresetView(
            name=self.name,
            title=self.title,
            fields=[field.name for field in self.fields],
            needs={name: need.text for name, need in self.needs.items()},
        )


_SKY = {
    "0": "clear", "1": "mostly clear", "2": "partly cloudy", "3": "overcast", "45": "fog", "48": "freezing fog",
    "51": "light drizzle", "53": "drizzle", "55": "heavy drizzle", "56": "freezing drizzle",
    "57": "freezing drizzle", "61": "light rain", "63": "rain", "65": "heavy rain", "66": "freezing rain",
    "67": "freezing rain", "71": "light snow", "73": "snow", "75": "heavy snow", "77": "snow grains",
    "80": "light showers", "81": "showers", "82": "heavy showers", "85": "snow showers",
    "86": "heavy snow showers", "95": "thunderstorm", "96": "thunderstorm with hail",
    "99": "thunderstorm with hail",
}  # fmt: skip
"""The weather codes of the WMO (table 4677) that Open-Meteo tells, in words."""

_WEATHER_URL = (
    "https://api.open-meteo.com/v1/forecast?latitude={latitude}&longitude={longitude}"
    "&current=temperature_2m,relative_humidity_2m,weather_code,wind_speed_10m"
    "&daily=temperature_2m_max,temperature_2m_min,precipitation_probability_max&timezone=auto&forecast_days=1"
)
_WEATHER = (
    Field("temperature", "current.temperature_2m", "°C"),
    Field("sky", "current.weather_code", words=_SKY),
    Field("humidity", "current.relative_humidity_2m", "%"),
    Field("wind", "current.wind_speed_10m", "km/h"),
    Field("high", "daily.temperature_2m_max[0]", "°C", optional=True),
    Field("low", "daily.temperature_2m_min[0]", "°C", optional=True),
    Field("rain", "daily.precipitation_probability_max[0]", "%", optional=True),
)
_PLACE = {
    "latitude": Need("degrees north, such as 12.97; south is negative", -90, 90),
    "longitude": Need("degrees east, such as 77.59; west is negative", -180, 180),
}
_JOKE = (Field("joke", "joke"),)
_RIDDLE = (Field("riddle", "riddle"), Field("answer", "answer"))
_HEADLINES = tuple(
    Field(f"headline {number}", f"items[{number - 1}].title", optional=number > 1) for number in range(1, 6)
)
_TURNING = (Field("riddle", "riddle"), Field("answer", "answer"), Field("answer of yesterday", "before"))
_JOKES, _RIDDLES, _BBC = (
    "https://v2.jokeapi.dev/joke/",
    "https://riddles-api.vercel.app/",
    "https://feeds.bbci.co.uk/news/",
)

_ALL = (
    Preset(name="json", title="Any JSON over HTTP", at_least_s=60),
    Preset(name="feed", title="Any RSS or Atom feed", form="feed", fields=_HEADLINES, at_least_s=300),
    Preset(
        name="dad_jokes", title="Dad jokes (icanhazdadjoke.com)", url="https://icanhazdadjoke.com/", fields=_JOKE
    ),
    Preset(
        name="programming_jokes",
        title="Jokes about programming (jokeapi.dev)",
        url=_JOKES + "Programming?type=single&safe-mode",
        fields=_JOKE,
    ),
    Preset(
        name="clean_jokes",
        title="Jokes for everybody (jokeapi.dev)",
        url=_JOKES + "Misc,Pun?type=single&safe-mode",
        fields=_JOKE,
    ),
    Preset(name="easy_riddles", title="Easy riddles (riddles-api)", url=_RIDDLES + "funny", fields=_RIDDLE),
    Preset(name="logic_riddles", title="Riddles of logic (riddles-api)", url=_RIDDLES + "logic", fields=_RIDDLE),
    Preset(name="math_riddles", title="Riddles of numbers (riddles-api)", url=_RIDDLES + "math", fields=_RIDDLE),
    Preset(
        name="tech_news",
        title="News of technology (Hacker News, by hnrss.org)",
        url="https://hnrss.org/frontpage.jsonfeed?count=5",
        fields=_HEADLINES,
    ),
    Preset(
        name="world_news",
        title="News of the world (BBC)",
        url=_BBC + "world/rss.xml",
        form="feed",
        fields=_HEADLINES,
    ),
    Preset(
        name="science_news",
        title="News of science (BBC)",
        url=_BBC + "science_and_environment/rss.xml",
        form="feed",
        fields=_HEADLINES,
    ),
    Preset(name="weather", title="Weather (Open-Meteo)", url=_WEATHER_URL, fields=_WEATHER, needs=_PLACE),
    Preset(
        name="built_in_jokes",
        title="A joke a day, without the internet",
        form="built-in",
        fields=_JOKE,
        at_least_s=60,
    ),
    Preset(
        name="built_in_riddles",
        title="A riddle a day, without the internet",
        form="built-in",
        fields=_TURNING,
        at_least_s=60,
    ),
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _ALL}
"""Every preset by name."""
