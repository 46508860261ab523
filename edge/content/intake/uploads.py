"""Pictures to keep: each is opened in a process of its own that ends with it, one at a time.

The hub's warm decoder reads payment codes, which must not wait behind somebody's photo of 25 megapixels; and what a
picture could do to its decoder, no other picture would ever meet.
"""

from __future__ import annotations

import asyncio

from edge.content.intake.decoder import Job
from edge.content.intake.decoder_process import DecoderProcess
from edge.content.intake.forms import bounded
from edge.content.intake.normal import Kept
from edge.errors import BadPicture

DEADLINE_S = 40.0  # the largest takes 4 s on a fast machine, ten times that on a Pi Zero


class Uploads:
    """Makes uploads into pictures to keep."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def normalised(self, data: bytes) -> Kept:
        """The picture file in `data`, as it is kept. Raises BadPicture, TooLarge, Unreachable."""
        if not data:
            raise BadPicture("the picture is empty")
        async with self._turn:
            decoder = DecoderProcess(job_deadline_s=DEADLINE_S)
            try:
                kept = (await decoder.run(Job(bounded(data), keep=True))).kept
            finally:
                await decoder.close()
        if kept is None:
            raise BadPicture("this is no picture that can be read")
        return kept
