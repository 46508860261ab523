"""Lines for the hub's log: kept until the link takes them, bounded, what is shed is counted."""

LINES_MAX = 16
TEXT_MAX = 200


class Log:
    """A short queue of {level, text}."""

    def __init__(self) -> None:
        self._lines = []  # type: list[dict[str, object]]
        self._dropped = 0

    def info(self, text: str) -> None:
        """Something a technician may want to know."""
        self._add("info", text)

    def error(self, text: str) -> None:
        """Something that went wrong."""
        self._add("error", text)

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
