"""Requests to other people's servers: who we are, when we ask again, and for how long we wait."""

from __future__ import annotations

import email.utils
import ipaddress
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

TRIES = 6
FIRST_WAIT = 1.0
"""Seconds before the second try; twice as long before each further one, unless the server says how long."""
LONGEST_WAIT = 600.0
"""Seconds; a server that asks for more is left alone, and the run can be resumed later."""
TIMEOUT = 60.0
AGAIN = frozenset({429, 500, 502, 503, 504})

CONTACT_MISSING = (
    "nobody can be reached for complaints: add --contact you@example.org (or a URL), or set OPERATOR_CONTACT; "
    "Wikimedia asks for it"
)


class WebError(Exception):
    """A server does not give what is asked of it: one line."""


class ContactError(WebError):
    """A request to the open web without the operator's contact."""


def check_contact(url: str, contact: str) -> None:
    """Nothing leaves this machine without a contact.

    Raises:
        ContactError: there is none, and ``url`` is not on loopback.
    """
    host = urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not contact.strip() and not loopback:
        raise ContactError(CONTACT_MISSING)


def fetch(
    url: str,
    contact: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> HTTPResponse:
    """The answer to a GET, or to a POST of ``body``; 429, server errors and broken connections are tried again.

    Between two tries ``pause`` is called with the seconds to wait.

    Raises:
        ContactError: see :func:`check_contact`.
        WebError: the server refuses, or has not answered after :data:`TRIES` tries.
    """
    check_contact(url, contact)
    request = urllib.request.Request(url, data=body, headers={"User-Agent": user_agent(contact), **(headers or {})})
    wait = FIRST_WAIT
    for left in reversed(range(TRIES)):
        asked: float | None = None
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT)  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            problem = f"{error.code} {error.reason}"
            asked = retry_after(error.headers.get("Retry-After"))
            error.close()
            if error.code not in AGAIN:
                raise WebError(f"{url}: {problem}") from None
        except (OSError, HTTPException, ValueError) as error:
            problem = str(getattr(error, "reason", None) or error) or type(error).__name__
            if isinstance(error, ValueError):  # no URL at all
                raise WebError(f"{url}: {problem}") from None
        if not left:
            break
        pause(patience(url, asked, wait))
        wait *= 2
    raise WebError(f"{url}: {problem}, {TRIES} times")


def patience(url: str, asked: float | None, otherwise: float) -> float:
    """Seconds to wait: what the server ``asked`` for.

    Raises:
        WebError: that is more than :data:`LONGEST_WAIT`.
    """
    if asked is not None and asked > LONGEST_WAIT:
        raise WebError(f"{url}: the server asks to come back in {asked:.0f} s; go on then with --resume")
    return otherwise if asked is None else asked


def retry_after(value: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (a number or a date, RFC 9110 10.2.3); None if there is none."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def user_agent(contact: str) -> str:
    """``posterbot-wikidump/0.1.0 (+contact)``, as Wikimedia's User-Agent policy wants it."""
    try:
        number = version("posterbot")
    except PackageNotFoundError:
        number = "0"
    return f"posterbot-wikidump/{number}" + (f" (+{contact.strip()})" if contact.strip() else "")
