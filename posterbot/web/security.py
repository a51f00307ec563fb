"""Who may see the pages, and who may press their buttons.

The server is open to every program of its machine, and by way of a browser to every site that its user visits. So
*every* answer but style sheets, scripts and refusals takes a token: it stands in the URL that is printed at the start,
then in a cookie that no script can read and no other site can have sent. A request has to name this machine as its
``Host`` (a page whose name is made to point here, *DNS rebinding*, names itself), and what changes something has to
come from one of our own pages (``Origin``, and a second token that only these know).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from posterbot.web.site import PageError, Site

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = "*"
"""Among the hosts: every address in digits, as nobody can make one point elsewhere."""
MOST_BYTES = 1 << 20
"""Of a form."""
MOST_FIELDS = 2000
OPEN = "/static/"
"""What is under this path is no secret."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise. Other sites are told no referrer; without any, browsers would not say
where our own forms come from."""

_log = logging.getLogger(__name__)


class Guard:
    """Everything that comes in passes here first, and everything that goes out last.

    Args:
        app: what answers.
        site: how its errors are shown.
        token: who has it may come in; None: everybody who is asked for nothing else.
        hosts: names by which the server is reached, beside those of loopback, without ports.
    """

    def __init__(self, app: ASGIApp, site: Site, token: str | None, hosts: Collection[str]) -> None:
        self._app = app
        self._site = site
        self._token = token
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no web sockets
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        answer: Response | None
        try:
            answer = self._door(request)
            if answer is None:
                if request.method not in ("GET", "HEAD"):
                    receive = await self._read_form(request)
                await self._app(scope, receive, send_guarded)
                return
        except PageError as error:
            answer = self._site.error(request, error)
        except Exception:
            _log.exception("%s %s failed", request.method, scope["path"])
            if begun:
                raise
            answer = self._site.error(request, PageError(500, "This went wrong here; the terminal says how."))
        await answer(scope, receive, send_guarded)

    def _door(self, request: Request) -> Response | None:
        """An answer, where the request goes no further. Raises PageError."""
        name, port = _host(request.headers)
        if not (name in LOOPBACK or name in self._hosts or (ANY_ADDRESS in self._hosts and _in_digits(name))):
            raise PageError(421, "This server is not known by that name; open the address that it printed.")
        if self._token is None or request.url.path.startswith(OPEN):
            return None
        cookie = f"posterbot-{port}"
        given = request.query_params.get("token")
        if given is not None and request.method == "GET" and _equal(given, self._token):
            rest = urlencode([(key, value) for key, value in request.query_params.multi_items() if key != "token"])
            path = "/" + request.url.path.lstrip("/")  # "//else.where" would lead there
            answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
            answer.set_cookie(cookie, self._token, httponly=True, samesite="strict", path="/")
            return answer
        # Starlette's own reading joins several headers wrongly; there is only one in HTTP/1.1.
        if not _equal(cookie_parser(request.headers.get("cookie", "")).get(cookie, ""), self._token):
            raise PageError(401, "Open the address with ?token=… that posterbot serve printed when it started.")
        return None

    async def _read_form(self, request: Request) -> Receive:
        """Read a form into ``request.state.form`` once it is known to be ours. Raises PageError."""
        if request.method != "POST":
            raise PageError(405, "Only GET, HEAD and POST are understood.")
        headers = request.headers
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
            raise PageError(403, "Another site has sent this; nothing was changed.")
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise PageError(403, "Another site has sent this; nothing was changed.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise PageError(415, "Only forms are understood here.")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise PageError(413, f"That is more than {MOST_BYTES:,} bytes; nothing was changed.")
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError:
            raise PageError(400, "That form cannot be read; nothing was changed.") from None
        form = FormData([(name, value) for name, value in fields])
        given = headers.get("x-csrf") or form.get("csrf")
        if not isinstance(given, str) or not _equal(given, self._site.csrf):
            raise PageError(403, "This page is older than the server; load it again. Nothing was changed.")
        request.state.form = form

        async def no_more() -> Message:
            return {"type": "http.disconnect"}

        return no_more


def new_token() -> str:
    """192 bits for a URL."""
    return secrets.token_urlsafe(24)


def csrf_of(token: str | None) -> str:
    """What only our own pages know: the same as long as the token is."""
    key = secrets.token_bytes(32) if token is None else token.encode()
    return hmac.new(key, b"posterbot csrf", hashlib.sha256).hexdigest()


def _host(headers: Headers) -> tuple[str, str]:
    """Name (IPv6 in brackets) and port of the one Host header; PageError where that is none."""
    given = headers.getlist("host")
    text = given[0].lower() if len(given) == 1 else ""
    name, bracket, rest = text.partition("]")
    if bracket:
        name, port = name + bracket, rest.removeprefix(":")
    else:
        name, _, port = text.partition(":")
    if not name or (port and not (port.isascii() and port.isdecimal() and len(port) < 6)):
        raise PageError(400, "There is no usable Host header.")
    return name.removesuffix("."), port or "80"


def _in_digits(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
