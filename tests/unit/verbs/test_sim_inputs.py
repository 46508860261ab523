"""What is said on the command line to be around a virtual device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import BadInput
from edge.verbs.sim_field import set_inputs


def test_it_is_put_beside_what_is_said_already(tmp_path: Path) -> None:
    set_inputs(tmp_path / "board", [])
    assert not (tmp_path / "board").exists()
    set_inputs(tmp_path / "board", ["temperature=21.5", "motion=true", "nfc=04A1B2C3"])
    set_inputs(tmp_path / "board", ["temperature=22"])
    said = json.loads((tmp_path / "board" / "inputs.json").read_text())
    assert said == {"temperature": 22, "motion": True, "nfc": "04A1B2C3"}
    with pytest.raises(BadInput):
        set_inputs(tmp_path, ["temperature"])
