"""Accounts as pure rules: who a user is, which names and passwords are taken, and how old something is.

Accounts belong to people who use an older system's app at this site. They have no role at the hub: roles are for
keys.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from edge.clock import Quality, Stamp
from edge.errors import BadInput, Forbidden, NotFound, Unauthenticated

USERS_MAX = 1000  # a site's people; all are held in memory
WAITING_MAX = 100  # accounts waiting for approval: strangers on the network fill no more than this
WAITING_PER_ADDRESS = 5  # a household behind one router; one stranger fills no more than this
WAITING_KEPT_S = 86_400  # whoever has waited longer makes room when there is none
SESSIONS_PER_USER = 20  # phones and browsers of one person; the oldest login ends first
EMAIL_CHARS = 254  # RFC 5321: what fits a mail's path
USERNAME_CHARS = 64
FULL_NAME_CHARS = 100
PREFERENCES_BYTES = 4096
PASSWORD_MIN_CHARS = 8
PASSWORD_MAX_BYTES = 72  # what the old server's bcrypt read of one; longer ones were cut without a word
ACCESS_S = 30 * 60
PAGE_S = 12 * 3600  # of a page that cannot renew its token and logs out when it ends: a working day
REFRESH_S = 7 * 86_400
RESET_S = 3600
REBOOT_COUNTS_MS = 86_400_000  # a power cut of unknown length counts as a day

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@[^\s@.\"(),:;<>\[\]\\]+(\.[^\s@.\"(),:;<>\[\]\\]+)+")
_PERSON_ID = re.compile(r"[0-9a-f]{24}")
_USERNAME = re.compile(r"[A-Za-z0-9_-]+")
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0 and 1, which people mistake
_CODE_CHARS = 8  # the old app's field takes exactly so many, all capitals: 40 bits


class SignUp(StrEnum):
    """Who may make an account for himself (`accounts.signup`)."""

    CLOSED = "closed"  # nobody: an administrator makes them
    APPROVE = "approve"  # anybody, and it opens once an administrator has approved it
    OPEN = "open"  # anybody


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `preferences` is what an app keeps with it, as JSON. `origin` is the network address it was made
    from, while it waits."""

    id: str
    email: str
    username: str
    full_name: str = ""
    created_us: int
    created_by: str = ""
    approved: bool = True
    disabled: bool = False
    preferences: str = "{}"
    origin: str = ""

    @property
    def active(self) -> bool:
        """Whether this account may log in."""
        return self.approved and not self.disabled

    @property
    def actor(self) -> str:
        """Who the audit says did it: the id, since an address is private."""
        return f"user:{self.id}"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login. `since` and `aged_ms`: its refresh token was `aged_ms` old at that moment."""

    id: str
    user_id: str
    refresh_id: str
    created_us: int
    since: Stamp
    aged_ms: int = 0

    def age_ms(self, now: Stamp) -> int:
        """How old its refresh token is."""
        return self.aged_ms + passed_ms(self.since, now)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom head office knows, as it tells of him. `gone`: he has no account there any more."""

    id: str
    email: str = ""
    username: str = ""
    full_name: str = ""
    active: bool = True
    gone: bool = False


