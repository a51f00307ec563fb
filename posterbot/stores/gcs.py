"""Google Cloud Storage, by Google's client. An upload is one request, and only takes where there is nothing yet."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import google_crc32c
import requests
import urllib3
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request
from google.cloud import storage  # type: ignore[import-untyped]
from google.cloud.storage.exceptions import DataCorruption  # type: ignore[import-untyped]
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

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

logger = logging.getLogger(__name__)

CACHE_CONTROL = "max-age=172800"
"""As Scrapy's store has it."""

_ROLE = "Storage Object User (roles/storage.objectUser)"
_KEY = "set GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account"
_NEEDED = ("storage.objects.create", "storage.objects.get")
_WISHED = {
    "storage.objects.list": "posterbot fsck and sync need it",
    "storage.objects.delete": "posterbot forget and fsck --repair need it",
}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_PASSING = {408, 409, 429}
# What Google says of a bucket, and of what did not arrive as it was sent.
_NO_BUCKET, _DAMAGED = "bucket does not exist", "doesn't match calculated"
_FACTS_BYTES = 8192
_PIECE = 65_536
_LISTED = "items(name,size,timeCreated,md5Hash,contentType,metadata),nextPageToken"


class GoogleStore:
    """A bucket, or what is under a prefix in it. See :class:`posterbot.stores.store.Store`.

    Args:
        uri: ``gs://bucket`` or ``gs://bucket/prefix``.
        project: of Google Cloud; None for that of the credentials.
        acl: a predefined ACL that objects get, None for the bucket's default.

    Raises:
        StoreError: the URI or the ACL is none, or there are no credentials.
    """

    threads = 16
    timeout = (5.0, 20.0)
    """Seconds: to connect; and for each piece that is sent, and each wait for an answer."""

    def __init__(self, uri: str, project: str | None = None, acl: str | None = None) -> None:
        bucket, _, prefix = uri.removeprefix("gs://").partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise StoreError(f"IMAGES_STORE: {uri}: no name of a bucket; set it to gs://bucket or gs://bucket/prefix")
        self._prefix = checked_prefix(uri, prefix)
        self.name = f"gs://{bucket}/{self._prefix}".rstrip("/")
        self._acl = _checked_acl(acl)
        self._client = _client(self.name, project)
        self._bucket = self._client.bucket(bucket)
        self._session: Any = self._client._http
        if not self._session.is_mtls:  # its own adapter has the certificate
            self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=self.threads + 4))
            self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self.threads + 4))
        # What all uploads have in common. Blob.upload_from_string takes twice the processor's time: half of that is for
        # putting together headers, proxies and cookies again each time.
        self._boundary = secrets.token_hex(16)
        self._upload = self._session.prepare_request(requests.Request("POST", self._upload_url(), self._headers()))
        self._surroundings = self._session.merge_environment_settings(self._upload.url, {}, None, None, None)
        self._refresh = partial(Request(), timeout=self.timeout[1])

    @classmethod
    def from_settings(cls, uri: str, settings: Mapping[str, Any]) -> GoogleStore:
        """With ``GCS_PROJECT_ID`` and ``IMAGES_STORE_GCS_ACL``, as for Scrapy's store. Raises StoreError."""
        return cls(uri, settings.get("GCS_PROJECT_ID") or None, settings.get("IMAGES_STORE_GCS_ACL") or None)

    def check(self) -> None:
        """See :class:`~posterbot.stores.store.Store`. What only some commands need is a warning."""
        with self._told():
            granted = self._bucket.test_iam_permissions([*_NEEDED, *_WISHED], timeout=self.timeout, retry=None)
        if missing := [permission for permission in _NEEDED if permission not in granted]:
            raise StoreError(
                f"IMAGES_STORE: {self.name}: no permission {' and '.join(missing)}; grant the account of "
                f"GOOGLE_APPLICATION_CREDENTIALS the role {_ROLE} on the bucket"
            )
        for permission, need in _WISHED.items():
            if permission not in granted:
                logger.warning("IMAGES_STORE: %s: no permission %s: %s", self.name, permission, need)

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        crc32c = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        described = {
            "name": self._prefix + checked_path(path),
            "contentType": media_type,
            "cacheControl": CACHE_CONTROL,
            "crc32c": crc32c,  # Google refuses what arrives otherwise
            "metadata": _fitting(facts),
        }
        with self._told():
            answer = self._send(_Body(self._boundary, described, media_type, data))
        if answer.status_code == 412:
            return False
        said = _json(answer)
        if answer.status_code != 200:
            message = said.get("error", {}).get("message", "") or answer.reason
            raise self._refused(answer.status_code, message)
        if not said.keys() >= {"crc32c", "generation"}:
            raise UnavailableError(f"{self.name}: the answer to an upload is none of Google's")
        if said["crc32c"] != crc32c:
            self._take_back(path, said["generation"])
            raise UnavailableError(f"{self.name}: {path} arrived damaged")
        return True

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`; compared with the checksum that the bucket keeps."""
        blob = self._blob(path)
        with self._told(path):
            data: bytes = blob.download_as_bytes(timeout=self.timeout, retry=None, checksum="crc32c")
        return data

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        blob = self._blob(path)
        try:
            with self._told(path):
                blob.reload(timeout=self.timeout, retry=None)
        except NotStoredError:
            return None
        return self._stat(blob)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`."""
        with self._told():
            for blob in self._client.list_blobs(
                self._bucket, prefix=self._prefix + prefix, fields=_LISTED, timeout=self.timeout, retry=None
            ):
                last = blob.name.rpartition("/")[2]
                if last and not last.startswith(OURS):  # a name that ends with "/" is what consoles show as a folder
                    yield self._stat(blob)

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        blob = self._blob(path)
        try:
            with self._told(path):
                blob.delete(timeout=self.timeout, retry=None)
        except NotStoredError:
            return False
        return True

    def close(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        self._client.close()

    def _blob(self, path: str) -> Any:
        return self._bucket.blob(self._prefix + checked_path(path))

    def _take_back(self, path: str, generation: str) -> None:
        """Delete one generation, and try hard: nobody writes the right one as long as it is there."""
        with contextlib.suppress(NotStoredError), self._told(path):
            blob = self._bucket.blob(self._prefix + path, generation=int(generation))
            blob.delete(timeout=self.timeout, retry=DEFAULT_RETRY.with_timeout(self.timeout[1]))

    def _stat(self, blob: Any) -> Stat:
        return Stat(
            blob.name.removeprefix(self._prefix),
            blob.size,
            blob.time_created,
            base64.b64decode(blob.md5_hash).hex() if blob.md5_hash else None,
            blob.content_type or OCTETS,
            blob.metadata or {},
        )

    def _upload_url(self) -> str:
        query = {"uploadType": "multipart", "ifGenerationMatch": "0", "fields": "crc32c,generation"}
        if self._acl:
            query["predefinedAcl"] = self._acl
        return f"{self._client.api_endpoint}/upload/storage/v1/b/{self._bucket.name}/o?{urlencode(query)}"

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": f'multipart/related; boundary="{self._boundary}"',
            "User-Agent": f"posterbot gcloud-python/{storage.__version__}",
        }

    def _send(self, body: _Body) -> requests.Response:
        request = self._upload.copy()
        self._session.credentials.before_request(self._refresh, "POST", request.url, request.headers)
        request.headers["Content-Length"] = str(len(body))
        request.body = body
        answer: requests.Response = self._session.send(
            request, timeout=self.timeout, allow_redirects=False, **self._surroundings
        )
        if answer.status_code == 401:  # the token is not taken any longer: this gets another
            answer = self._session.request(
                "POST", request.url, body, self._headers(), timeout=self.timeout, allow_redirects=False
            )
        return answer

    @contextlib.contextmanager
    def _told(self, path: str | None = None) -> Iterator[None]:
        """What goes wrong in here is told in the words of stores; that there is no object is about ``path``."""
        try:
            yield
        except GoogleAPICallError as error:
            if error.code == 404 and path is not None and _NO_BUCKET not in error.message:
                raise NotStoredError(path) from None
            said = error.errors[0].get("message") if error.errors else error.message
            raise self._refused(int(error.code or 0), said or "") from error
        except TransportError as error:
            raise UnavailableError(f"{self.name}: {_cause(error)}") from error
        except GoogleAuthError as error:
            if error.retryable:
                raise UnavailableError(f"{self.name}: {_cause(error)}") from error
            raise _no_credentials(self.name, error) from error
        except (DataCorruption, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(f"{self.name}: {_cause(error)}") from error

    def _refused(self, status: int, message: str) -> StoreError | UnavailableError:
        message = _line(message)
        if status in _PASSING or status >= 500 or _DAMAGED in message:
            return UnavailableError(f"{self.name}: {status} {message}")
        if status == 401:
            return StoreError(f"IMAGES_STORE: {self.name}: the credentials are not accepted ({message}); {_KEY}")
        if status == 403:
            advice = f"grant the account of GOOGLE_APPLICATION_CREDENTIALS the role {_ROLE} on the bucket"
            return StoreError(f"IMAGES_STORE: {self.name}: not permitted ({message}); {advice}")
        if status == 404:
            advice = "create it, or set IMAGES_STORE to another"
            return StoreError(f"IMAGES_STORE: {self.name}: there is no such bucket; {advice}")
        advice = "; see IMAGES_STORE_GCS_ACL" if self._acl else ""
        return StoreError(f"IMAGES_STORE: {self.name}: refused ({status} {message}){advice}")


class _Body:
    """An upload: description and data. Sent piece by piece, as the time limit is for each: slow lines do."""

    def __init__(self, boundary: str, described: Mapping[str, object], media_type: str, data: bytes) -> None:
        head = (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(described)}\r\n"
            f"--{boundary}\r\nContent-Type: {media_type}\r\n\r\n"
        )
        self._all = memoryview(b"".join((head.encode(), data, f"\r\n--{boundary}--\r\n".encode())))

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[memoryview]:
        for begin in range(0, len(self._all), _PIECE):
            yield self._all[begin : begin + _PIECE]


def _client(name: str, project: str | None) -> Any:
    """Google's client. Both variables are its own, and who has set them keeps them."""
    # A machine that is none of Google's finds out at the first try, in three seconds at most.
    os.environ.setdefault("GCE_METADATA_DETECT_RETRIES", "1")
    # For tracing, it would look up the bucket in the background, with a permission that nothing else here needs.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    logging.getLogger("google.auth").setLevel(logging.ERROR)  # what it warns of is in our one line, or of no matter
    try:
        return storage.Client(project=project)
    except (GoogleAuthError, ValueError, OSError) as error:
        raise _no_credentials(name, error) from None


