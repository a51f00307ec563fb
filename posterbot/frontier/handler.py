"""The last door before the network: Scrapy's download handler, which waits for the host's turn."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import DownloadCancelledError, NotSupported, StopDownload, UnsupportedURLSchemeError
from scrapy.utils.httpobj import urlparse_cached
from twisted.web._newclient import RequestNotSent, RequestTransmissionFailed, ResponseNeverReceived
from twisted.web.client import HTTPConnectionPool

from posterbot.frontier.guard import Guard, PrivateAddress, TlsError, is_tls_failure
from posterbot.frontier.hosts import hosts_of
from posterbot.frontier.retry_after import seconds
from posterbot.frontier.turn import Stopping

if TYPE_CHECKING:
    from collections.abc import Hashable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IStreamClientEndpoint
    from twisted.web._newclient import HTTP11ClientProtocol

    from posterbot.frontier.turn import Turn

_OUR_OWN = (DownloadCancelledError, UnsupportedURLSchemeError, NotSupported, PrivateAddress, ValueError)
"""Errors that say nothing of the host: we had enough of the answer, or never asked."""
_UNANSWERED = (RequestNotSent, RequestTransmissionFailed, ResponseNeverReceived)


@dataclass(slots=True, eq=False)
class _Transfer:
    turn: Turn
    again: bool
    """Was it lost before?"""
    size: int = 0
    """Bytes of the body so far, as they came over the line."""
    proxied: bool = False
    """Does somebody else connect to the host?"""
    reused: bool = False
    """Is it over a connection that has served before?"""


_beginning: ContextVar[_Transfer] = ContextVar("_beginning")
"""The transfer whose connection is being looked for."""


class _Pool(HTTPConnectionPool):
    """Twisted's pool, but requests over a stale connection are not repeated at once, behind the back of the gate."""

    retryAutomatically = False  # noqa: N815  # Twisted's name
    guard: Guard

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:  # noqa: N802
        """A kept connection, if the transfer may have one and there is one, else a new one."""
        transfer = _beginning.get()
        if transfer.again:
            return self._newConnection(key, endpoint)
        transfer.reused = True
        return super().getConnection(key, endpoint)

    def _newConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:  # noqa: N802
        transfer = _beginning.get()
        transfer.reused = False
        connect = partial(super()._newConnection, key, endpoint)
        return connect() if transfer.proxied else self.guard.connect(key, endpoint, connect)


class PoliteHandler(HTTP11DownloadHandler):
    """Every request waits for its turn at the crawler's gate; how it ended is told to the gate.

    The download timeout does not run while it waits. http and https have a handler each, but a host has one gate.

    Raises:
        HostClosed, Stopping, PrivateAddress: instead of a download.
        TlsError: where the host's certificate does not hold.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor  # not above: the import would choose one

        pool = _Pool(reactor)  # type: ignore[no-untyped-call]
        pool.maxPersistentPerHost, pool._factory = self._pool.maxPersistentPerHost, self._pool._factory
        pool.guard = self._guard = Guard.from_crawler(crawler)
        self._pool = pool
        self._transfers: dict[Request, _Transfer] = {}
        crawler.signals.connect(self._headers_received, signals.headers_received)
        crawler.signals.connect(self._bytes_received, signals.bytes_received)

    async def download_request(self, request: Request) -> Response:
        """Download in turn. What was lost with a stale connection is asked for once more, in another turn."""
        parts = urlparse_cached(request)
        host = parts.hostname
        if not host or len(host) > 253:  # RFC 1035: no name is longer
            raise ValueError(f"{request.url} names no host")
        self._guard.check_spelled(host, parts.port or {"http": 80}.get(parts.scheme, 443))
        hosts = hosts_of(self._crawler)
        async with hosts.turn(host) as turn:
            response = await self._download(request, turn, again=False)
        if response is None:
            async with hosts.turn(host) as turn:
                response = await self._download(request, turn, again=True)
        assert response is not None
        return response

    async def _download(self, request: Request, turn: Turn, again: bool) -> Response | None:
        """None where the host had closed the connection kept open to it, or did so while the request was on its way."""
        transfer = _Transfer(turn, again, proxied=bool(request.meta.get("proxy")))
        self._transfers[request] = transfer
        _beginning.set(transfer)
        fetching = asyncio.ensure_future(super().download_request(request))
        try:
            response = await hosts_of(self._crawler).until_abort(fetching)
        except Stopping:
            turn.dropped(transfer.size)
            raise
        except StopDownload as stopped:
            if stopped.response is None:
                turn.dropped(transfer.size)
            else:
                self._answered(stopped.response, transfer)
            raise
        except _OUR_OWN:
            turn.dropped(transfer.size)
            raise
        except Exception as error:
            lost = transfer.reused and isinstance(error.__cause__ or error, _UNANSWERED)
            if lost and request.method in {"GET", "HEAD"} and not request.body:
                turn.dropped()
                return None
            turn.failed(transfer.size)
            if is_tls_failure(error):
                raise TlsError(str(error)) from error
            raise
        finally:
            self._transfers.pop(request, None)
        self._answered(response, transfer)
        return response

    @staticmethod
    def _answered(response: Response, transfer: _Transfer) -> None:
        wait = seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        transfer.turn.answered(response.status, transfer.size, wait)

    def _headers_received(self, request: Request) -> None:
        if request in self._transfers:
            self._transfers[request].turn.headers()

    def _bytes_received(self, data: bytes, request: Request) -> None:
        if request in self._transfers:
            self._transfers[request].size += len(data)
