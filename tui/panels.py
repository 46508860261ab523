"""What each panel shows and should show, as last told, and what people have written for them."""

from __future__ import annotations

from edge.wire.content import DocumentView, PanelView


class Panels:
    """Panels by device, documents by kind and id. `absent`: the hub is of an older version and has no content."""

    def __init__(self) -> None:
        self.absent = False
        self._panels: dict[str, PanelView] = {}
        self._documents: dict[str, DocumentView] = {}

    def all(self) -> list[PanelView]:
        """Those that do not show what they should first, then by name."""
        return sorted(
            self._panels.values(), key=lambda it: (it.sharp or not it.wanted, it.name.casefold(), it.device)
        )

    def of(self, device: str) -> PanelView | None:
        """One device's."""
        return self._panels.get(device)

    def documents(self) -> list[DocumentView]:
        """Those a person must settle first, then drafts, then by kind and id."""
        return sorted(self._documents.values(), key=lambda it: (not it.conflict, not it.draft, it.kind, it.id))

    def document(self, key: str) -> DocumentView | None:
        """One of them, by its `key_of`."""
        return self._documents.get(key)

    def put_panels(self, views: list[PanelView]) -> None:
        """All of them."""
        self.absent = False
        self._panels = {view.device: view for view in views}

    def put_panel(self, view: PanelView) -> None:
        """One as it is now."""
        self._panels[view.device] = view

    def put_documents(self, views: list[DocumentView]) -> None:
        """All of them."""
        self._documents = {key_of(view): view for view in views}

    def put_document(self, view: DocumentView) -> None:
        """One as it is now."""
        self._documents[key_of(view)] = view

    def drop_panel(self, device: str) -> None:
        """Its device was forgotten."""
        self._panels.pop(device, None)

    def none_here(self) -> None:
        """The hub knows nothing of content."""
        self.absent, self._panels, self._documents = True, {}, {}


def key_of(view: DocumentView) -> str:
    """What a document is called in lists: its kind and its id."""
    return f"{view.kind}/{view.id}"