class TokenPair(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gives. `page`: an access token that lasts longer, for pages that cannot renew theirs."""

    access: str
    page: str
    refresh: str
    user: User


class WrongPart(BadInput):
    """One field of a form cannot be used; `field` names it."""

    status = 422

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class WrongLogin(Unauthenticated):
    """The name or the password is wrong; which of them is not told."""

    hint = "Check both; an administrator can make a reset code: `outpost user reset EMAIL`."


class NotActive(Forbidden):
    """The account waits for approval, or is disabled."""

    hint = "An administrator opens it: `outpost user approve EMAIL`, `outpost user enable EMAIL`."

    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        super().__init__(f"This account {'waits for an administrator to approve it' if waits else 'is disabled'}.")


class NoSuchCode(NotFound):
    """There is no such reset code, it was used, or its hour is over."""

    hint = "Ask an administrator for another: `outpost user reset EMAIL`."


def passed_ms(before: Stamp, now: Stamp) -> int:
    """How long ago `before` was: by the monotonic clock within a boot; across boots by wall time where both moments
    had a good clock and it did not go backwards; else REBOOT_COUNTS_MS."""
    if before.boot_id == now.boot_id:
        return now.mono_ms - before.mono_ms
    wall_ms = (now.at_us - before.at_us) // 1000
    if before.quality.good and now.quality.good and wall_ms >= 0:
        return wall_ms
    return REBOOT_COUNTS_MS


def stamp_of(at_us: int, quality: str, boot_id: str, mono_ms: int) -> Stamp:
    """A stored moment."""
    return Stamp(at_us, Quality(quality), boot_id, mono_ms)


def new_user_id() -> str:
    """24 hex digits."""
    return secrets.token_hex(12)


def new_reset_code() -> str:
    """A code as the old app's form takes it."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_CHARS))


def clean_code(code: str) -> str:
    """A code as people type it, in the form it was made."""
    return code.strip().upper()[: 4 * _CODE_CHARS]


def clean_email(text: str) -> str:
    """The address as it is compared: trimmed, composed (NFC), lower case. Raises WrongPart."""
    email = unicodedata.normalize("NFC", text.strip()).lower()
    if len(email) > EMAIL_CHARS or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise WrongPart("email", "value is not a valid email address")
    return email


def clean_username(text: str) -> str:
    """The username: letters, digits, - and _. Raises WrongPart."""
    if not _USERNAME.fullmatch(text):
        raise WrongPart("username", "Username can only contain letters, numbers, hyphens, and underscores")
    if len(text) < 3:
        raise WrongPart("username", "Username must be at least 3 characters")
    if len(text) > USERNAME_CHARS:
        raise WrongPart("username", f"Username must be at most {USERNAME_CHARS} characters")
    return text


def clean_full_name(text: str) -> str:
    """A name as shown: one bounded line."""
    return "".join(char for char in text if char.isprintable()).strip()[:FULL_NAME_CHARS]


def check_password(password: str, field: str = "password") -> str:
    """The password itself. Raises WrongPart saying which rule it breaks, never what it is."""
    if len(password) < PASSWORD_MIN_CHARS:
        raise WrongPart(field, f"Password must be at least {PASSWORD_MIN_CHARS} characters")
    if len(password.encode("utf-8", "replace")) > PASSWORD_MAX_BYTES:
        raise WrongPart(field, f"Password must be at most {PASSWORD_MAX_BYTES} characters (bytes of UTF-8)")
    if not any(char.islower() for char in password):
        raise WrongPart(field, "Password must contain at least one lowercase letter")
    if not any(char.isupper() for char in password):
        raise WrongPart(field, "Password must contain at least one uppercase letter")
    if not any(char.isdigit() for char in password):
        raise WrongPart(field, "Password must contain at least one digit")
    return password


def login_key(name: str) -> str:
    """What a login name is found and counted by: an address or a username, in any case. A NUL is nobody's, and no
    database looks it up."""
    return unicodedata.normalize("NFC", name.strip()).lower()[:EMAIL_CHARS].replace("\0", "\ufffd")


def username_from(email: str, is_taken: Callable[[str], bool]) -> str:
    """A username made of an address: what stands before the @, with a number behind it where that is taken."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", email.partition("@")[0]).strip("-")[: USERNAME_CHARS - 4]
    plain = plain if len(plain) >= 3 else f"{plain or 'user'}-user"
    free = (
        name for name in (plain, *(f"{plain}-{number}" for number in range(2, USERS_MAX))) if not is_taken(name)
    )
    return next(free)


def as_told(person: Person, mine: User | None, names: Mapping[str, str], *, now_us: int, actor: str) -> User:
    """The account of somebody whom head office knows, as it tells of him, in place of `mine`; `names`: whose each
    address and username is. Where his username is another's, he gets one like it. Raises BadInput, WrongPart."""
    if not _PERSON_ID.fullmatch(person.id):
        raise BadInput("A person is named by 24 hex digits.")
    name = clean_username(person.username)
    if names.get(name.lower(), person.id) != person.id:
        own = mine.username if mine is not None else ""
        name = own or username_from(name, lambda taken: taken.lower() in names)
    user = mine or User(id=person.id, email="", username="", created_us=now_us, created_by=actor)
    return msgspec.structs.replace(
        user,
        email=clean_email(person.email),
        username=name,
        full_name=clean_full_name(person.full_name),
        approved=True,
        origin="",
        disabled=not person.active,
    )
