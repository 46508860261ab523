"""Lines for the hub's log: kept until a link takes them, bounded, what is shed is counted.

The debug level says how much is kept: 0 errors only, 1 what a technician may want to know, 2 what the device does,
3 everything.
"""

LINES_MAX = 16
TEXT_MAX = 200
ERRORS, INFO, DEBUG, TRACE = 0, 1, 2, 3


class Log:
    """A short queue of {level, text}."""

    def __init__(self, level: int = INFO) -> None:
        self.level = level
        self.last_error = ""
        self._lines = []  # type: list[dict[str, object]]
        self._dropped = 0

    def info(self, text: str) -> None:
        """Something a technician may want to know."""
        if self.level >= INFO:
            self._add("info", text)

    def error(self, text: str) -> None:
        """Something that went wrong."""
        self.last_error = text[:TEXT_MAX]
        self._add("error", text)

    def debug(self, text: str) -> None:
        """What the device does, for somebody who looks for a fault."""
        if self.level >= DEBUG:
            self._add("debug", text)

    def trace(self, text: str) -> None:
        """Every step."""
        if self.level >= TRACE:
            self._add("trace", text)

    def take(self) -> "dict[str, object] | None":
        """The next line as a message, if there is one."""
        if not self._lines:
            return None
        line = self._lines.pop(0)
        line["dropped"] = self._dropped
        self._dropped = 0
        return line

    def _add(self, level: str, text: str) -> None:
        if len(self._lines) >= LINES_MAX:
            self._lines.pop(0)
            self._dropped += 1
        self._lines.append({"type": "log", "level": level, "text": text[:TEXT_MAX]})
