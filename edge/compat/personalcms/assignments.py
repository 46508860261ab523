"""The pictures that were assigned to a board on the old page: a playlist of its own, named by the board's id.

So what was assigned the old way is seen and changed in the terminal and at head office like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.compat.personalcms.papers import Papers, slug
from edge.content.documents.documents import Documents
from edge.content.library.library import Library
from edge.devices.model import Device
from edge.errors import BadInput, NotFound
from edge.wire.content import DocumentKind
from edge.wire.playlists import Entry, Playlist

PICTURES_MAX = 50  # assigned to one board
EACH_S = 300


class Assignments:
    """Reads and writes them."""

    def __init__(self, documents: Documents, library: Library, papers: Papers) -> None:
        self._documents, self._library, self._papers = documents, library, papers

    def of(self, device: Device, playlist: str) -> tuple[str, ...]:
        """The pictures of a board, by id, in order: its own, else those of the `playlist` that it plays."""
        return self._pictures(pictures_of(device)) or (self._pictures(playlist) if playlist else ())

    async def assign(self, device: Device, pictures: Sequence[str], *, actor: str) -> None:
        """These and no others. Raises NotFound for one that is not here, BadInput for too many."""
        if len(pictures) > PICTURES_MAX:
            raise BadInput(f"A board has at most {PICTURES_MAX} pictures.")
        known = [self._library.get(picture).sha256 for picture in pictures]
        name = pictures_of(device)
        if not known:
            await self._papers.drop(DocumentKind.PLAYLIST, name, actor=actor)
            return
        playlist = Playlist(entries=tuple(Entry(picture=picture, seconds=EACH_S) for picture in known))
        await self._papers.publish(
            DocumentKind.PLAYLIST, name, playlist, title=f"Pictures of {device.name}", actor=actor
        )

    def _pictures(self, playlist: str) -> tuple[str, ...]:
        found = self._documents.published(DocumentKind.PLAYLIST, playlist)
        if found is None or not isinstance(found[0], Playlist):
            return ()
        pictures = (entry.picture for entry in found[0].entries if entry.picture)
        return tuple(dict.fromkeys(picture for picture in pictures if self._library.has(picture)))


def pictures_of(device: Device) -> str:
    """What the playlist of a board's assigned pictures is called."""
    return f"cms-pictures-{slug(device.id)}"


def image_ids(values: Sequence[str]) -> list[str]:
    """Image ids as the old form sends them: one a field, or several in one with commas. Raises NotFound."""
    named = [part.strip() for value in values for part in value.split(",") if part.strip()]
    if any(not part.isalnum() for part in named):
        raise NotFound("A picture's id is made of letters and digits.")
    return list(dict.fromkeys(named))
