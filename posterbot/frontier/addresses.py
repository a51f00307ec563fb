"""Which addresses are public, and which of the others a person has allowed. Pure functions: nothing is looked up."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA's registries of special-purpose addresses, and the one address of a cloud's own machinery that lies in neither.
_NOT_PUBLIC = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this machine, or none
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by a provider's customers; 100.100.100.200 is a cloud's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host, from within
            "169.254.0.0/16",  # link-local; 169.254.169.254 is nearly every cloud's metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out: loopback, link-local, unique local and multicast addresses lie elsewhere."""
_NOT_PUBLIC_6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_LOOPBACK = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """May anybody on the internet have this address? Of one that carries others within, all must be public."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    if carried := _carried(address):
        return all(map(is_public, carried))
    return address in _GLOBAL and not any(address in network for network in _NOT_PUBLIC_6)


def _carried(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses to which packets for ``address`` go on: mapped, translated (NAT64), 6to4, Teredo."""
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour:
        return (address.sixtofour,)
    return address.teredo or ()


def spelled(host: str) -> tuple[Address, ...]:
    """The addresses that ``host`` itself spells, as whatever looks up names would read it; empty for a name.

    Includes what the C library reads and nobody writes in good faith, ``2130706433``, ``0177.1``, ``0x7f.0.0.1``, and
    the names that never mean another machine (RFC 6761).
    """
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return _LOOPBACK
    try:
        return (plain(ipaddress.ip_address(bare)),)
    except ValueError:
        pass
    try:
        return (ipaddress.IPv4Address(socket.inet_aton(bare)),)
    except (OSError, ValueError):  # a name; or one with a zero in it
        return ()


def plain(address: Address) -> Address:
    """``address``, or the IPv4 address that it is written around (``::ffff:10.0.0.1``)."""
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be reached though it is not public."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def includes(self, host: str, address: Address) -> bool:
        """May ``address``, to which ``host`` of a URL has led, be connected to?"""
        address = plain(address)
        return host.rstrip(".").lower() in self.names or any(address in network for network in self.networks)


def read_allowed(entries: Iterable[str]) -> Allowed:
    """Names, addresses and networks: ``nas.example``, ``10.1.2.3``, ``fd00::/8``.

    A name may lead to any address; an address may be reached under any name.

    Raises:
        ValueError: one line on which entry is none of these.
    """
    names: set[str] = set()
    networks: list[Network] = []
    for entry in filter(None, (entry.strip() for entry in entries)):
        bare = entry.strip("[]").rstrip(".").lower()
        try:
            networks.append(ipaddress.ip_network(bare, strict=False))
            continue
        except ValueError:
            pass
        try:
            name = bare.encode("idna").decode()  # as it stands in URLs
        except UnicodeError:
            name = ""
        if not _NAME.fullmatch(name) or (spelled(name) and name != "localhost"):
            raise ValueError(f"{entry!r} is neither a host's name, nor its address, nor a network like 10.0.0.0/8")
        names.add(name)
    return Allowed(frozenset(names), tuple(networks))
