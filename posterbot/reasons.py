"""Why an image was kept or dropped: the whole list, and nothing else is ever recorded.

The values are stored in catalogues, so they never change their meaning; docs/reasons.md explains each to a person.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One value per image outcome, in the order in which they can strike."""

    # before or instead of a response
    BAD_URL = "bad_url"
    DECLARED_SIZE = "declared_size"
    DECLARED_ASPECT = "declared_aspect"
    NAME_PATTERN = "name_pattern"
    BARREN_PATTERN = "barren_pattern"
    UNLIKELY_WORDS = "unlikely_words"
    NO_CONTACT = "no_contact"
    FORGOTTEN = "forgotten"
    OPTED_OUT = "opted_out"
    ROBOTS_TXT = "robots_txt"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    HOST_CLOSED = "host_closed"
    HOST_FAILING = "host_failing"
    HOST_BUDGET = "host_budget"
    STOPPED = "stopped"
    PRIVATE_ADDRESS = "private_address"
    TIMEOUT = "timeout"
    TLS_FAILED = "tls_failed"
    CONNECTION_FAILED = "connection_failed"
    REDIRECT_LOOP = "redirect_loop"
    FETCH_FAILED = "fetch_failed"
    # a response that is no picture
    HTTP_403 = "http_403"
    HTTP_404 = "http_404"
    HTTP_429 = "http_429"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    HTTP_OTHER = "http_other"
    TOO_MANY_BYTES = "too_many_bytes"
    NOT_HTML = "not_html"
    # bytes that are no picture, as models.decode.ImageProblem names them
    EMPTY = "empty"
    HTML = "html"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    # a picture that is not wanted
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    EXTREME_ASPECT = "extreme_aspect"
    NOT_RELEVANT = "not_relevant"
    BLURRED = "blurred"
    FLAT = "flat"
    PLACEHOLDER = "placeholder"
    # our own failures
    SCORE_FAILED = "score_failed"
    STORE_FAILED = "store_failed"
    # and the one that keeps it
    RELEVANT = "relevant"

    @classmethod
    def of_status(cls, status: int) -> Reason:
        """The reason for an HTTP status that is not 200 (RFC 9110)."""
        if status in {401, 403, 451}:
            return cls.HTTP_403
        if status in {404, 410}:
            return cls.HTTP_404
        if status == 429:
            return cls.HTTP_429
        if 400 <= status < 500:
            return cls.HTTP_4XX
        return cls.HTTP_5XX if 500 <= status < 600 else cls.HTTP_OTHER


PASSING = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CONNECTION_FAILED,
        Reason.TRUNCATED,
        Reason.HTTP_429,
        Reason.HTTP_5XX,
        Reason.ROBOTS_UNREACHABLE,
    }
)
"""What may be otherwise in a while: worth another try."""
