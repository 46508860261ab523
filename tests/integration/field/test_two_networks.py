"""A hub between two networks, as an access point for machines has them, tells each its own address there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tools import needs_root, needs_tool

UNSHARE, _, _ = needs_tool("unshare"), needs_tool("nsenter"), needs_tool("ip")
needs_root("have networks of its own")
ROOT = Path(__file__).parents[3]


def test_each_network_is_told_the_hubs_address_on_it_and_no_way_out_is_needed() -> None:
    said = subprocess.run(
        [UNSHARE, "-n", sys.executable, "-m", "tests.integration.field.two_networks"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert said.stdout.splitlines() == [
        "FLASK_SERVER:10.7.0.1 10.7.0.1 12346",
        "FLASK_SERVER:10.8.0.1 10.8.0.1 12346",
    ], said.stderr[-1000:]
