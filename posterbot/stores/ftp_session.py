"""One connection to an FTP server, logged in: what ``ftplib`` does not do by itself."""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from posterbot.stores.store import Stat, StoreError, UnavailableError

# Some servers answer so where 421 is meant.
_BUSY = re.compile("too many|maximum", re.IGNORECASE)
_TLS = re.compile("TLS|SSL|encrypt", re.IGNORECASE)
_HASHING = ("HASH", "XSHA256", "XMD5")
_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


@dataclass(frozen=True, slots=True)
class Account:
    """Where to connect, and as whom."""

    host: str
    port: int
    user: str
    password: str
    context: ssl.SSLContext | None
    """To encrypt with; None for plain FTP."""
    active: bool
    """The server connects to here for each transfer, not the other way round."""


class Session(ftplib.FTP_TLS):
    """A connection; used by one thread at a time.

    Attributes:
        features: first words of what the server says it can do, in capitals.
        in_step: False once a transfer was refused: the server may have something to say on the connection that was
            made for it, or not, and nobody knows which answer is to what any longer.
    """

    features: frozenset[str] = frozenset()
    in_step = True

    def open(self, account: Account, connect_seconds: float, read_seconds: float) -> None:
        """Connect, encrypt, log in.

        Raises:
            StoreError: the server cannot do that, or does not want this user.
            UnavailableError: it does not want this user now.
            OSError, EOFError, ftplib.Error: it does not work.
        """
        self.connect(account.host, account.port, connect_seconds)
        self.timeout = read_seconds
        assert self.sock is not None
        self.sock.settimeout(read_seconds)
        if account.context is not None:
            try:
                self.auth()
            except ftplib.error_perm as error:
                raise StoreError(f"IMAGES_STORE: {self.host} offers no TLS ({error}); ftp:// goes without") from None
        try:
            self.login(account.user, account.password, secure=False)
        except ftplib.error_perm as error:
            if _BUSY.search(str(error)):
                raise UnavailableError(f"{self.host}: {error}") from None
            advice = "IMAGES_STORE to ftps://…" if _TLS.search(str(error)) else "FTP_USER and FTP_PASSWORD"
            raise StoreError(
                f"IMAGES_STORE: {self.host} does not let {account.user!r} in ({error}); set {advice}"
            ) from None
        if account.context is not None:
            self.prot_p()
        self.set_pasv(not account.active)
        with suppress(ftplib.error_perm):
            lines = self.sendcmd("FEAT").splitlines()[1:-1]
            self.features = frozenset(line.split()[0].upper() for line in lines if line.strip())
        if "UTF8" in self.features:
            with suppress(ftplib.error_perm):
                self.sendcmd("OPTS UTF8 ON")

    def makepasv(self) -> tuple[str, int]:
        """As in ftplib. Raises StoreError."""
        try:
            return super().makepasv()
        except ftplib.error_perm as error:
            raise StoreError(
                f"IMAGES_STORE: {self.host} takes no data connections ({error}); set FEED_STORAGE_FTP_ACTIVE to True"
            ) from None

    def makeport(self) -> socket.socket:
        """As in ftplib. Raises StoreError."""
        try:
            return super().makeport()
        except ftplib.error_perm as error:
            raise StoreError(
                f"IMAGES_STORE: {self.host} makes no data connections ({error}); set FEED_STORAGE_FTP_ACTIVE to False"
            ) from None

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """As in ftplib, but data connections resume the TLS session, which many servers insist on."""
        self.in_step = False
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if isinstance(self.sock, ssl.SSLSocket):
            connection = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        self.in_step = True
        return connection, size

    def upload(self, path: str, data: bytes) -> None:
        """Write a file, or over one; half of it may be there if this fails."""
        self.voidcmd("TYPE I")
        connection, _ = self.ntransfercmd(f"STOR {path}")
        try:
            with connection:
                connection.sendall(data)
                if isinstance(connection, ssl.SSLSocket):
                    with suppress(ssl.SSLError, ConnectionError):  # many just close it; what arrived is compared
                        connection.unwrap()
        except (ssl.SSLError, ConnectionError):
            self.voidresp()  # raises what the server has to say on why it closed the connection
            raise
        self.voidresp()

    def receive(self, command: str) -> bytes:
        """All that comes as the answer to RETR, MLSD, …; perhaps only its beginning, if the server then says so."""
        data = bytearray()
        self.voidcmd("TYPE I")
        connection, _ = self.ntransfercmd(command)
        with connection:
            while piece := connection.recv(65_536):
                data += piece
        self.voidresp()
        return bytes(data)

    def digests(self, path: str) -> Mapping[str, str]:
        """What the server has computed of a file, if it can: algorithm → digest in hexadecimal."""
        said = ""
        for command in [command for command in _HASHING if command in self.features][:1]:
            with suppress(ftplib.error_perm):
                said = self.sendcmd(f"{command} {path}").replace(path, "").lower()
        found = re.findall(r"\b[0-9a-f]{32,128}\b", said)
        return {_ALGORITHMS[len(digest)]: digest for digest in found if len(digest) in _ALGORITHMS}

    def make(self, folder: str, made: set[str]) -> None:
        """Make a folder and those above it, as far as they are missing.

        Args:
            folder: absolute, without a slash at its end.
            made: folders that need not be tried; those that were are added.

        Raises:
            StoreError: it is not there, and cannot be made.
        """
        refused: object = "refused"
        for end in [*[slash.start() for slash in re.finditer("/", folder)][1:], len(folder)]:
            if folder[:end] and folder[:end] not in made:
                try:
                    self.mkd(folder[:end])
                except ftplib.error_perm as error:
                    refused = error  # mostly because it exists
                made.add(folder[:end])
        try:
            self.cwd(folder or "/")
            made.add(folder)
        except ftplib.error_perm:
            made.clear()
            raise StoreError(
                f"IMAGES_STORE: {self.host}: the folder {folder} cannot be made ({refused}); "
                "let the user make folders there, or set another place"
            ) from None

    def facts(self, path: str) -> Mapping[str, str] | None:
        """``type``, ``size`` and perhaps ``modify`` of what is at ``path``, as MLST has them; None for nothing there.

        Where there is no MLST, only files are found.
        """
        try:
            if "MLST" in self.features:
                lines = self.sendcmd(f"MLST {path}").splitlines()[1:-1]
                return parsed(lines[0].strip())[1] if lines else None
            self.voidcmd("TYPE I")
            found = {"type": "file", "size": self.sendcmd(f"SIZE {path}").split()[1]}
        except ftplib.error_perm as error:
            if str(error)[:3] in {"550", "553"}:
                return None
            raise
        with suppress(ftplib.error_perm):
            found["modify"] = self.sendcmd(f"MDTM {path}").split()[1]
        return found

    def names(self, folder: str) -> list[tuple[str, Mapping[str, str] | None]]:
        """What is in a folder, in no order: names, and facts as above.

        Where there is no MLSD, facts of folders are None, and a folder that is not there looks empty.

        Raises:
            FileNotFoundError: there is no such folder, or none that is shown.
        """
        lines = []
        command = "MLSD" if "MLST" in self.features else "NLST"
        try:
            lines = re.split("\r?\n", self.receive(f"{command} {folder}").decode(self.encoding))
        except ftplib.error_perm as error:
            if str(error)[:3] not in {"501", "550"}:
                raise
            if command == "MLSD":
                raise FileNotFoundError(str(error)) from None
        if command == "MLSD":
            return [parsed(line) for line in lines if line]
        names = {line.rstrip("/").rpartition("/")[2] for line in lines} - {"", ".", ".."}
        return [(name, self.facts(f"{folder.rstrip('/')}/{name}")) for name in names]


def parsed(line: str) -> tuple[str, Mapping[str, str]]:
    """Name and facts in a line of MLST or MLSD; the facts' names are in small letters."""
    said, _, name = line.partition(" ")
    facts: dict[str, Any] = dict(fact.partition("=")[::2] for fact in said.strip(";").split(";"))
    return name, {key.lower(): value for key, value in facts.items()}


def stat_of(path: str, facts: Mapping[str, str] | None) -> Stat | None:
    """Facts as stores give them; None for what is no file."""
    if facts is None or facts.get("type", "").lower() != "file":
        return None
    modified = None
    with suppress(ValueError):
        modified = datetime.strptime(facts.get("modify", "")[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return Stat(path, int(facts["size"]), modified)
