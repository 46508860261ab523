"""Load from a process of its own: keep-alive clients that each send one request after another.

`python http_load.py PORT SECONDS CLIENTS CORE` reads a JSON list of whole requests (text) from standard input;
client n sends number n modulo their count. Prints one JSON line: answers by status, seconds, and the latencies'
quantiles in milliseconds. Plain epoll, because the load must cost less than what it measures.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections import Counter

READ_BYTES = 65536


def load(port: int, seconds: float, requests: list[bytes], clients: int) -> dict[str, object]:
    """Send for `seconds`; what came back."""
    poll, sockets = select.epoll(), {}
    for number in range(clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[sock.fileno()] = sock, requests[number % len(requests)]
        poll.register(sock, select.EPOLLIN)
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    sent_at = {fd: time.perf_counter() for fd in sockets}
    began, buffers = time.perf_counter(), dict.fromkeys(sockets, b"")
    for sock, request in sockets.values():
        sock.sendall(request)
    while (now := time.perf_counter()) - began < seconds:
        for fd, _ in poll.poll(1.0):
            sock, request = sockets[fd]
            buffers[fd] += sock.recv(READ_BYTES)
            status = answered(buffers[fd])
            if status:
                statuses[status] += 1
                latencies.append((now := time.perf_counter()) - sent_at[fd])
                buffers[fd], sent_at[fd] = b"", now
                sock.sendall(request)
    took = time.perf_counter() - began
    latencies.sort()
    quantile = {f"p{q}_ms": round(1000 * latencies[int(len(latencies) * q / 100)], 2) for q in (50, 99)}
    return {"statuses": statuses, "seconds": took, **quantile}


def answered(data: bytes) -> int:
    """The status of the answer in `data` once it is whole, else 0. Raises ConnectionError at a hang-up."""
    if not data:
        raise ConnectionError("the server hung up")
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return 0
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
    return int(data[9:12]) if len(body) >= length else 0


if __name__ == "__main__":
    port, seconds, clients, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    requests = [text.encode() for text in json.load(sys.stdin)]
    print(json.dumps(load(int(port), float(seconds), requests, int(clients))))
