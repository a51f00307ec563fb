"""How much each host is asked for: from the settings, for all hosts and for single ones."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

_SCRAPYS = ("DOWNLOAD_DELAY", "CONCURRENT_REQUESTS_PER_DOMAIN", "CONCURRENT_REQUESTS", "DOWNLOAD_SLOTS")
"""Settings of Scrapy's that keep their meaning, but that we see to instead of Scrapy."""
_UNLIMITED = 1_000_000
_ABOVE_ALL = 50
"""Priority of a setting; Scrapy's command line has 40."""

# key: whole numbers only?, least
_KEYS: dict[str, tuple[bool, float]] = {
    "concurrency": (True, 1),
    "delay": (False, 0),
    "bits_per_second": (False, 0),
    "requests_per_day": (True, 0),
    "bytes_per_day": (True, 0),
    "failures": (True, 0),
}
_IGNORED = {"jitter", "randomize_delay"}
"""Scrapy varies the delay, down to half of it; here it is a promise."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one host is promised."""

    concurrency: int = 1
    """Transfers at once, 1 or more."""
    delay: float = 0.0
    """Seconds from an answer to the next request, 0 or more."""
    bits_per_second: float | None = None
    requests_per_day: int | None = None
    """In one day of UTC."""
    bytes_per_day: int | None = None
    """None is begun once so many have come; what is under way then is finished."""
    failures: int | None = None
    """So many failed requests in a row open the circuit breaker; None: never."""


def limits_of(settings: BaseSettings) -> Callable[[str], Limits]:
    """What each host, given by its name or address as in a URL's ``hostname``, is promised.

    Reads ``DOWNLOAD_DELAY``, ``CONCURRENT_REQUESTS_PER_DOMAIN``, ``HOST_REQUESTS_PER_DAY``, ``HOST_BYTES_PER_DAY`` and
    ``HOST_FAILURES`` (0: no limit), and the table ``DOWNLOAD_SLOTS``: ``{host or network: {key: value}}``. A host's own
    entry goes before those of networks, and a smaller network before a larger; what an entry lacks is as for all.

    Raises:
        ValueError: one line on what is wrong, and with which setting.
    """
    given = _given(settings)
    everywhere = _limits(
        {
            "concurrency": (given["CONCURRENT_REQUESTS_PER_DOMAIN"], "CONCURRENT_REQUESTS_PER_DOMAIN"),
            "delay": (given["DOWNLOAD_DELAY"], "DOWNLOAD_DELAY"),
            "requests_per_day": (settings.get("HOST_REQUESTS_PER_DAY", 0), "HOST_REQUESTS_PER_DAY"),
            "bytes_per_day": (settings.get("HOST_BYTES_PER_DAY", 0), "HOST_BYTES_PER_DAY"),
            "failures": (settings.get("HOST_FAILURES", 5), "HOST_FAILURES"),
        },
        Limits(),
    )
    hosts: dict[str, Limits] = {}
    networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Limits]] = []
    for key, entry in dict(given["DOWNLOAD_SLOTS"] or {}).items():
        where = f"DOWNLOAD_SLOTS[{key!r}]"
        if not isinstance(entry, Mapping):
            raise ValueError(f"{where} must be a table like {{'delay': 1.5}}, not {entry!r}")
        for unknown in sorted(entry.keys() - _KEYS.keys() - _IGNORED):
            raise ValueError(f"{where} has no key {unknown!r}: give some of {', '.join(_KEYS)}")
        limits = _limits({name: (entry[name], f"{where}[{name!r}]") for name in _KEYS if name in entry}, everywhere)
        if "/" in key:
            try:
                networks.append((ipaddress.ip_network(key, strict=False), limits))
            except ValueError:
                raise ValueError(f"{where}: give a host's name, its address or a network like 127.0.0.0/8") from None
        else:
            hosts[key.strip("[]").lower()] = limits
    networks.sort(key=lambda pair: -pair[0].prefixlen)

    def of(host: str) -> Limits:
        name = host.strip("[]").lower()
        if name in hosts:
            return hosts[name]
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return everywhere
        return next((limits for network, limits in networks if address in network), everywhere)

    return of


def transfers_of(settings: BaseSettings) -> int:
    """``CONCURRENT_REQUESTS``: transfers at once over all hosts. As with Scrapy, 0 is no limit.

    Raises:
        ValueError: one line on what is wrong with it.
    """
    return int(_number(_given(settings)["CONCURRENT_REQUESTS"], True, 0, "CONCURRENT_REQUESTS")) or _UNLIMITED


class LimitsAddon:
    """Scrapy add-on: Scrapy's own slots let everything pass, since all the waiting is done in ``handler.py``."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy once all settings are known: keeps what ours are under ``HOST_LIMITS``."""
        settings.set("HOST_LIMITS", {name: settings[name] for name in _SCRAPYS}, _ABOVE_ALL)
        for name, value in {
            "DOWNLOAD_DELAY": 0,
            "DOWNLOAD_DELAY_JITTER": 0,
            "CONCURRENT_REQUESTS": _UNLIMITED,
            "CONCURRENT_REQUESTS_PER_DOMAIN": _UNLIMITED,
            "DOWNLOAD_SLOTS": {},
            "AUTOTHROTTLE_ENABLED": False,
            "RETRY_ENABLED": False,
        }.items():
            settings.set(name, value, _ABOVE_ALL)


def _given(settings: BaseSettings) -> dict[str, Any]:
    """The settings of Scrapy's as the user gave them, whether the add-on has been there or not."""
    return {name: settings[name] for name in _SCRAPYS} | settings.getdict("HOST_LIMITS")


def _limits(given: dict[str, tuple[Any, str]], default: Limits) -> Limits:
    values = {key: _number(value, *_KEYS[key], where) for key, (value, where) in given.items()}

    def whole(key: str, otherwise: int | None) -> int | None:
        return int(values[key]) or None if key in values else otherwise

    return Limits(
        concurrency=int(values.get("concurrency", default.concurrency)),
        delay=values.get("delay", default.delay),
        bits_per_second=values.get("bits_per_second", default.bits_per_second) or None,
        requests_per_day=whole("requests_per_day", default.requests_per_day),
        bytes_per_day=whole("bytes_per_day", default.bytes_per_day),
        failures=whole("failures", default.failures),
    )


def _number(value: Any, whole: bool, least: float, where: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not least <= number < math.inf or (whole and number != int(number)):
        raise ValueError(
            f"{where} must be a {'whole number' if whole else 'number'} of {least:g} or more, not {value!r}"
        )
    return number
