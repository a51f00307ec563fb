"""Hashes by which what was forgotten is known again: of URLs, hosts and images. Pure functions."""

from __future__ import annotations

import hashlib
import ipaddress
from urllib.parse import urlsplit

from w3lib.url import canonicalize_url

from posterbot.catalogue.rows import url_key
from posterbot.catalogue.tombstones import HOST, IMAGE, URL
from posterbot.frontier.traps import clean_url

_PORTS = {"http": 80, "https": 443}

Host = tuple[str, int | None]
"""Name or address as in a URL's ``hostname``, and port; None: any port."""


def tombstone(kind: str, value: str) -> bytes:
    """The hash for a URL, a host (as in ``host:port``) or an image (its sha256 in hexadecimal): 32 bytes."""
    return hashlib.sha256(f"{kind}:{value}".encode("utf-8", "surrogatepass")).digest()


def url_tombstone(url: str) -> bytes:
    """The hash for a URL, or for the beginning of one as the catalogue keeps it. None raises, whatever the text.

    Equal for URLs that lead to the same: with and without a fragment, a session id, or what counts campaigns; with
    other escapes, or an other order of parameters; by http and by https.
    """
    return tombstone(URL, _address(url))


def host_tombstone(host: Host) -> bytes:
    """The hash for a host on all its ports, or on one of them."""
    name, port = host
    return tombstone(HOST, name if port is None else f"{name}:{port}")


def image_tombstone(sha256: str) -> bytes:
    """The hash for an image, given by the sha256 of its bytes in hexadecimal."""
    return tombstone(IMAGE, sha256.lower())


def tombstones_of(url: str) -> frozenset[bytes]:
    """Each of these hashes forbids to ask for ``url``: its own, and those of its host without and with port."""
    host = host_of(url)
    if host is None:
        return frozenset({url_tombstone(url)})
    return frozenset({url_tombstone(url), host_tombstone((host[0], None)), host_tombstone(host)})


def host_of(url: str) -> tuple[str, int] | None:
    """Host and port that a URL of http(s) leads to; None where it leads to none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not name:
        return None
    return name.rstrip("."), port or _PORTS[parts.scheme]


def read_host(text: str) -> Host:
    """``host`` or ``host:port``, as a person writes it; of other alphabets than ours as well.

    Raises:
        ValueError: it is something else; one line.
    """
    host = text.strip()
    try:
        if ":" in host and not host.startswith("["):
            host = f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        pass  # a port, then
    try:
        parts = urlsplit(canonicalize_url(f"http://{host}/"))
        name, port = parts.hostname, parts.port
    except ValueError:
        name = port = None
    if not name or parts.path != "/" or parts.query or "@" in host or any(sign in host for sign in " /?#\\"):
        raise ValueError(f"{text!r} is no host: write images.example.org, or images.example.org:8080")
    return name.rstrip("."), port


def _address(url: str) -> str:
    key = clean_url(url_key(url))
    try:
        normal = urlsplit(canonicalize_url(key))
    except ValueError:
        return key
    host = host_of(normal.geturl())
    if host is None:
        return key
    name, port = host
    where = name if port == _PORTS[normal.scheme] else f"{name}:{port}"
    return f"{where}{normal.path or '/'}" + (f"?{normal.query}" if normal.query else "")
