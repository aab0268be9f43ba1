"""A load that wants to use up a server's memory, and what memory its processes have."""

import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

ADDRESS = "/api/v1/runtime/simulate"
_PIECE = b"x" * 65_536
_TOKENS = ["x.y.z", "A" * 8000, "eyJhbGciOiJub25lIn0.e30.", ".".join(["e" * 2000] * 3), "aos_" + "k" * 500]
_BROKEN = [
    b"{",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xff\xfe{}",
    b"1" * 100_000,
    b'"' + b"\\u0000" * 50_000 + b'"',
]


def assault(url: str, megabytes: int = 300) -> None:
    """One round: hostile tokens, broken JSON, two bodies of so many MB (one says 300), 5,000 headers."""
    with httpx.Client(base_url=url, timeout=30) as client:
        for token in _TOKENS:
            _refused(client, b"{}", {"Authorization": f"Bearer {token}"})
        for body in _BROKEN:
            _refused(client, body, {"Content-Type": "application/json"})
    head = f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
    piece, pieces = b"%x\r\n%b\r\n" % (len(_PIECE), _PIECE), megabytes * 1_000_000 // len(_PIECE)
    _send(url, head + b"Content-Length: 300000000\r\n\r\n", _PIECE, pieces)
    _send(url, head + b"Transfer-Encoding: chunked\r\n\r\n", piece, pieces)
    _send(url, head, b"".join(b"X-%d: y\r\n" % n for n in range(5000)), 1)


def _refused(client: httpx.Client, body: bytes, headers: dict[str, str]) -> None:
    with suppress(httpx.TransportError):  # it hung up before all was sent
        assert 400 <= client.post(ADDRESS, content=body, headers=headers).status_code < 500


def _send(url: str, head: bytes, piece: bytes, pieces: int) -> None:
    """Send until the server hangs up: that is its right, and the sooner the better."""
    to = urlsplit(url)
    with socket.create_connection((to.hostname, to.port or 80), 30) as connection, suppress(OSError):
        connection.sendall(head)
        for _ in range(pieces):
            connection.sendall(piece)
        connection.recv(1000)


def resident_mb(pid: int) -> dict[int, float]:
    """The memory (VmRSS, MB) of a process and of its children of Python, by their ids."""
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    found = {}
    for member in family:
        with suppress(OSError):
            if b"python" in Path(f"/proc/{member}/cmdline").read_bytes():
                status = Path(f"/proc/{member}/status").read_text()
                found[member] = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return found
