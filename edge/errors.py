"""Every error a person or a client can meet, in one tree.

OutpostError
├── BadInput              what was sent cannot be used; nothing was changed
│   ├── BadPicture        a picture that cannot be shown, or a QR that cannot be read
│   ├── TooLarge          a body, picture or number past its bound
│   ├── GarbledBatch      bytes that are no batch of a hub's
│   ├── BadRange          a part of a file that it has not got (416)
│   ├── BadFirmware       a file that is no firmware, or is damaged, or fits nowhere (422)
│   │   └── Unsigned      firmware that nobody signed who is trusted here (422)
│   ├── RowRejected       a row of a batch that the centre cannot keep (422)
│   └── Rejected          well-formed, but against a rule (422)
├── NotAllowed
│   ├── Unauthenticated   no key, or one that is not known
│   │   └── Revoked       the site this hub speaks for was revoked
│   ├── WrongCode         the code that enrols a hub is not good, or no more
│   ├── Forbidden         the key's role or scope does not reach this
│   └── RateLimited       too many requests; carries retry_after_s
├── NotFound
├── Conflict              the state of the thing does not allow it now
│   ├── DeviceUnavailable the device is offline, pending or without a panel for this
│   ├── Busy              held by somebody else: a port, a database, a display
│   ├── NotSeated         the agent may not have the display he asks for
│   ├── WrongProtocol     hub and centre are too many versions apart
│   ├── SecondHub         another hub speaks for this site
│   ├── SessionOver       a later hello began a new session
│   ├── Expects           not the epoch or row that is wanted next
│   └── Forked            rows that do not follow those the centre has
├── StorageError
│   ├── StorageFull       no space for anything new; what was accepted stays
│   └── StorageDamaged    a database file failed its check
├── Crowded               too many are served the same now; carries retry_after_s
├── LinkError             the conversation with a device broke; says whether a byte left
├── ConfigError           a setting that is unknown, missing or wrong
└── Unreachable           the service to speak to does not answer

One table (`code`, `status`, `exit_code`, `retryable`, `hint`) serves the API's problem+json, the terminal and
the TUI. A `hint` names the next thing to do.
"""

from __future__ import annotations

import os
import ssl
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the `outpost` command returns."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CANNOT_CONNECT = 3


