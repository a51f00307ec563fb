"""Files that are published elsewhere: fetched once, checked, kept in a folder of the user's."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from models.classifier import ModelError

TIMEOUT_SECONDS = 30.0
"""How long the server may be silent."""
CHUNK = 1 << 16


def cache_folder() -> Path:
    """Where downloaded models are kept: ``$POSTERBOT_MODELS``, else ``~/.cache/posterbot/models``."""
    return Path(os.environ.get("POSTERBOT_MODELS") or Path.home() / ".cache" / "posterbot" / "models")


@dataclass(frozen=True, slots=True)
class Download:
    """A published file: address (http or https), size in bytes, sha256 in hex."""

    url: str
    bytes: int
    sha256: str

    def __str__(self) -> str:
        size = f"{self.bytes / 1e6:.1f} MB" if self.bytes >= 1e5 else f"{self.bytes / 1e3:.0f} kB"
        return f"{self.url} ({size})"


def fetch(files: Mapping[Path, Download]) -> None:
    """Download those of ``files`` that are not there; what is there is used as it is.

    Raises:
        ModelError: one cannot be had, or is not what was published; it is then not there.
    """
    missing = {to: published for to, published in files.items() if not to.is_file()}
    by_hand = ", ".join(f"{published} at {to}" for to, published in missing.items())
    for to, published in missing.items():
        sys.stderr.write(f"downloading {published} to {to}\n")
        part = to.with_name(f"{to.name}.{os.getpid()}.part")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            found = _download(published, part)
            if found != published.sha256:
                size = part.stat().st_size
                raise ValueError(f"it is {size:,} bytes with sha256 {found}, expected sha256 {published.sha256}")
            part.replace(to)
        except (OSError, ValueError, HTTPException) as error:
            cause = getattr(error, "reason", error)
            reason = getattr(cause, "strerror", None) or cause
            raise ModelError(
                f"cannot download {published.url} to {to} ({reason}); to do without, put by hand: {by_hand}"
            ) from None
        finally:
            with suppress(OSError):
                part.unlink()


def _download(published: Download, part: Path) -> str:
    """Write the answer to ``part``; its sha256."""
    # Here, because every crawl and each of its scoring processes could download, and hardly ever does.
    import urllib.request

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    digest = hashlib.sha256()
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with (
        urllib.request.urlopen(published.url, timeout=TIMEOUT_SECONDS) as answer,
        part.open("wb") as file,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("", total=published.bytes)
        # A wrong file may be endless: no more of it than shows that it is wrong.
        while file.tell() <= published.bytes and (data := answer.read(CHUNK)):
            file.write(data)
            digest.update(data)
            progress.advance(task, len(data))
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
