"""From ``IMAGES_STORE`` to a store. Nothing is imported, or asked over the network, for the kinds that are not used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from posterbot.stores.store import Store, StoreError

Settings = Mapping[str, Any]
"""Scrapy's settings, or the environment: both have ``GCS_PROJECT_ID``, ``AWS_…`` and ``FTP_…`` under these names."""


def _local(uri: str, settings: Settings) -> Store:
    from posterbot.stores.local import LocalStore

    return LocalStore(uri)


def _google(uri: str, settings: Settings) -> Store:
    from posterbot.stores.gcs import GoogleStore

    return GoogleStore.from_settings(uri, settings)


def _s3(uri: str, settings: Settings) -> Store:
    from posterbot.stores.s3 import S3Store

    return S3Store.from_settings(uri, settings)


def _ftp(uri: str, settings: Settings) -> Store:
    from posterbot.stores.ftp import FtpStore

    return FtpStore.from_settings(uri, settings)


def _generic(uri: str, settings: Settings) -> Store:
    from posterbot.stores.generic import GenericStore

    return GenericStore(uri)


SCHEMES: dict[str, Callable[[str, Settings], Store]] = {
    "": _local,
    "file": _local,
    "gs": _google,
    "s3": _s3,
    "ftp": _ftp,
    "ftps": _ftp,
    "az": _generic,
    "abfs": _generic,
}
"""Scheme of a URI → what opens it."""


def open_store(uri: str, settings: Settings, what: str = "IMAGES_STORE") -> Store:
    """The store at ``uri``; whether it answers is told by its ``check``.

    Args:
        uri: a folder, ``file://``, ``gs://bucket/prefix``, ``s3://bucket/prefix``, ``ftp://host/folder``, …
        settings: keys, endpoints and ACLs, under the names that Scrapy gives them.
        what: where the URI was given, for messages.

    Raises:
        StoreError: the URI is none that is known, or something it needs is not installed or set.
    """
    if not uri:
        raise StoreError(f"{what} is empty: set it to a folder, gs://bucket/prefix, s3://… or ftp://…")
    scheme, mark, _ = uri.partition("://")
    scheme = scheme.lower() if mark else ""
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES if name)
        raise StoreError(f"{what}: cannot store to {scheme}://; give a folder or one of {known}")
    return SCHEMES[scheme](uri, settings)


def without_password(uri: str) -> str:
    """``uri`` as it may be shown and stored."""
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1@", uri)
