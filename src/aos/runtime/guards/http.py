"""One exchange over HTTP on the guarded network. The one module that knows httpx."""

import ssl
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpcore
import httpx

import aos
from aos.runtime.guards import GuardError
from aos.runtime.guards.fields import check_headers
from aos.runtime.guards.network import Network, usual_tls
from aos.runtime.guards.patience import Patience
from aos.runtime.guards.streams import GuardedBackend

__all__ = ["SAFE_METHODS", "Answer", "Request", "exchange", "origin"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They only read (RFC 9110, section 9.2.1)."""

_REDIRECTS = {301, 302, 303, 307, 308}
_KEPT_ACROSS_ORIGINS = {"accept", "accept-language", "user-agent"}
"""Nobody can tell which other header is a credential: X-Api-Key is one to some services."""


class Request(NamedTuple):
    """What to send. `body` None: none."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Answer(NamedTuple):
    """What came back: header names in lower case, repeated ones joined by ", ", the body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    network: Network, request: Request, patience: Patience, *, max_bytes: int, max_redirects: int = 0
) -> Answer:
    """Send `request` and read the answer, whatever its status but a redirect that is not followed.

    Every redirect connects through the same guard. To another origin go neither the body nor headers that could be
    credentials, and never from https to http. `max_bytes` bounds the unpacked body.

    Raises GuardError: ADDRESS_REFUSED, BAD_PARAMS, BAD_REPLY, CANCELLED, CONNECTION, INPUT_TOO_LARGE,
    REPLY_TOO_LARGE or TIMEOUT. Its effect is "none" if nothing was sent, else "unknown".
    """
    check_headers(request.headers)
    for redirects in range(max_redirects + 1):
        backend = GuardedBackend(network, patience)
        try:
            answer = _once(network, request, backend, max_bytes)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            request = _redirected(request, answer, allowed=redirects < max_redirects)
        except GuardError as error:
            error.effect = "unknown" if redirects or backend.sent else "none"
            raise
    raise AssertionError("the last answer is returned or refused")


def origin(url: str) -> str:
    """Scheme, host and port of a URL, as in `https://api.example.com`: no path, query or credentials."""
    parsed = _parse(url)
    host = parsed.raw_host.decode()
    named = f"[{host}]" if ":" in host else host
    return f"{parsed.scheme}://{named}" + (f":{parsed.port}" if parsed.port else "")


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise GuardError("BAD_PARAMS", f"the URL can't be read: {error}") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise GuardError("BAD_PARAMS", "the URL needs http:// or https:// and a host")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise GuardError("BAD_PARAMS", f"port {parsed.port} does not exist")
    return parsed


def _once(network: Network, request: Request, backend: GuardedBackend, max_bytes: int) -> Answer:
    url = _parse(request.url)
    headers = {"User-Agent": f"aos/{aos.__version__}", "Accept": "*/*"}
    headers = {name: value for name, value in headers.items() if name.lower() not in _lower(request.headers)}
    headers |= {**request.headers, "Accept-Encoding": "gzip"}
    tls = (network.tls or usual_tls()) if url.scheme == "https" else None
    transport = _Transport(tls, backend)
    try:
        with (
            httpx.Client(transport=transport, trust_env=False, timeout=None) as client,
            client.stream(request.method, url, headers=headers, content=request.body) as response,
        ):
            return Answer(response.status_code, dict(response.headers), _body(response, max_bytes))
    except httpcore.RemoteProtocolError as error:
        if backend.ended:
            raise GuardError("CONNECTION", "the other side closed before its answer was complete") from None
        raise GuardError("BAD_REPLY", f"no valid HTTP: {error}") from None
    except httpx.RemoteProtocolError as error:  # httpx looks where a redirect leads, followed or not
        raise GuardError("BAD_REPLY", str(error)) from None
    except (httpcore.LocalProtocolError, UnicodeError) as error:
        raise GuardError("BAD_PARAMS", f"no valid request: {error}") from None
    except httpcore.NetworkError as error:
        raise GuardError("CONNECTION", f"the connection broke: {error}") from None


def _lower(headers: Mapping[str, str]) -> set[str]:
    return {name.lower() for name in headers}


def _body(response: httpx.Response, max_bytes: int) -> bytes:
    """The body, unpacked no further than the limit: a few kilobytes of gzip can hold gigabytes."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", ""):
        raise GuardError("BAD_REPLY", f"packed as {packing[:40]!r}, which was not asked for")
    unpack = _Gzip() if "gzip" in packing else None
    body = bytearray()
    for piece in response.iter_raw():
        body += unpack.some(piece, max_bytes + 1 - len(body)) if unpack else piece
        if len(body) > max_bytes:
            raise GuardError("REPLY_TOO_LARGE", f"over {max_bytes:,} bytes")
    if unpack:
        unpack.end()
    return bytes(body)


class _Gzip:
    """One gzip member after the other: together they are the body (RFC 1952, section 2.2)."""

    def __init__(self) -> None:
        self._member = _member()
        self._begun = False

    def some(self, packed: bytes, most: int) -> bytes:
        """What the next piece unpacks to, at most that many bytes of it."""
        unpacked = bytearray()
        try:
            while packed and len(unpacked) < most:
                if self._member.eof:
                    self._member = _member()
                self._begun = True
                unpacked += self._member.decompress(packed, most - len(unpacked))
                packed = self._member.unused_data
        except zlib.error as error:
            raise GuardError("BAD_REPLY", f"no valid gzip: {error}") from None
        return bytes(unpacked)

    def end(self) -> None:
        """Raises GuardError(BAD_REPLY) within a member; nothing at all is what answers without a body hold."""
        if self._begun and not self._member.eof:
            raise GuardError("BAD_REPLY", "the gzip ends before its end")


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


def _redirected(request: Request, answer: Answer, *, allowed: bool) -> Request:
    """What to ask next. RFC 9110, section 15.4: 303 asks with GET, and so do clients after a POST for 301 and 302."""
    here = _parse(request.url)
    target = _joined(here, answer.headers["location"])
    if not allowed:
        raise GuardError("BAD_REPLY", f"{answer.status}: redirected to {origin(target)}, no further allowed")
    if here.scheme == "https" and target.startswith("http:"):
        raise GuardError("BAD_REPLY", f"redirected from https to {origin(target)}")
    method, body, headers = request.method, request.body, dict(request.headers)
    if (answer.status == 303 and method != "HEAD") or (answer.status in (301, 302) and method == "POST"):
        method, body = "GET", None
    if origin(target) != origin(request.url):
        if body is not None:
            raise GuardError("BAD_REPLY", f"the body would go to {origin(target)}, another origin")
        headers = {name: value for name, value in headers.items() if name.lower() in _KEPT_ACROSS_ORIGINS}
    if body is None:
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    return Request(method, target, headers, body)


def _joined(base: httpx.URL, location: str) -> str:
    """Where a redirect leads. Raises GuardError(BAD_REPLY): the caller's own URL was good."""
    try:
        target = str(base.join(location))
        _parse(target)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise GuardError("BAD_REPLY", f"redirected to something that is no URL: {error}") from None
    except GuardError as error:
        raise GuardError("BAD_REPLY", f"redirected to {location[:80]}: {error.detail}") from None
    return target


class _Transport(httpx.BaseTransport):
    """httpx's own transport takes no network backend; this one is httpcore's pool with ours."""

    def __init__(self, tls: ssl.SSLContext | None, backend: GuardedBackend) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=backend, max_connections=1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = self._pool.handle_request(
            httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
