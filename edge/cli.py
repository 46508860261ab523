"""The `outpost` command: a table of verbs, each handing over to the part that does it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence

from edge import __version__
from edge.errors import BadInput, ExitCode, OutpostError
from edge.verbs import (
    asset_rules,
    assets,
    bluetooth,
    centre,
    commands,
    config,
    content,
    demo,
    devices,
    doctor,
    export,
    firmware,
    hooks,
    keys,
    knocking,
    log,
    logins,
    paths,
    provision,
    readings,
    safekeeping,
    scan,
    serve,
    sim,
    sites,
    tenants,
    terminal,
    twin,
    users,
    vending,
)
from edge.verbs.output import cell

VERBS = (
    demo, serve, centre, terminal, sim, scan, sites, keys, tenants, users, logins, devices, readings, twin,
    commands, provision, bluetooth, vending, assets, asset_rules, firmware, content, export, hooks, log, knocking,
    doctor, config, paths, safekeeping,
)  # fmt: skip
"""Each has `add(verbs)`, which adds its parsers; a parser's `do` takes the arguments and gives the exit code."""

INTERRUPTED, TERMINATED = 130, 143  # as shells have it for a program ended by ctrl-c, and by `kill`


def parser() -> argparse.ArgumentParser:
    """Every verb with its flags."""
    root = argparse.ArgumentParser(
        prog="outpost",
        description="Run a site's ESP32s from one hub, and lose nothing.",
        epilog="Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 cannot connect.",
    )
    root.add_argument("--version", action="version", version=f"outpost {__version__}")
    verbs = root.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add(verbs)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns its exit code."""
    arguments = parser().parse_args(readings.with_ages(sys.argv[1:] if argv is None else argv))
    try:
        result = arguments.do(arguments)
        return int(asyncio.run(result) if asyncio.iscoroutine(result) else result)
    except OutpostError as error:
        return _complain(error)
    except ExceptionGroup as group:
        foreseen = group.split(OutpostError)[0]
        if foreseen is None:
            raise
        return _complain(_first(foreseen))
    except KeyboardInterrupt:
        return INTERRUPTED
    except asyncio.CancelledError:
        return TERMINATED
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return int(ExitCode.OK)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = "Check the path, and who may use it: technicians are in the group `outpost`."
        what = error.strerror or str(error) or "it took too long"  # a TimeoutError has no words of its own
        return _complain(OutpostError(f"{where}{what}.", hint=hint))


def _complain(error: OutpostError) -> int:
    """What went wrong and what to do, in two lines."""
    sys.stderr.write(f"outpost: {_whole(cell(error.detail))}\n")
    if error.advice and error.advice != BadInput.hint:  # that one says no more than the first line
        sys.stderr.write(f"  {cell(error.advice)}\n")
    return int(error.exit_code)


def _whole(sentence: str) -> str:
    """With a capital and a full stop; a setting, a path or a name at its begin stays as it is."""
    first = sentence.partition(" ")[0]
    begin = sentence[:1].upper() if first.isalpha() and first.islower() else sentence[:1]
    return begin + sentence[1:] + ("" if sentence.endswith((".", "!", "?", "…", ":")) else ".")


def _first(group: ExceptionGroup[OutpostError]) -> OutpostError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


if __name__ == "__main__":
    sys.exit(main())
