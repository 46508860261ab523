"""Logging: JSON lines under systemd, readable on a terminal, one place where secrets are taken out."""

from __future__ import annotations

import logging
import os
import re
import sys
from datetime import UTC, datetime

import msgspec

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_SECRETS = re.compile(
    r"(?i:authorization)[\"']?\s*[:=]\s*[\"']?(?:(?i:bearer|basic)\s+)?[^\s\"',}]+"
    r"|op_[0-9a-f]{8}_[\w-]{20,}|whs_[\w-]{20,}"  # our keys and tokens, webhooks' secrets
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # tokens of accounts
    r"|(?i:bearer)\s+[\w.~+/-]+=*"
    r"|(?i:x-api-key|password|token)[\"']?\s*[:=]\s*[\"']?[^\s\"',}]+"
    r"|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"  # of a database's URL
    r"|data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]+"
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """`text` without keys, tokens, passwords and pictures."""
    return _SECRETS.sub(REDACTED, text)


def _one_line(text: str) -> str:
    """Control characters escaped, so that nobody writes a second line or colours into a log."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _writable(text: str) -> str:
    """`text` with half surrogates, which no encoding can write, escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _extras(record: logging.LogRecord) -> dict[str, str]:
    return {key: redact(str(value)) for key, value in record.__dict__.items() if key not in _STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object a line: ts, level, logger, event, and what the caller adds."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, str] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact(record.getMessage()),
            **_extras(record),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return msgspec.json.encode({key: _writable(text) for key, text in line.items()}).decode()


class Readable(logging.Formatter):
    """Time, level, text and extras, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, followed by a traceback where there is one."""
        when = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        extras = " ".join(f"{key}={_one_line(value)}" for key, value in _extras(record).items())
        text = f"{when} {record.levelname.lower():7} {_one_line(redact(record.getMessage()))}"
        text = f"{text}  {extras}" if extras else text
        return f"{text}\n{redact(self.formatException(record.exc_info))}" if record.exc_info else text


def set_up(level: str, style: str) -> None:
    """Send every logger to standard error. `style`: json, text, or auto (json when systemd reads it)."""
    as_json = style == "json" or (style == "auto" and "JOURNAL_STREAM" in os.environ)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else Readable())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiosqlite").setLevel("WARNING")
    logging.getLogger("alembic").setLevel("WARNING")  # what it tells of each start is about itself
    logging.getLogger("aiohttp.access").setLevel("WARNING")
