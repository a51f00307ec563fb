"""One image request over Scrapy's downloader: a response, or the reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from posterbot.frontier.forgotten import Forgotten
from posterbot.frontier.guard import PrivateAddress, is_tls_failure
from posterbot.frontier.robots import ForbiddenByRobots, RobotsUnreachable
from posterbot.frontier.turn import HostClosed, Stopping
from posterbot.politeness import NoContact
from posterbot.reasons import Reason

if TYPE_CHECKING:
    from scrapy.http import Response

_CLOSED = {"budget": Reason.HOST_BUDGET, "failing": Reason.HOST_FAILING}
_REFUSALS: tuple[tuple[type[IgnoreRequest], Reason], ...] = (
    (NoContact, Reason.NO_CONTACT),
    (Forgotten, Reason.FORGOTTEN),
    (PrivateAddress, Reason.PRIVATE_ADDRESS),
    (Stopping, Reason.STOPPED),
    (ForbiddenByRobots, Reason.ROBOTS_TXT),
    (RobotsUnreachable, Reason.ROBOTS_UNREACHABLE),
)
# The first class that fits gives the reason.
_FAILURES: tuple[tuple[type[BaseException], Reason], ...] = (
    (DownloadTimeoutError, Reason.TIMEOUT),
    (TimeoutError, Reason.TIMEOUT),
    (DownloadCancelledError, Reason.TOO_MANY_BYTES),
    (UnsupportedURLSchemeError, Reason.BAD_URL),
    (NotSupported, Reason.BAD_URL),
    (ValueError, Reason.BAD_URL),
    (CannotResolveHostError, Reason.CONNECTION_FAILED),
    (DownloadConnectionRefusedError, Reason.CONNECTION_FAILED),
    (ResponseDataLossError, Reason.TRUNCATED),
    (DownloadFailedError, Reason.CONNECTION_FAILED),
    (OSError, Reason.CONNECTION_FAILED),
)


def reason_of_failure(error: BaseException) -> Reason:
    """Why no response came, for what Scrapy's downloader and its middlewares raise."""
    if isinstance(error, HostClosed):
        return _CLOSED.get(error.reason, Reason.HOST_CLOSED)
    if isinstance(error, RobotsUnreachable) and error.__cause__ is not None:
        return reason_of_failure(error.__cause__)  # nothing of the host can be had, not only its robots.txt
    for kind, reason in _REFUSALS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, IgnoreRequest):
        # Scrapy's middlewares tell their refusals apart by text alone.
        return Reason.REDIRECT_LOOP if "redirect" in str(error).lower() else Reason.FETCH_FAILED
    if is_tls_failure(error):
        return Reason.TLS_FAILED
    return next((reason for kind, reason in _FAILURES if isinstance(error, kind)), Reason.FETCH_FAILED)


def reason_of_response(response: Response) -> Reason | None:
    """Why this response is no picture, as far as its status tells; None if its bytes should be looked at."""
    return None if response.status == 200 else Reason.of_status(response.status)
