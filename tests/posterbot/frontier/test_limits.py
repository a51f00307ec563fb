"""Limits of hosts, from Scrapy's settings and ours; and Scrapy's own slots, which then let everything pass."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from scrapy.settings import Settings

from posterbot import settings as shipped
from posterbot.frontier.limits import Limits, LimitsAddon, limits_of, transfers_of

GENERAL = {
    "DOWNLOAD_DELAY": 0.25,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    "CONCURRENT_REQUESTS": 16,
    "HOST_REQUESTS_PER_DAY": 1000,
    "HOST_BYTES_PER_DAY": 10**12,
    "HOST_FAILURES": 3,
}


def settings(**more: Any) -> Settings:
    return Settings({**GENERAL, **more}, "project")


def test_general_values_hold_for_every_host() -> None:
    of = limits_of(settings())
    expected = Limits(4, 0.25, None, 1000, 10**12, 3)
    assert of("example.org") == of("192.0.2.1") == of("::1") == of("") == expected


def test_zero_is_no_limit() -> None:
    limits = limits_of(settings(HOST_REQUESTS_PER_DAY="0", HOST_BYTES_PER_DAY=0, HOST_FAILURES="0"))("example.org")
    assert (limits.requests_per_day, limits.bytes_per_day, limits.failures) == (None, None, None)


def test_without_settings_of_ours_five_failures_open_the_circuit_breaker() -> None:
    limits = limits_of(Settings({"DOWNLOAD_DELAY": 1}))("example.org")
    assert (limits.delay, limits.requests_per_day, limits.bytes_per_day, limits.failures) == (1, None, None, 5)


TABLE = {
    "Example.ORG": {"concurrency": 2, "delay": 3, "bits_per_second": 25e6, "requests_per_day": 5, "bytes_per_day": 7},
    "127.0.0.0/8": {"delay": 0, "concurrency": 16, "failures": 0, "jitter": 0.5, "randomize_delay": True},
    "127.0.1.0/24": {"delay": 9},
    "127.0.1.7": {"delay": 8},
    "[2001:db8::7]": {"delay": 7},
    "2001:db8::/32": {"delay": 6},
    "open.example.org": {"requests_per_day": 0},
}


@pytest.mark.parametrize("form", [dict, json.dumps])
def test_table_of_hosts_and_networks(form: Any) -> None:
    of = limits_of(settings(DOWNLOAD_SLOTS=form(TABLE)))
    assert of("example.org") == of("EXAMPLE.org") == Limits(2, 3, 25e6, 5, 7, 3)
    assert of("www.example.org") == Limits(4, 0.25, None, 1000, 10**12, 3)
    assert of("open.example.org").requests_per_day is None
    assert of("127.9.9.9") == Limits(16, 0, None, 1000, 10**12, None)
    assert of("127.0.1.8").delay == 9  # the smaller network
    assert of("127.0.1.7").delay == 8  # the address itself
    assert of("2001:db8::7").delay == of("[2001:db8::7]").delay == 7
    assert of("2001:db8::8").delay == 6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"DOWNLOAD_DELAY": "fast"}, "DOWNLOAD_DELAY must be a number of 0 or more, not 'fast'"),
        ({"DOWNLOAD_DELAY": -1}, "DOWNLOAD_DELAY must be a number of 0 or more, not -1"),
        ({"DOWNLOAD_DELAY": "nan"}, "DOWNLOAD_DELAY must be a number of 0 or more, not 'nan'"),
        ({"DOWNLOAD_DELAY": "inf"}, "DOWNLOAD_DELAY must be a number of 0 or more, not 'inf'"),
        (
            {"CONCURRENT_REQUESTS_PER_DOMAIN": 0},
            "CONCURRENT_REQUESTS_PER_DOMAIN must be a whole number of 1 or more, not 0",
        ),
        ({"HOST_FAILURES": "2.5"}, "HOST_FAILURES must be a whole number of 0 or more, not '2.5'"),
        ({"HOST_BYTES_PER_DAY": -1}, "HOST_BYTES_PER_DAY must be a whole number of 0 or more, not -1"),
        ({"HOST_REQUESTS_PER_DAY": True}, "HOST_REQUESTS_PER_DAY must be a whole number of 0 or more, not True"),
        ({"DOWNLOAD_SLOTS": {"a.org": 3}}, "DOWNLOAD_SLOTS['a.org'] must be a table like {'delay': 1.5}, not 3"),
        (
            {"DOWNLOAD_SLOTS": {"a.org": {"dalay": 3}}},
            "DOWNLOAD_SLOTS['a.org'] has no key 'dalay': give some of concurrency, delay, bits_per_second,"
            " requests_per_day, bytes_per_day, failures",
        ),
        (
            {"DOWNLOAD_SLOTS": {"a.org": {"concurrency": 1.5}}},
            "DOWNLOAD_SLOTS['a.org']['concurrency'] must be a whole number of 1 or more, not 1.5",
        ),
        (
            {"DOWNLOAD_SLOTS": {"http://a.org/": {}}},
            "DOWNLOAD_SLOTS['http://a.org/']: give a host's name, its address or a network like 127.0.0.0/8",
        ),
    ],
)
def test_what_is_wrong_is_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        limits_of(settings(**given))


@pytest.mark.parametrize(("given", "transfers"), [(7, 7), ("7", 7), (0, 1_000_000)])
def test_transfers(given: Any, transfers: int) -> None:
    assert transfers_of(settings(CONCURRENT_REQUESTS=given)) == transfers


def test_wrong_transfers() -> None:
    with pytest.raises(ValueError, match=r"^CONCURRENT_REQUESTS must be a whole number of 0 or more, not 'all'$"):
        transfers_of(settings(CONCURRENT_REQUESTS="all"))


def test_addon_opens_scrapys_slots_and_keeps_our_limits() -> None:
    given = settings(DOWNLOAD_SLOTS=TABLE, AUTOTHROTTLE_ENABLED=True, RETRY_ENABLED=True)
    given.set("DOWNLOAD_DELAY", "1.5", "cmdline")
    given.set("CONCURRENT_REQUESTS", "3", "cmdline")
    before = limits_of(given)
    LimitsAddon().update_settings(given)
    after = limits_of(given)
    for host in ("example.org", "127.0.1.8", "elsewhere.org"):
        assert before(host) == after(host)
    assert after("elsewhere.org").delay == 1.5
    assert transfers_of(given) == 3
    assert given.getfloat("DOWNLOAD_DELAY") == 0
    assert given.getdict("DOWNLOAD_SLOTS") == {}
    assert not given.getbool("AUTOTHROTTLE_ENABLED")
    assert not given.getbool("RETRY_ENABLED")
    assert given.getint("CONCURRENT_REQUESTS") == given.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 1_000_000
    given.set("DOWNLOAD_DELAY", 5, "cmdline")  # nothing that comes later undoes it
    assert given.getfloat("DOWNLOAD_DELAY") == 0


def test_wikimedias_limits_are_the_default() -> None:
    """Its robot policy of April 2025: two requests at a time, 25 Mbit/s."""
    limits = limits_of(Settings({name: value for name, value in vars(shipped).items() if name.isupper()}))
    assert limits("upload.wikimedia.org").concurrency == 2
    assert limits("upload.wikimedia.org").bits_per_second == 25_000_000
