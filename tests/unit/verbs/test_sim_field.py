"""What a virtual device's terminal shows of its console."""

from __future__ import annotations

from edge.verbs.sim_field import Told


def test_a_code_is_told_once_with_the_command_that_it_is_for() -> None:
    said: list[str] = []
    told = Told("A0B7650C2D31", said.append)
    for line in (
        "pairing code 118204",
        "pairing code 118204",
        "hello",
        "pairing code 118204",
        "pairing code 493817",
    ):
        told.hear(line)
    approve = "outpost device approve A0B7650C2D31 --code"
    assert said == [
        f"It shows the pairing code 118204: {approve} 118204",
        "hello",
        f"It shows the pairing code 493817: {approve} 493817",
    ]
