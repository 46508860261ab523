"""The usual way to build such a server: FastAPI, SQLAlchemy and aiosqlite, a session and a commit for each request.

`python fastapi_server.py FOLDER`. WAL and synchronous=FULL, as the hub has them.
"""

import socket
import sqlite3
import sys
import time
from pathlib import Path

import fastapi
import uvicorn
from pydantic import BaseModel
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PATH = Path(sys.argv[1]) / "usual.db"


class Base(DeclarativeBase):
    """The tables."""


class Reading(Base):
    """One value."""

    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    at_us: Mapped[int]
    key: Mapped[str]
    value: Mapped[float]


class Report(BaseModel):
    """What a device sends."""

    device_token: str
    data: dict[str, float]


engine = create_async_engine(f"sqlite+aiosqlite:///{PATH}")
sessions = async_sessionmaker(engine)
app = fastapi.FastAPI()


@event.listens_for(engine.sync_engine, "connect")
def full(connection: sqlite3.Connection, _: object) -> None:
    """Each commit on disk."""
    connection.execute("PRAGMA synchronous = FULL")


@app.post("/telemetry")
async def report(sent: Report) -> dict[str, object]:
    """Store it."""
    now_us = time.time_ns() // 1000
    async with sessions() as session:
        session.add_all(
            Reading(token=sent.device_token, at_us=now_us, key=key, value=value) for key, value in sent.data.items()
        )
        await session.commit()
    return {
        "message": "ok",
        "device_id": "0" * 24,
        "led": 0,
        "updated_data": sent.data,
        "timestamp": "2026-11-21T09:00:00.000",
    }


if __name__ == "__main__":
    with sqlite3.connect(PATH) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
    Base.metadata.create_all(create_engine(f"sqlite:///{PATH}"))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready fastapi http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
