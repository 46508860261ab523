"""Pictures in: from any form a caller sends, to the text of its QR code or to a picture for a panel."""

from __future__ import annotations

from edge.content.intake.decoder import Job
from edge.content.intake.decoder_process import DecoderProcess
from edge.content.intake.fetch import Fetcher
from edge.content.intake.forms import PayloadText, PictureUrl, parse_source
from edge.content.render import Panel, Rendered
from edge.errors import BadPicture

_FORMS = "Send a data URI, base64 of a picture file, or the address of a picture."


class Pictures:
    """Takes pictures in. Decoding happens in a process of its own; the loop never waits on one."""

    def __init__(self, fetcher: Fetcher, decoder: DecoderProcess | None = None) -> None:
        self._fetcher = fetcher
        self._decoder = decoder or DecoderProcess()

    async def start(self) -> None:
        """Warm the decoder."""
        await self._decoder.start()

    async def close(self) -> None:
        """End the decoder."""
        await self._decoder.close()

    async def qr_payload(self, source: str | bytes, *, text_allowed: bool = True) -> str:
        """The text of the QR code that `source` is a picture of, or `source` itself where it is plain text.

        `edge.content.intake.forms` tells them apart. With `text_allowed` false (a field that only takes pictures)
        plain text is refused. Raises BadPicture, TooLarge, Busy, Unreachable (a picture's address).
        """
        parsed = parse_source(source)
        if isinstance(parsed, PayloadText):
            if not text_allowed:
                raise BadPicture("this is no picture", hint=_FORMS)
            return parsed.text
        data = await self._fetcher.fetch(parsed.url) if isinstance(parsed, PictureUrl) else parsed.data
        text = (await self._decoder.run(Job(data))).text
        if text is None:
            raise BadPicture("no QR code found")
        return text

    async def photo(self, source: str | bytes, panel: Panel) -> Rendered:
        """The picture in `source`, fitted to `panel`. Raises as qr_payload, which never takes text here."""
        parsed = parse_source(source)
        if isinstance(parsed, PayloadText):
            raise BadPicture("this is no picture", hint=_FORMS)
        data = await self._fetcher.fetch(parsed.url) if isinstance(parsed, PictureUrl) else parsed.data
        photo = (await self._decoder.run(Job(data, panel))).photo
        if photo is None:
            raise BadPicture("this is no picture", hint=_FORMS)
        return photo
