"""What a device on the network may be refused with, besides what any caller may."""

from __future__ import annotations

from edge.errors import NotAllowed


class NewSession(NotAllowed):
    """There is no such session here: the device says hello anew."""

    code = "new-session"
    status = 401
    retryable = True
    hint = "The device does so by itself; a session ends when the hub restarts or the device's key changes."


class BadSignature(NotAllowed):
    """The signature is wrong, or the number was used before."""

    code = "bad-signature"
    status = 401
    hint = "The device says hello anew. Where it happens often, somebody meddles: see `outpost doctor`."


class UnknownDevice(NotAllowed):
    """Nobody here shares that key."""

    code = "unknown-device"
    status = 403
    hint = "Pair the device anew, or type it a new token: `outpost device token ID`."
