"""Originals in a bucket of Amazon S3, or of anything that speaks like it.

Importing this raises :class:`~posterbot.stores.store.StoreError` where botocore is missing.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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

try:
    import botocore.session  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
except ImportError:
    raise StoreError("IMAGES_STORE: s3:// needs botocore: pip install 'posterbot[s3]'") from None

from posterbot.stores.s3_metadata import from_metadata, to_metadata
from posterbot.stores.s3_refusals import code_of, refusal, status_of

logger = logging.getLogger(__name__)

# Codes of endpoints that do not know If-None-Match: 501, or a 400 of some kind.
_CONDITION_UNKNOWN = {"NotImplemented", "501", "InvalidArgument", "InvalidRequest", "UnsupportedOperation", "400"}
_FLAGS = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
# Scrapy's settings → what botocore's clients call it.
_OPTIONS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
    "AWS_ENDPOINT_URL": "endpoint_url",
    "AWS_REGION_NAME": "region_name",
    "AWS_USE_SSL": "use_ssl",
    "AWS_VERIFY": "verify",
}


class S3Store:
    """A bucket, or a folder in one. See :class:`posterbot.stores.store.Store`.

    In a bucket that keeps versions ``delete`` leaves the older ones: a lifecycle rule of the bucket has to expire them.

    Args:
        uri: ``s3://bucket/prefix``.
        acl: canned ACL of what is written. ``private`` is what an object has anyway: it is not sent, as buckets whose
            ACLs are disabled, Amazon's default, refuse any.
        options: for ``create_client`` of botocore, which looks elsewhere for what is not given.

    Raises:
        StoreError: the URI, the endpoint, or a file of settings that botocore reads is not as it should be.
    """

    threads = 16
    connect_seconds = 5.0
    read_seconds = 20.0

    def __init__(self, uri: str, acl: str = "private", **options: Any) -> None:
        self._bucket, _, prefix = uri[len("s3://") :].partition("/")
        if not re.fullmatch(r"[a-zA-Z0-9._-]{3,255}", self._bucket):
            raise StoreError(f"IMAGES_STORE: {uri}: {self._bucket!r} is no name of a bucket")
        self._prefix = checked_prefix(uri, prefix)
        self.name = f"s3://{self._bucket}/{self._prefix}".rstrip("/")
        self._acl = {} if acl in {"", "private"} else {"ACL": acl}
        self._conditional = True  # until the endpoint turns out not to know If-None-Match
        self._etags_are_md5: bool | None = None  # as far as uploads have shown
        config = Config(
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds,
            max_pool_connections=self.threads,
            retries={"total_max_attempts": 1},
            # Content-MD5 is sent with each upload: CRCs on top of it would only cost time.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            self._client = botocore.session.get_session().create_client("s3", config=config, **options)
        except (BotoCoreError, ValueError) as error:
            raise StoreError(f"IMAGES_STORE: {uri}: {_line(error)}; see the AWS_… settings") from None
        self._client.meta.events.register_last("before-call.s3", _send_at_once)

    @classmethod
    def from_settings(cls, uri: str, settings: Mapping[str, Any]) -> S3Store:
        """As Scrapy's settings, or an environment, say: ``AWS_…`` and ``IMAGES_STORE_S3_ACL``. Raises StoreError."""
        given = {option: settings.get(name) for name, option in _OPTIONS.items()}
        options = {option: value for option, value in given.items() if value not in (None, "")}
        for name in ("use_ssl", "verify"):
            if name in options:
                options[name] = _FLAGS.get(str(options[name]).lower(), options[name])
        if isinstance(options.get("verify"), str) and not Path(options["verify"]).exists():
            raise StoreError(f"AWS_VERIFY: there is no file {options['verify']}; set it to True or to a CA bundle")
        return cls(uri, settings.get("IMAGES_STORE_S3_ACL", "private") or "", **options)

    def check(self) -> None:
        """See :class:`~posterbot.stores.store.Store`; finds out as well what the endpoint knows."""
        may_list = True
        with self._told():
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                # Such an answer has no body to say more; that of an upload has.
                if status_of(error) == 404 or status_of(error) >= 500:
                    raise
                may_list = status_of(error) != 403
        path = f"{OURS}-check-{secrets.token_hex(8)}"
        self.put_if_absent(path, path.encode())
        try:
            if self._conditional and self.put_if_absent(path, path.encode()):
                self._conditional = False  # it takes the header, and ignores it
            if self._is_other(path, path.encode()):
                raise StoreError(f"IMAGES_STORE: {self.name}: what was written there is not what is read; see to it")
        finally:
            try:
                self.delete(path)
            except StoreError as error:
                logger.warning("%s; %s was left there, and nothing can be forgotten or repaired", error, path)
        if not may_list:
            logger.warning("%s: its names may not be listed, which posterbot fsck and sync need", self.name)

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`. Facts are cut where they exceed what S3 keeps, 2 kB."""
        md5 = hashlib.md5(data, usedforsecurity=False)
        request = {
            **self._object(path),
            **self._acl,
            "Body": data,
            "ContentType": media_type,
            "ContentMD5": base64.b64encode(md5.digest()).decode(),
            "Metadata": to_metadata(facts),
        }
        with self._told():
            answer = self._put(path, request)
        if answer is None:
            return False
        etag = _md5(answer)
        if etag is None:
            self._etags_are_md5 = False
        elif etag == md5.hexdigest():
            self._etags_are_md5 = True
        elif self._etags_are_md5 is not False:
            # Damage, or an endpoint whose ETags look like MD5s and are none.
            if self._is_other(path, data):
                with suppress(StoreError):
                    self.delete(path)
                raise UnavailableError(f"{self.name}: what arrived as {path} is not what was sent")
            self._etags_are_md5 = False
        return True

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`."""
        with self._told():
            try:
                return self._client.get_object(**self._object(path))["Body"].read()  # type: ignore[no-any-return]
            except ClientError as error:
                if code_of(error) in {"NoSuchKey", "404"}:
                    raise NotStoredError(path) from None
                raise

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        with self._told():
            found = self._head(path)
        if found is None:
            return None
        md5 = None if self._etags_are_md5 is False else _md5(found)
        media_type = found.get("ContentType", OCTETS)
        return Stat(path, found["ContentLength"], found.get("LastModified"), md5, media_type, from_metadata(found))

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`. MD5s only after an upload, or ``check``, has shown some."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._told():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for found in page.get("Contents", ()):
                    path = found["Key"][len(self._prefix) :]
                    name = path.rpartition("/")[2]
                    if name and not name.startswith(OURS):
                        md5 = _md5(found) if self._etags_are_md5 else None
                        yield Stat(path, found["Size"], found["LastModified"], md5)

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        with self._told():
            if self._head(path) is None:
                return False
            self._client.delete_object(**self._object(path))
        return True

    def close(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        self._client.close()

    def _object(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked_path(path)}

    def _put(self, path: str, request: dict[str, Any]) -> Mapping[str, Any] | None:
        """What the endpoint answers; None where there is an object."""
        if self._conditional:
            try:
                return self._client.put_object(IfNoneMatch="*", **request)  # type: ignore[no-any-return]
            except ClientError as error:
                if status_of(error) == 412:
                    return None
                if code_of(error) not in _CONDITION_UNKNOWN:
                    raise
        if self._head(path) is not None:
            return None
        answer: Mapping[str, Any] = self._client.put_object(**request)
        self._conditional = False  # that was why
        return answer

    def _head(self, path: str) -> Mapping[str, Any] | None:
        try:
            return self._client.head_object(**self._object(path))  # type: ignore[no-any-return]
        except ClientError as error:
            if status_of(error) == 404:
                return None
            raise

    def _is_other(self, path: str, data: bytes) -> bool:
        try:
            return self.get(path) != data
        except NotStoredError:
            return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of botocore as ours."""
        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise refusal(error, self.name) from error


def _md5(answer: Mapping[str, Any]) -> str | None:
    """The MD5 in an answer, in hexadecimal: its ETag, unless it was uploaded in parts or encrypted with a key."""
    etag = str(answer.get("ETag", "")).strip('"').lower()
    keyed = "SSECustomerAlgorithm" in answer or answer.get("ServerSideEncryption", "AES256") != "AES256"
    return etag if re.fullmatch("[0-9a-f]{32}", etag) and not keyed else None


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    """botocore would ask before each upload whether to send it: one way to the server and back for each image."""
    params["headers"].pop("Expect", None)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
