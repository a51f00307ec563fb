from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request, Spider

from posterbot.frontier.requests import PARENT, TICKET, RequestError, from_json, to_json


class Small(Spider):
    name = "small"
    CALLBACKS = frozenset({"parse", "failed", "listed"})

    def parse(self, response: Any) -> None: ...

    def failed(self, failure: Any) -> None: ...

    def listed(self, response: Any) -> None: ...

    def secret(self, response: Any) -> None: ...


SPIDER = Small()
URL = "https://site.example/film/1"

data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    headers=st.dictionaries(st.sampled_from(["Referer", "Accept", "X-Odd"]), st.text("aé:/ ", max_size=8), max_size=3),
    body=st.binary(max_size=20),
    meta=st.dictionaries(st.text(min_size=1), data, max_size=3),
    priority=st.integers(-99, 99),
    callback=st.sampled_from([None, SPIDER.parse, SPIDER.listed]),
)
def test_a_request_comes_back_as_it_was(method: str, headers: Any, body: bytes, meta: Any, **more: Any) -> None:
    given = Request(URL, method=method, headers=headers, body=body, meta=meta, errback=SPIDER.failed, **more)
    back = from_json(URL, to_json(given, SPIDER), SPIDER)
    assert back.callback == (given.callback or SPIDER.parse)
    for name in ("url", "method", "headers", "body", "meta", "priority", "errback", "cb_kwargs", "encoding"):
        assert getattr(back, name) == getattr(given, name), name


def test_most_requests_are_next_to_nothing() -> None:
    assert to_json(Request(URL, errback=SPIDER.failed), SPIDER) == "{}"


def test_what_belongs_to_this_process_stays_here() -> None:
    given = Request(URL, errback=SPIDER.failed, meta={TICKET: object(), PARENT: 5, "download_latency": 0.1, "depth": 3})
    assert json.loads(to_json(given, SPIDER)) == {"meta": {"depth": 3}}


@pytest.mark.parametrize(
    "request_",
    [
        Request(URL, meta={"a": object()}, errback=SPIDER.failed),
        Request(URL, cb_kwargs={"a": {1, 2}}, errback=SPIDER.failed),
        Request(URL, callback=lambda response: None, errback=SPIDER.failed),
    ],
)
def test_what_is_no_data_is_refused(request_: Request) -> None:
    with pytest.raises(RequestError, match=URL):
        to_json(request_, SPIDER)


@pytest.mark.parametrize(
    "row",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"callback": "secret"}',
        '{"callback": "__class__"}',
        '{"errback": "crawler"}',
        '{"callback": ["parse"]}',
        '{"_class": "os.system"}',
        '{"url": "file:///etc/passwd"}',
        '{"headers": 7}',
        '{"headers": {"A": 5}}',
        '{"body": "%%%"}',
        '{"meta": 3}',
        '{"priority": "high"}',
        "[" * 100_000,
    ],
)
def test_a_damaged_row_is_one_line(row: str) -> None:
    with pytest.raises(RequestError, match="damaged row") as caught:
        from_json(URL, row, SPIDER)
    assert "\n" not in str(caught.value)


@given(
    st.text()
    | data.map(json.dumps)
    | st.dictionaries(st.sampled_from(["meta", "body", "headers", "flags"]), data).map(json.dumps)
)
def test_any_row_is_a_request_or_one_error(row: str) -> None:
    with contextlib.suppress(RequestError):
        assert from_json(URL, row, SPIDER).url == URL


def test_a_damaged_url_is_one_error() -> None:
    with pytest.raises(RequestError):
        from_json("no url", "{}", SPIDER)
