"""CPython's zlib, where there is no MicroPython to run the firmware on."""

import io
import zlib

from outpost.port import Inflate

READ_BYTES = 512


class PythonInflate(Inflate):
    """CPython's zlib behind the interface of MicroPython's deflate."""

    def __init__(self, source: io.BytesIO) -> None:
        self._source = source
        self._inflater = zlib.decompressobj()
        self._error = zlib.error

    def readinto(self, buffer: memoryview) -> int:
        data = b""
        while not data and not self._inflater.eof:
            step = self._inflater.unconsumed_tail or self._source.read(READ_BYTES)
            if not step:
                raise EOFError
            try:
                data = self._inflater.decompress(step, len(buffer))
            except self._error as error:
                raise ValueError(str(error))
        buffer[: len(data)] = data
        return len(data)
