"""The only SQL for accounts, their sessions and reset codes."""

from __future__ import annotations

import secrets

import msgspec

from edge.access.accounts.model import Session, User, stamp_of
from edge.clock import Stamp
from edge.errors import Conflict
from edge.store.transaction import Row, Transaction

USER = "id, email, username, full_name, created_us, created_by, approved_us, disabled, preferences, origin"
SESSION = "id, user_id, refresh_id, created_us, at_us, quality, boot_id, mono_ms, aged_ms"


class Loaded(msgspec.Struct, frozen=True):
    """All that memory holds: users with their hashes, open sessions, and the secret tokens are signed with."""

    users: list[tuple[User, str]]
    sessions: list[Session]
    secret: bytes


def load(tx: Transaction, secret_bytes: int) -> Loaded:
    """Everything; the secret is made when there is none."""
    row = tx.one("SELECT secret FROM account_secret")
    if row is None:
        row = (secrets.token_bytes(secret_bytes),)
        tx.execute("INSERT INTO account_secret(only, secret) VALUES (1, ?)", row)
    users = [(_user(found), str(found[-1])) for found in tx.rows(f"SELECT {USER}, password_hash FROM users")]
    sessions = [_session(found) for found in tx.rows(f"SELECT {SESSION} FROM user_sessions ORDER BY created_us")]
    return Loaded(users, sessions, row[0])


def insert_user(tx: Transaction, user: User, password_hash: str, email_mark: str) -> None:
    """Add an account and its fact. Raises Conflict when its address or username is taken."""
    _require_free(tx, user)
    tx.execute(
        "INSERT INTO users(id, email, username, username_key, full_name, password_hash, created_us, created_by,"
        " approved_us, approved_by, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user.id,
            user.email,
            user.username,
            user.username.lower(),
            user.full_name,
            password_hash,
            user.created_us,
            user.created_by,
            user.created_us if user.approved else None,
            user.created_by if user.approved else "",
            user.origin,
        ),
    )
    tx.fact("user.created", user.id, email_hash=email_mark, approved=user.approved, by=user.created_by)


def save_user(tx: Transaction, user: User, fact: str, actor: str, **body: object) -> None:
    """Write an account as it is now. Raises Conflict when its new address or username is taken."""
    _require_free(tx, user)
    tx.execute(
        "UPDATE users SET email = ?, username = ?, username_key = ?, full_name = ?, disabled = ?, preferences = ?,"
        " origin = ? WHERE id = ?",
        (
            user.email,
            user.username,
            user.username.lower(),
            user.full_name,
            int(user.disabled),
            user.preferences,
            user.origin,
            user.id,
        ),
    )
    if user.approved:
        tx.execute(
            "UPDATE users SET approved_us = ?, approved_by = ? WHERE id = ? AND approved_us IS NULL",
            (tx.stamp.at_us, actor, user.id),
        )
    tx.fact(fact, user.id, **body, by=actor)


def set_password(tx: Transaction, user_id: str, password_hash: str, actor: str) -> None:
    """A new password: every login ends, and a reset code is worth nothing any more."""
    tx.execute("UPDATE users SET password_hash = ? WHERE id = ?", (password_hash, user_id))
    tx.execute("DELETE FROM password_resets WHERE user_id = ?", (user_id,))
    tx.execute("DELETE FROM user_sessions WHERE user_id = ?", (user_id,))
    tx.fact("user.password_set", user_id, by=actor)


def delete_user(tx: Transaction, user_id: str, actor: str) -> None:
    """Erase an account with its sessions and codes."""
    tx.execute("DELETE FROM users WHERE id = ?", (user_id,))
    tx.fact("user.deleted", user_id, by=actor)


