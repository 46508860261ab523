"""Prometheus text: `outpost_` names, base units, few labels and never a device's text."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One metric: its name without the prefix, its type and help, and its values by label text (`{state="…"}`)."""

    name: str
    kind: str
    help: str
    values: dict[str, float]


class Metrics:
    """All metrics, read when asked for."""

    def __init__(self, sources: list[Callable[[], list[Sample]]]) -> None:
        self._sources = sources

    def text(self) -> str:
        """The exposition format, version 0.0.4."""
        lines: list[str] = []
        for source in self._sources:
            for sample in source():
                name = f"outpost_{sample.name}"
                lines += [f"# HELP {name} {sample.help}", f"# TYPE {name} {sample.kind}"]
                lines += [f"{name}{labels} {value:.15g}" for labels, value in sample.values.items()]
        return "\n".join(lines) + "\n"
