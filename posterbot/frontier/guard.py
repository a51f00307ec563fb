"""Before a connection is made, and before anything is sent over it: may we go there, and who is there?

What is checked is the address that is connected to, after names are looked up, on redirects as well: a name that leads
elsewhere the second time gains nothing by it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy.exceptions import DownloadFailedError, IgnoreRequest
from service_identity import CertificateError, VerificationError
from zope.interface import directlyProvides, providedBy  # type: ignore[import-untyped]

from posterbot.frontier.addresses import Address, Allowed, is_public, plain, read_allowed, spelled

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

T = TypeVar("T")
SETTING = "ALLOWED_PRIVATE_HOSTS"
SAMPLE_HOST = "127.0.0.1"
_PORTS = {"http": 80, "https": 443}


class PrivateAddress(IgnoreRequest):
    """The URL leads to an address that is not public and was not allowed. Nothing was sent there."""


class TlsError(DownloadFailedError):
    """No TLS connection came about: the certificate does not hold, or no version was common. Nothing was asked."""


def allowed_of(settings: BaseSettings) -> Allowed:
    """What ``ALLOWED_PRIVATE_HOSTS`` allows.

    Raises:
        ValueError: one line on what is wrong with it.
    """
    try:
        return read_allowed(settings.getlist(SETTING))
    except ValueError as error:
        raise ValueError(f"{SETTING}: {error}") from None


def named_of(start: str) -> frozenset[tuple[str, int | None]]:
    """Host and port of the start URLs that spell an address themselves: who types ``http://127.0.0.1:8000/`` means it.

    Not of names, which lead wherever their owner likes, nor of lists, which others write. Of the sample site, which is
    ours, any port.
    """
    if start == "sample":
        return frozenset({(SAMPLE_HOST, None)})
    named = set()
    for part in start.split(","):
        url = urlsplit(part.strip())
        if url.scheme in _PORTS and url.hostname and spelled(url.hostname):
            named.add((url.hostname, url.port or _PORTS[url.scheme]))
    return frozenset(named)


class Guard:
    """Says where a crawl may connect to.

    Args:
        allowed: what may be reached though it is not public.
        named: host and port, None for any, of URLs that were asked for in so many words.
    """

    def __init__(self, allowed: Allowed, named: frozenset[tuple[str, int | None]] = frozenset()) -> None:
        self._allowed, self._named = allowed, named

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Guard:
        """As the settings and the arguments of the crawl say.

        Raises:
            ValueError: one line on a setting.
        """
        given = getattr(crawler.spider, "arguments", {})
        start = given.get("start") or ("" if given.get("urls") else crawler.settings.get("START", ""))
        return cls(allowed_of(crawler.settings), named_of(start))

    def check(self, host: str, port: int, address: str) -> None:
        """Raises PrivateAddress where ``host`` of a URL, with its port, must not lead to ``address``."""
        if not self._may(host, port, ipaddress.ip_address(address)):
            raise PrivateAddress(
                f"{host} leads to {address}, which is no public address; if that is meant, set {SETTING}={host}"
            )

    def check_spelled(self, host: str, port: int) -> None:
        """As ``check``, where ``host`` is an address: there is nothing to look up then, nor to ask a proxy."""
        addresses = spelled(host)
        if addresses and not any(self._may(host, port, address) for address in addresses):
            self.check(host, port, str(addresses[0]))

    def _may(self, host: str, port: int, address: Address) -> bool:
        if is_public(address) or self._allowed.includes(host, address):
            return True
        return not self._named.isdisjoint({(host, port), (host, None)}) and plain(address) in spelled(host)

    def connect(self, key: Any, endpoint: Any, connect: Callable[[], Deferred[T]]) -> Deferred[T]:
        """``connect()``, by which ``endpoint`` connects, but only to addresses where its URL may lead.

        Of several addresses the others are tried. Fails with PrivateAddress where one was refused and no other answers.

        Args:
            key: of Twisted's pool; scheme, host and port come first.
        """
        _, host, port, *_ = key
        host = host.decode("ascii").strip("[]").lower()
        refused: list[PrivateAddress] = []

        def check(address: str) -> None:
            try:
                self.check(host, port, address)
            except PrivateAddress as error:
                refused.append(error)
                raise

        def connected(protocol: T) -> T:
            # The same once more, asked of the socket itself: should endpoints change within, this still holds.
            transport: Any = cast("Any", protocol).transport
            try:
                self.check(host, port, transport.getPeer().host)
            except PrivateAddress:
                transport.abortConnection()
                raise
            return protocol

        def failed(failure: Failure) -> Failure:
            if refused:
                raise refused[0]
            return failure

        while hasattr(endpoint, "_wrappedEndpoint"):  # TLS
            endpoint = endpoint._wrappedEndpoint
        endpoint._reactor = _Door(endpoint._reactor, check)
        return connect().addCallbacks(connected, failed)


class _Door:
    """Twisted's reactor as an endpoint uses it, but ``check`` is asked about each address before it is connected to."""

    def __init__(self, reactor: Any, check: Callable[[str], None]) -> None:
        self._reactor, self._check = reactor, check
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(self, host: str, *others: Any, **more: Any) -> Any:  # noqa: N802  # Twisted's name
        """Connect to ``host``, an address. Raises PrivateAddress."""
        self._check(host)
        return self._reactor.connectTCP(host, *others, **more)


_TLS_ERRORS = (SSL.Error, VerificationError, CertificateError, TlsError)


def is_tls_failure(error: BaseException) -> bool:
    """Did a download fail for what :class:`TlsError` says?"""
    return any(isinstance(each, _TLS_ERRORS) for each in _within(error))


def _within(error: BaseException | None) -> Iterator[BaseException]:
    """``error``, its causes, and what Twisted has packed into either."""
    for _ in range(10):
        if error is None:
            return
        yield error
        packed = [reason.value for reason in getattr(error, "reasons", None) or ()]
        yield from packed[1:]
        error = packed[0] if packed else error.__cause__
