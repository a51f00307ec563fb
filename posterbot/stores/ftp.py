"""Originals on an FTP server, plain or with TLS: uploaded beside, compared, then renamed, so that a file is whole."""

from __future__ import annotations

import ftplib
import hashlib
import logging
import re
import secrets
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from posterbot.stores.ftp_session import Account, Session, stat_of
from posterbot.stores.opening import without_password
from posterbot.stores.store import (
    NO_FACTS,
    OCTETS,
    OURS,
    NotStoredError,
    Stat,
    StoreError,
    UnavailableError,
    checked_path,
    checked_prefix,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

# How servers end a connection that they, or the networks between, have had enough of.
_CLOSED = (EOFError, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_REFUSED = {"550", "553"}
_FULL = re.compile("^(452|552)|no space|quota|disk full", re.IGNORECASE)
_FAILURES: tuple[type[Exception], ...] = (*ftplib.all_errors, UnicodeError)


class FtpStore:
    """A folder on an FTP server. See :class:`posterbot.stores.store.Store`; media types and facts are not kept.

    What a lost connection leaves of an upload is called ``.posterbot-….part``, and deleted with the next chance.

    Args:
        uri: ``ftp://user:password@host:port/folder``, or ``ftps://`` for TLS as in RFC 4217 (``AUTH TLS``).
        user: where the URI names none.
        password: where the URI has none.
        active: the server makes the data connections.

    Raises:
        StoreError: that is no such URI.
    """

    # Many servers let one address have five connections or so.
    threads = 4
    connect_seconds = 5.0
    read_seconds = 20.0

    def __init__(self, uri: str, user: str = "anonymous", password: str = "guest", active: bool = False) -> None:
        shown = without_password(uri)
        try:
            parts = urlsplit(uri)
            host, port = parts.hostname or "", parts.port or 21
        except ValueError:
            host, port = "", 0
        if not host or parts.query or parts.fragment:
            raise StoreError(f"IMAGES_STORE: {shown}: write ftp://user@host:port/folder, with %23 for # and %3F for ?")
        scheme = parts.scheme.lower()
        user = unquote(parts.username) if parts.username else user
        password = unquote(parts.password) if parts.password else password
        self._root = "/" + checked_prefix(shown, unquote(parts.path))
        address = f"[{host}]" if ":" in host else host
        place = f"{quote(user)}@{address}" + (f":{port}" if port != 21 else "")
        self.name = f"{scheme}://{place}{quote(self._root)}".rstrip("/")
        context = ssl.create_default_context() if scheme == "ftps" else None
        self._account = Account(host, port, user, password, context, active)
        self._idle: deque[Session] = deque()
        self._made: set[str] = set()
        self._litter: deque[str] = deque()

    @classmethod
    def from_settings(cls, uri: str, settings: Mapping[str, Any]) -> FtpStore:
        """As Scrapy's settings, or an environment, say: ``FTP_USER``, ``FTP_PASSWORD``, ``FEED_STORAGE_FTP_ACTIVE``."""
        active = str(settings.get("FEED_STORAGE_FTP_ACTIVE") or "0").lower() in {"1", "true", "yes"}
        user, password = settings.get("FTP_USER") or "anonymous", settings.get("FTP_PASSWORD") or "guest"
        return cls(uri, user, password, active)

    def check(self) -> None:
        """See :class:`~posterbot.stores.store.Store`; makes a folder, as each image may need one."""
        folder = f"{OURS}-check-{secrets.token_hex(8)}"
        path = f"{folder}/{secrets.token_hex(8)}"
        try:
            self.put_if_absent(path, path.encode())
            if self.get(path) != path.encode():
                raise StoreError(f"IMAGES_STORE: {self.name}: what was written there is not what is read; see to it")
        except (StoreError, UnavailableError):
            with suppress(StoreError, UnavailableError):
                self._ask(lambda session: session.rmd(self._root + folder))
            raise
        try:
            self.delete(path)
            self._ask(lambda session: session.rmd(self._root + folder))
        except StoreError as error:
            logger.warning("%s; %s was left there, and nothing can be forgotten or repaired", error, folder)

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`. Of two who write at once, both may be told that they have."""
        where = self._root + checked_path(path)
        return self._ask(lambda session: self._put(session, where, data))

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`."""
        where = self._root + checked_path(path)

        def read(session: Session) -> bytes:
            found = stat_of(path, session.facts(where))
            if found is None:
                raise NotStoredError(path)
            data = session.receive(f"RETR {where}")
            if len(data) != found.size:
                raise UnavailableError(f"{self.name}: of {path} came {len(data):,} of {found.size:,} bytes")
            return data

        return self._ask(read)

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        where = self._root + checked_path(path)
        return self._ask(lambda session: stat_of(path, session.facts(where)))

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`."""
        yield from self._walk("", prefix)

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        where = self._root + checked_path(path)

        def delete(session: Session) -> bool:
            try:
                session.delete(where)
            except ftplib.error_perm:
                if session.facts(where) is None:
                    return False
                raise
            return True

        return self._ask(delete)

    def close(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        while self._idle:
            self._idle.pop().close()

    # --- Sessions ----------------------------------------------------------------------------------------------------

    def _ask(self, question: Callable[[Session], T]) -> T:
        """``question`` to a session that nobody else uses; on a new one, if the server has closed the one at hand."""
        try:
            session = self._kept()
            if session is not None:
                with suppress(*_CLOSED):
                    return self._use(session, question)
            return self._use(self._new(), question)
        except _FAILURES as error:
            raise self._error(error) from error

    def _kept(self) -> Session | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _new(self) -> Session:
        session = Session()
        if self._account.context is not None:
            session.context = self._account.context
        try:
            session.open(self._account, self.connect_seconds, self.read_seconds)
        except BaseException:
            session.close()
            raise
        return session

    def _use(self, session: Session, question: Callable[[Session], T]) -> T:
        answered = False
        try:
            answer = question(session)
            answered = True
            return answer
        except (ftplib.error_perm, LookupError, StoreError, UnavailableError):
            answered = True  # and the next question may be as well
            raise
        except ftplib.error_temp as error:
            if str(error).startswith("421"):
                raise ConnectionAbortedError(str(error)) from None
            raise
        finally:
            if answered and session.in_step:
                self._tidy(session)
                self._idle.append(session)
            else:
                session.close()

    def _tidy(self, session: Session) -> None:
        with suppress(IndexError, *_FAILURES):
            while True:
                path = self._litter.pop()
                with suppress(ftplib.error_perm):
                    session.delete(path)

    # --- Questions ---------------------------------------------------------------------------------------------------

    def _put(self, session: Session, where: str, data: bytes) -> bool:
        if session.facts(where) is not None:
            return False
        folder = where.rpartition("/")[0]
        was_made = folder in self._made
        if not was_made:
            session.make(folder, self._made)
        beside = f"{folder}/{OURS}-{secrets.token_hex(8)}.part"
        try:
            try:
                session.upload(beside, data)
            except ftplib.error_perm as error:
                if not was_made or str(error)[:3] not in _REFUSED or _FULL.search(str(error)):
                    raise
                self._made.clear()
                raise UnavailableError(f"{self.name}: {error}; {folder} may be gone, and will be made") from None
            self._compare(session, beside, data)
            try:
                session.rename(beside, where)
            except ftplib.error_perm:
                if session.facts(where) is None:
                    raise
                self._litter.append(beside)  # somebody was faster, and this server does not replace files
                return False
        except BaseException:
            self._litter.append(beside)
            raise
        return True

    def _compare(self, session: Session, path: str, data: bytes) -> None:
        found = stat_of(path, session.facts(path))
        is_whole = found is not None and found.size == len(data)
        for algorithm, digest in session.digests(path).items():
            is_whole = is_whole and hashlib.new(algorithm, data, usedforsecurity=False).hexdigest() == digest
        if not is_whole:
            raise UnavailableError(f"{self.name}: what arrived is not what was sent")

    def _walk(self, folder: str, prefix: str) -> Iterator[Stat]:
        """Files below ``folder`` (empty, or with a slash at its end), in the order of their whole paths."""
        for name, found in self._ask(lambda session: self._entries(session, folder)):
            whole = folder + name
            if found is not None:
                if whole.startswith(prefix):
                    yield found
            elif whole.startswith(prefix) or prefix.startswith(whole):
                yield from self._walk(whole, prefix)

    def _entries(self, session: Session, folder: str) -> Sequence[tuple[str, Stat | None]]:
        try:
            names = session.names((self._root + folder).rstrip("/") or "/")
        except FileNotFoundError as error:
            if not folder:
                return []
            raise StoreError(f"IMAGES_STORE: {self.name}: {folder} cannot be listed ({error}); see to it") from None
        entries = []
        for name, facts in names:
            kind = "dir" if facts is None else facts.get("type", "").lower()
            if kind in {"file", "dir"} and not name.startswith(OURS):
                entries.append((name, stat_of(folder + name, facts)) if kind == "file" else (name + "/", None))
        return sorted(entries, key=lambda entry: entry[0].encode())

    def _error(self, error: Exception) -> StoreError | UnavailableError:
        said = " ".join(str(error).split()) or "the connection was closed"
        wrong = None
        if isinstance(error, ftplib.Error) and _FULL.search(said):
            wrong = "make room there, or set another place"
        elif isinstance(error, ftplib.error_perm) and said[:3] in _REFUSED:
            wrong = f"let {self._account.user!r} read, write, rename and delete there, or set FTP_USER to who may"
        elif isinstance(error, ftplib.error_perm):
            wrong = "the server cannot do what is needed; set another place"
        elif isinstance(error, ssl.SSLCertVerificationError):
            wrong = "set SSL_CERT_FILE to a file with the CA that signed its certificate"
        elif isinstance(error, UnicodeError):
            wrong = "there are names that are not UTF-8"
        if wrong is not None:
            return StoreError(f"IMAGES_STORE: {self.name}: {said}; {wrong}")
        if isinstance(error, TimeoutError | ConnectionRefusedError):
            said += "; if it stays so, see IMAGES_STORE and FEED_STORAGE_FTP_ACTIVE"
        return UnavailableError(f"{self.name}: {said}")
