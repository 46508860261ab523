"""On a really full file system, in a mount namespace of its own: `python -m tests.unit.store.full_disk DIR`.

Mounts 12 MB of memory on DIR, fills it, and tells as JSON what the store did.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from edge.errors import StorageError, StorageFull
from edge.store.database import Store
from edge.store.ledger import verify
from tests.unit.store.conftest import store_at

ROOM_MB = 12
ROW_BYTES = 20_000


async def main(folder: Path) -> dict[str, object]:
    """Fill it; what was kept, what was refused, and whether it goes on."""
    store = store_at(folder, floor_mb=1, ballast_mb=2)
    await store.open()
    told: dict[str, object] = {"ballast_at_start": (folder / "ballast").exists()}
    kept = 0
    (folder / "filler").write_bytes(bytes(max(0, store.space.free_bytes() - 1_000_000)))
    store.space.free_bytes()  # it looks once a second by itself
    told["low"] = _is_refused(store)
    try:
        while True:
            await store.hub.write(lambda tx: tx.fact("told", "x", text="x" * ROW_BYTES))
            kept += 1
    except StorageError as error:
        told["refused"], told["is_full"] = type(error).__name__, isinstance(error, StorageFull)
    told["ballast_after"] = (folder / "ballast").exists()
    told["goes_on"] = bool(await store.hub.write(lambda tx: tx.fact("told", "small")))
    told["whole"] = await verify(store.hub) == kept + 1
    (folder / "filler").unlink()
    await store.close()
    store = store_at(folder, floor_mb=1, ballast_mb=2)
    await store.open()
    told["ballast_again"] = (folder / "ballast").exists()
    await store.close()
    return told


def _is_refused(store: Store) -> bool:
    try:
        store.space.require()
    except StorageFull:
        return True
    return False


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "none", str(folder)], check=True)
    print(json.dumps(asyncio.run(main(folder))))
