"""A page read as a browser reads it: elements with their attributes and their words, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "line", "rect", "circle"})


class Element:
    """One element. `text` is what is read in it, blanks put together."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.parts: list[Element | str] = []

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str, default: str = "") -> str:
        """An attribute."""
        return self.attributes.get(name, default)

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for part in self.parts:
            if isinstance(part, str):
                yield part
            else:
                yield from part._words()

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Elements in it, of this tag and with these attributes (`class_` is one of its classes)."""
        return [found for found in self._inside() if _fits(found, tag, attributes)]

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The first of them."""
        found = self.all(tag, **attributes)
        assert found, f"no <{tag}> with {attributes} in: {self.text[:500]}"
        return found[0]

    def _inside(self) -> Iterator[Element]:
        for part in self.parts:
            if isinstance(part, Element):
                yield part
                yield from part._inside()

    def links(self) -> list[str]:
        """Where its links lead."""
        return [link.get("href") for link in self.all("a")]

    def fields(self) -> dict[str, str]:
        """What the form in it would send as it stands: of buttons, none."""
        sent: dict[str, str] = {}
        for field in self.all():
            name, kind = field.get("name"), field.get("type")
            if not name or field.tag == "button":
                continue
            if field.tag == "textarea":
                sent[name] = "".join(part for part in field.parts if isinstance(part, str))
            elif field.tag == "select":
                chosen = [each for each in field.all("option") if "selected" in each.attributes]
                sent[name] = (chosen or field.all("option"))[0].get("value")
            elif field.tag == "input" and (kind not in ("radio", "checkbox") or "checked" in field.attributes):
                sent[name] = field.get("value", "on")
        return sent


def parsed(text: str) -> Element:
    """The page. Fails for elements that are not closed in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1, f"never closed: {[element.tag for element in reader.open[1:]]}"
    return reader.open[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def _fits(element: Element, tag: str, attributes: dict[str, str]) -> bool:
    if tag and element.tag != tag:
        return False
    for name, value in attributes.items():
        held = element.get(name.rstrip("_").replace("_", "-"))
        if not (value in held.split() if name == "class_" else held == value):
            return False
    return True