def _no_credentials(name: str, error: Exception) -> StoreError:
    none = isinstance(error, DefaultCredentialsError) and "credentials were not found" in str(error)
    why = "there are none" if none else _cause(error)
    return StoreError(f"IMAGES_STORE: {name}: cannot use the credentials ({why}); {_KEY}")


def _checked_acl(acl: str | None) -> str | None:
    try:
        checked: str | None = storage.acl.ACL.validate_predefined(acl)
    except ValueError:
        known = ", ".join(sorted(storage.acl.ACL.PREDEFINED_JSON_ACLS))
        raise StoreError(f"IMAGES_STORE_GCS_ACL: no predefined ACL is {acl!r}; set one of {known}, or none") from None
    return checked


def _fitting(facts: Mapping[str, str]) -> dict[str, str]:
    """Those of the facts, in order, that there is room for."""
    fitting, room = {}, _FACTS_BYTES
    for name, value in facts.items():
        told = value.encode("utf-8", "replace")
        if len(name) + len(told) <= room:
            room -= len(name) + len(told)
            fitting[name] = told.decode()
    return fitting


def _json(answer: requests.Response) -> dict[str, Any]:
    """What an answer says; nothing if it is no JSON, as what proxies and emulators say of errors."""
    try:
        said = json.loads(answer.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _cause(error: BaseException) -> str:
    """What is at the bottom of it, without the layers that it came through."""
    while True:
        inner = [getattr(error, "reason", None), *error.args]
        if isinstance(error, GoogleAuthError) and error.args and isinstance(error.args[0], str):
            return _line(error.args[0])
        below = next((each for each in inner if isinstance(each, BaseException)), None)
        if below is None:
            return _line(str(error))
        error = below


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