class OutpostError(Exception):
    """The root: something went wrong that Outpost foresaw."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = "See the hub's log; `outpost doctor` checks the usual causes."
    retry_after_s: float | None = None  # where it is known when to try again

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        super().__init__(detail or (self.__doc__ or self.code).split("\n", 1)[0])
        self.detail = str(self)
        self.advice = hint if hint is not None else type(self).hint


class BadInput(OutpostError):
    """What was sent cannot be used; nothing was changed."""

    code = "bad-input"
    status = 400
    exit_code = ExitCode.USAGE
    hint = "Correct the request and send it again."


class BadPicture(BadInput):
    """The picture cannot be shown."""

    code = "bad-picture"
    status = 422
    hint = "Send a PNG, JPEG, GIF, WebP or BMP picture of one QR code, or the code's text itself."


class TooLarge(BadInput):
    """The body, picture or number is past its bound."""

    code = "too-large"
    status = 413
    hint = "Send something smaller; docs/reference/limits.md lists the bounds."


class GarbledBatch(BadInput):
    """These bytes are no batch."""

    code = "not-a-batch"
    retryable = True
    hint = "What is between hub and centre changed them; the hub sends them again."


class BadRange(BadInput):
    """The file has no such part."""

    code = "bad-range"
    status = 416
    hint = "Content-Range says how long it is."


class BadFirmware(BadInput):
    """This is no firmware that could run anywhere here."""

    code = "bad-firmware"
    status = 422
    hint = "Build it with `outpost firmware build`, or send the app image that your build tool makes for updates."


class Unsigned(BadFirmware):
    """Nobody has signed this firmware who is trusted here."""

    code = "unsigned"
    hint = (
        "Sign it: `outpost firmware sign FILE --key KEY`; trust its key: `outpost firmware trust add NAME KEY.pub`."
    )


class RowRejected(BadInput):
    """A row of the batch cannot be kept; none of the batch was."""

    code = "row-rejected"
    status = 422
    hint = "The hub finds the row, sets it aside and goes on: `outpost site letters` lists such rows."


class Rejected(BadInput):
    """The request is well-formed, but a rule forbids it."""

    code = "rejected"
    status = 422


class NotAllowed(OutpostError):
    """The caller may not do this."""

    code = "not-allowed"
    status = 403


class Unauthenticated(NotAllowed):
    """No key was given, or it is not known here."""

    code = "unauthenticated"
    status = 401
    hint = "Send `Authorization: Bearer KEY`; `outpost key create NAME --role ROLE` makes one."


class Revoked(Unauthenticated):
    """The site that this hub speaks for was revoked."""

    code = "revoked"
    hint = "Ask head office for a new code, then `outpost site enrol CODE`."


class WrongCode(NotAllowed):
    """The code is not known, or was used, or is older than a day."""

    code = "wrong-code"
    hint = "Ask head office for a new one: `outpost site code NAME` there."


class Forbidden(NotAllowed):
    """The key is known, but its role does not reach this."""

    code = "forbidden"
    hint = "Use a key with a higher role; `outpost key list` shows the roles."


class RateLimited(NotAllowed):
    """Too many requests from this caller."""

    code = "rate-limited"
    status = 429
    retryable = True
    hint = "Wait as long as Retry-After says, then send again."
    retry_after_s: float

    def __init__(self, detail: str = "", *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotFound(OutpostError):
    """There is no such thing here."""

    code = "not-found"
    status = 404
    hint = "List what there is: `outpost device list`, `outpost command list`."


class Conflict(OutpostError):
    """The state of the thing does not allow this now."""

    code = "conflict"
    status = 409
    hint = "Look at its present state, then decide."


class DeviceUnavailable(Conflict):
    """The device cannot take this now."""

    code = "device-unavailable"
    retryable = True
    hint = "Check the device's cable, power and approval: `outpost device show ID`."


class Busy(Conflict):
    """It is held by somebody else."""

    code = "busy"
    retryable = True
    hint = "`outpost doctor` names the holder."


class NotSeated(Conflict):
    """The agent may not have the display he asks for."""

    code = "not-seated"
    hint = "A technician seats him: `outpost device seat ID AGENT`."


class WrongProtocol(Conflict):
    """Hub and centre are too many versions apart to speak with each other."""

    code = "protocol"
    hint = "Update the older of the two; the hub keeps everything until then."


class SecondHub(Conflict):
    """Another hub speaks for this site."""

    code = "second-hub"
    hint = "To let this one take over, ask head office for a new code, then `outpost site enrol CODE`."


class SessionOver(Conflict):
    """The session is over: a later hello began a new one."""

    code = "session-over"
    retryable = True
    hint = "The hub says hello again by itself."


class Expects(Conflict):
    """The centre wants another epoch, row or series next."""

    code = "expects"
    retryable = True
    hint = "The hub says hello again and learns what is wanted."


class Forked(Conflict):
    """These rows do not follow those that the centre has."""

    code = "forked"
    hint = "The hub says hello again and begins a new epoch where the two part."


class StorageError(OutpostError):
    """The disk or a database failed."""

    code = "storage"
    status = 503
    retryable = True


class StorageFull(StorageError):
    """There is no space for anything new; what was accepted is kept."""

    code = "storage-full"
    status = 507
    hint = "Free disk space on the hub; it goes on by itself."


class StorageDamaged(StorageError):
    """A database file failed its check."""

    code = "storage-damaged"
    hint = "Restore the last good copy: `outpost restore FILE --data-dir DIR`."


class Crowded(OutpostError):
    """Too many are being served the same now."""

    code = "crowded"
    status = 503
    retryable = True
    hint = "Wait as long as Retry-After says, then ask again; what was fetched need not be fetched again."
    retry_after_s: float

    def __init__(self, detail: str = "", *, retry_after_s: float = 10.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class LinkError(OutpostError):
    """The conversation with the device broke.

    `sent_bytes` says whether anything can have reached the device: 0 means certainly nothing.
    """

    code = "link"
    status = 502
    retryable = True
    hint = "Check the cable and the port: `outpost doctor`."

    def __init__(self, detail: str = "", *, sent_bytes: int = 0, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.sent_bytes = sent_bytes


class ConfigError(OutpostError):
    """A setting is unknown, missing or wrong."""

    code = "config"
    exit_code = ExitCode.USAGE
    hint = "`outpost config show` prints every setting and where it came from."


class Unreachable(OutpostError):
    """The service does not answer."""

    code = "unreachable"
    status = 503
    exit_code = ExitCode.CANNOT_CONNECT
    retryable = True
    hint = "Is it running? `outpost doctor` checks."


def reason_of(error: BaseException) -> str:
    """Why a connection failed, as a person says it: the system's word, without those of the calls around it."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {cause.verify_message or cause.reason}"
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0).lower()
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
