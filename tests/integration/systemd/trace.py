"""Every system call of a service's whole life, without privileges, and what its unit would say to them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.integration.systemd import units
from tests.tools import needs_tool

Trace = list[tuple[str, str]]
"""Each call's name, and the rest of strace's line."""

_CALL = re.compile(r"^\d+ +(\w+)\((.*)")
_REFUSED_HARMLESSLY = {
    "chown",  # the socket is given to the group of technicians, which the unit's Group= has done already
    "fchown",  # SQLite gives its journals to the database's owner, and tries only as root, which the service is not
}


def wrapper(trace: Path) -> list[str]:
    """What the service is started with, to be traced into this file."""
    privileges = ["--no-new-privs"] + (["--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else [])
    tracing = [needs_tool("strace"), "-f", "-qq", "-y", "-s", "256", "-o", str(trace)]
    return [needs_tool("setpriv"), *privileges, *tracing]


def read(trace: Path) -> Trace:
    """What was traced."""
    found = [_CALL.match(line) for line in trace.read_text("utf-8", "replace").splitlines()]
    return [(match[1], match[2]) for match in found if match]


def refused(trace: Trace, unit: str) -> set[str]:
    """Calls that the unit's filter would refuse, and that matter."""
    return {name for name, _ in trace} - units.allowed_syscalls(unit) - _REFUSED_HARMLESSLY


def writable_and_executable(trace: Trace) -> list[str]:
    """Memory that was, or was made, both."""
    both = [rest for name, rest in trace if name == "mmap" and "PROT_WRITE" in rest and "PROT_EXEC" in rest]
    return both + [rest for name, rest in trace if name in ("mprotect", "pkey_mprotect") and "PROT_EXEC" in rest]


def families(trace: Trace) -> set[str]:
    """Of the sockets that were opened."""
    return {rest.split(",")[0] for name, rest in trace if name in ("socket", "socketpair")}


def written(trace: Trace) -> set[str]:
    """Paths that were opened for writing."""
    opened = [rest for name, rest in trace if name in ("open", "openat", "creat") and " = -1 " not in rest]
    writing = [rest for rest in opened if re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest)]
    return {match[1] for rest in writing if (match := re.search(r"= \d+<([^>]*)>", rest))}


def namespaces_and_id_bits(trace: Trace) -> list[str]:
    """Namespaces entered, and files made that would run as somebody else."""
    entered = [rest for name, rest in trace if name in ("unshare", "setns") or "CLONE_NEW" in rest]
    return entered + [rest for name, rest in trace if "chmod" in name and "S_ISUID" in rest]