def insert_session(tx: Transaction, session: Session, password_hash: str, keep: int) -> bool:
    """Add a login, ending the user's oldest past `keep`; False unless he may log in and still has this password."""
    may = "SELECT 1 FROM users WHERE id = ? AND password_hash = ? AND approved_us IS NOT NULL AND disabled = 0"
    if tx.one(may, (session.user_id, password_hash)) is None:
        return False
    tx.execute(
        f"INSERT INTO user_sessions({SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.id,
            session.user_id,
            session.refresh_id,
            session.created_us,
            session.since.at_us,
            session.since.quality.value,
            session.since.boot_id,
            session.since.mono_ms,
            session.aged_ms,
        ),
    )
    tx.execute(
        "DELETE FROM user_sessions WHERE user_id = ?1 AND id IN"
        " (SELECT id FROM user_sessions WHERE user_id = ?1 ORDER BY created_us DESC, id LIMIT -1 OFFSET ?2)",
        (session.user_id, keep),
    )
    return True


def renew_session(tx: Transaction, session: Session, before: str) -> bool:
    """Give a session its next refresh token; False unless `before` is still the good one."""
    done = tx.one(
        "UPDATE user_sessions SET refresh_id = ?, at_us = ?, quality = ?, boot_id = ?, mono_ms = ?, aged_ms = ?"
        " WHERE id = ? AND refresh_id = ? RETURNING id",
        (
            session.refresh_id,
            session.since.at_us,
            session.since.quality.value,
            session.since.boot_id,
            session.since.mono_ms,
            session.aged_ms,
            session.id,
            before,
        ),
    )
    return done is not None


def end_session(tx: Transaction, session: Session, why: str) -> None:
    """End one login, for a reason worth telling."""
    tx.execute("DELETE FROM user_sessions WHERE id = ?", (session.id,))
    tx.fact("user.session_ended", session.user_id, why=why)


def drop_session(tx: Transaction, session_id: str) -> None:
    """Forget a login that is over."""
    tx.execute("DELETE FROM user_sessions WHERE id = ?", (session_id,))


def end_sessions(tx: Transaction, user_id: str) -> int:
    """End every login of a user; how many there were."""
    return tx.execute("DELETE FROM user_sessions WHERE user_id = ?", (user_id,)).rowcount


def insert_reset(tx: Transaction, user_id: str, code_hash: bytes, now: Stamp, actor: str) -> None:
    """Remember a reset code in place of the user's earlier one."""
    tx.execute(
        "INSERT OR REPLACE INTO password_resets(user_id, code_hash, at_us, quality, boot_id, mono_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, code_hash, now.at_us, now.quality.value, now.boot_id, now.mono_ms),
    )
    tx.fact("user.reset_made", user_id, by=actor)


def find_reset(tx: Transaction, code_hash: bytes) -> tuple[str, Stamp] | None:
    """Whose code this is, and when it was made."""
    row = tx.one(
        "SELECT user_id, at_us, quality, boot_id, mono_ms FROM password_resets WHERE code_hash = ?", (code_hash,)
    )
    return (str(row[0]), stamp_of(*row[1:])) if row else None


def _require_free(tx: Transaction, user: User) -> None:
    """A name looks for addresses and usernames alike at login, so nobody may have another's as his own."""
    other = tx.one(
        "SELECT 1 FROM users WHERE id <> ?1 AND (email IN (?2, ?3) OR username_key IN (?2, ?3))",
        (user.id, user.email, user.username.lower()),
    )
    if other:
        raise taken()


def taken() -> Conflict:
    """Somebody has this address or username already."""
    return Conflict("Email or username already registered", hint="Log in, or give another address and username.")


def _user(row: Row) -> User:
    return User(
        id=row[0],
        email=row[1],
        username=row[2],
        full_name=row[3],
        created_us=row[4],
        created_by=row[5],
        approved=row[6] is not None,
        disabled=bool(row[7]),
        preferences=row[8],
        origin=row[9],
    )


def _session(row: Row) -> Session:
    return Session(
        id=row[0],
        user_id=row[1],
        refresh_id=row[2],
        created_us=row[3],
        since=stamp_of(*row[4:8]),
        aged_ms=row[8],
    )
