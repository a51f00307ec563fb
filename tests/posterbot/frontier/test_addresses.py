"""Which addresses are public, what a host's name spells, and what a person may allow."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from posterbot.frontier.addresses import Allowed, is_public, plain, read_allowed, spelled

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
    2000:: 2001:200::1 2001:db7::1 2001:4860:4860::8888 2606:4700::1111 2a00:1450:4001::1 3ffe:ffff::1
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2001:0:808:808::f7f7:f7f7
"""

NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255
    168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 100::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo fec0::1 ff02::1 ff0e::1
    2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 4000::1
    ::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:c0a8:1::1
    2001:0:7f00:1::f7f7:f7f7 2001:0:808:808::80ff:fffe 2001:0:808:808::f5ff:fffe
"""


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.65530", "127.0.255.250"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.0.0.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("8.8", "8.0.0.8"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:a00:1", "10.0.0.1"),
        ("fe80::1%lo", "fe80::1%lo"),
    ],
)
def test_hosts_that_spell_an_address(host: str, address: str) -> None:
    assert spelled(host) == (ip_address(address),)


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "a.b.localhost"])
def test_names_of_this_machine(host: str) -> None:
    assert set(map(str, spelled(host))) == {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "1.2.3.4.5", "0x", "256.0.0.1", "1.2.3.4\0", "a", "", "::g", "½"]
)
def test_names_spell_nothing(host: str) -> None:
    assert spelled(host) == ()


def test_allowed_is_what_was_listed_and_nothing_else() -> None:
    allowed = read_allowed(["NAS.example.", " büro.lan ", "10.1.0.0/16", "[fd00::1]", "", "127.0.0.2"])
    private = ip_address("192.168.0.9")
    for host in ("nas.example", "nas.example.", "xn--bro-hoa.lan"):
        assert allowed.includes(host, private)
    for host in ("example", "a.nas.example", "nas.example.org"):
        assert not allowed.includes(host, private)
    for address in ("10.1.255.255", "fd00::1", "127.0.0.2", "::ffff:10.1.2.3"):
        assert allowed.includes("anything.example", ip_address(address))
    for address in ("10.2.0.0", "fd00::2", "127.0.0.1", "::ffff:10.2.0.0", "::1"):
        assert not allowed.includes("anything.example", ip_address(address))


def test_nothing_is_allowed_by_default() -> None:
    assert read_allowed([]) == Allowed()
    assert not Allowed().includes("", ip_address("::1"))
    assert plain(ip_address("::ffff:1.2.3.4")) == ip_address("1.2.3.4")


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/33", "10.0.0.1:80", "http://nas/", "*", "a b", "2130706433", "..", "x" * 70]
)
def test_what_is_none_is_refused_in_one_line(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is neither a host's name, nor its address, nor a network"):
        read_allowed(["10.0.0.1", entry])
