"""RSS and Atom feeds as the JSON they could be: `{"title": …, "items": [{"title", "summary", "link", "at"}]}`.

Parsed by expat piece by piece. A feed that declares a document type is refused, so it has no entities of its own,
and nothing outside it is ever fetched; depth, items and lengths are bounded.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from edge.content.sources.plain import RAW_CHARS

ITEMS_MAX = 50
DEPTH_MAX = 64
_ATOM, _RSS1, _DC = "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/", "http://purl.org/dc/elements/1.1/"
_OURS = frozenset({"", _ATOM, _RSS1, _DC})
_ITEMS = frozenset({"item", "entry"})
_FIELDS = {
    "title": "title", "description": "summary", "summary": "summary", "content": "summary", "link": "link",
    "pubDate": "at", "updated": "at", "published": "at", "date": "at",
}  # fmt: skip
"""What an element of an item or a feed is called here; of several that are called the same the first counts."""


class NoFeed(Exception):
    """This is no feed that can be read: why, in a sentence."""


def feed(body: bytes) -> dict[str, Any]:
    """The feed's title and its first ITEMS_MAX items, each with what it has of title, summary, link and at (texts
    as they stand there). Raises NoFeed."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refused
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise NoFeed(f"it is no XML: line {error.lineno} is not well-formed") from None
    except (LookupError, ValueError):  # an encoding that nobody knows
        raise NoFeed("it is no XML in an encoding that is known here") from None
    if not reader.is_feed:
        raise NoFeed("it is XML, but no RSS or Atom feed")
    return {"title": reader.top.get("title", ""), "items": reader.items}


def _refused(*_: object) -> None:
    raise NoFeed("it declares a document type, which feeds need not and which is not read here")


class _Reader:
    """Follows the elements as they come. Only what stands right within a feed, channel or item is taken."""

    def __init__(self) -> None:
        self.top: dict[str, str] = {}
        self.items: list[dict[str, str]] = []
        self.is_feed = False
        self._open: list[str] = []
        self._item_depth = 0  # where the open item stands, 0 for outside of items
        self._into: dict[str, str] | None = None
        self._field, self._field_depth, self._said = "", 0, ""

    def begin(self, tag: str, given: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition(" ")
        name = name if namespace in _OURS else ""
        self._open.append(name)
        depth = len(self._open)
        if depth > DEPTH_MAX:
            raise NoFeed("its elements are nested too deeply")
        if depth == 1:
            self.is_feed = name in {"rss", "feed"} or tag.endswith(" RDF")
        if self._field:
            self.text(" ")  # an element within the text, as in Atom's xhtml
        elif name in _ITEMS and not self._item_depth:
            self._item_depth, self._into = depth, {}
        elif name in _FIELDS and self._stands_in() is not None:
            self._field, self._field_depth, self._said = _FIELDS[name], depth, given.get("href", "")

    def text(self, text: str) -> None:
        if self._field and len(self._said) < RAW_CHARS:
            self._said += text[:RAW_CHARS]

    def end(self, tag: str) -> None:
        depth = len(self._open)
        if self._field and depth == self._field_depth:
            into = self._stands_in()
            if into is not None:
                into.setdefault(self._field, self._said.strip())
            self._field = ""
        elif depth == self._item_depth:
            if self._into is not None and len(self.items) < ITEMS_MAX:
                self.items.append(self._into)
            self._item_depth, self._into = 0, None
        self._open.pop()

    def _stands_in(self) -> dict[str, str] | None:
        """What the newest element belongs to, if it stands right in it."""
        if self._item_depth:
            return self._into if len(self._open) == self._item_depth + 1 else None
        return self.top if self._open[-2:-1] in (["channel"], ["feed"]) else None
