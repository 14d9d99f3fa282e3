"""No spelling of a URL leads a webhook into our own network."""

from ipaddress import IPv4Address, ip_network
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from services.notifications.webhooks.addresses import (
    URL_CHARACTERS_MAX,
    Gate,
    check_url,
    networks,
)
from shared.errors import Invalid

GATE = Gate()
LOOPBACK = Gate(open_networks=networks(("127.0.0.0/8", "::1/128")))

any_v4 = st.ip_addresses(v=4)


def refused(url: str, gate: Gate = GATE) -> str:
    with pytest.raises(Invalid) as refusal:
        check_url(url, gate)
    return refusal.value.code


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("https://hooks.example.org", "https://hooks.example.org/"),
        ("https://hooks.example.org?a=1", "https://hooks.example.org/?a=1"),
        ("HTTPS://Hooks.Example.ORG:443/Path?A=b", "https://hooks.example.org/Path?A=b"),
        ("https://hooks.example.org:8443/x", "https://hooks.example.org:8443/x"),
        ("https://hooks.example.org:/x", "https://hooks.example.org/x"),
        ("https://hooks.example.org./x", "https://hooks.example.org/x"),
        ("https://bücher.example/straße?q=ü", "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%BC"),
        ("https://hooks。example。org/x", "https://hooks.example.org/x"),
        ("https://hooks.example.org/a%2Fb/../c", "https://hooks.example.org/a%2Fb/../c"),
        ("https://1password.example/", "https://1password.example/"),
        ("https://hooks.example.org/@me:1", "https://hooks.example.org/@me:1"),
    ],
)
def test_a_public_https_address_is_dialled_in_one_spelling(written: str, dialled: str) -> None:
    target = check_url(written, GATE)
    assert target.url == dialled
    assert check_url(target.url, GATE) == target


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "webhook_url_unreadable"),
        ("hooks.example.org", "webhook_url_unreadable"),
        ("//hooks.example.org/", "webhook_url_unreadable"),
        ("https:/hooks.example.org/", "webhook_url_unreadable"),
        ("http://hooks.example.org/", "webhook_url_scheme"),
        ("ftp://hooks.example.org/", "webhook_url_scheme"),
        ("file:///etc/passwd", "webhook_url_scheme"),
        ("gopher://hooks.example.org/", "webhook_url_scheme"),
        ("https://user@hooks.example.org/", "webhook_url_credentials"),
        ("https://user:word@hooks.example.org/", "webhook_url_credentials"),
        ("https://hooks.example.org@10.0.0.1/", "webhook_url_credentials"),
        ("https://hooks.example.org/#part", "webhook_url_fragment"),
        ("https://hooks.example.org/#", "webhook_url_fragment"),
        ("https://hooks.example.org:80/", "webhook_url_port"),
        ("https://hooks.example.org:22/", "webhook_url_port"),
        ("https://hooks.example.org:0/", "webhook_url_port"),
        ("https://hooks.example.org:99999/", "webhook_url_port"),
        ("https://hooks.example.org:４４３/", "webhook_url_host"),
        ("https://hooks.example.org:+443/", "webhook_url_host"),
        ("https:///path", "webhook_url_host"),
        ("https://./", "webhook_url_host"),
        ("https://hooks..example.org/", "webhook_url_host"),
        ("https://hooks.example.org../", "webhook_url_host"),
        ("https://-hooks.example.org/", "webhook_url_host"),
        ("https://my_hooks.example.org/", "webhook_url_host"),
        ("https://%31%32%37.0.0.1/", "webhook_url_host"),
        ("https://hooks.example.org%2f.evil.example/", "webhook_url_host"),
        ("https://evil.example／@hooks.example.org/", "webhook_url_credentials"),
        ("https://evil.example／hooks.example.org/", "webhook_url_host"),
        ("https://evil.example：22/", "webhook_url_host"),
        (f"https://{'a' * 64}.example.org/", "webhook_url_host"),
        ("https://localhost/", "webhook_url_host"),
        ("https://intranet/", "webhook_url_host"),
        ("https://mongo.default.svc/", "webhook_url_host"),
        ("https://printer.local/", "webhook_url_host"),
        ("https://metadata.google.internal/", "webhook_url_host"),
        ("https://LOCALHOST./", "webhook_url_host"),
        ("https://hooks.example.org/\r\nX: y", "webhook_url_characters"),
        ("https://hooks.example.org/\t", "webhook_url_characters"),
        (" https://hooks.example.org/", "webhook_url_characters"),
        ("https://hooks.example.org/a b", "webhook_url_characters"),
        ("https://hooks.example.org\\@10.0.0.1/", "webhook_url_characters"),
        ("https://hooks.example.org/\x00", "webhook_url_characters"),
        ("https://hooks.example.org/\x7f", "webhook_url_characters"),
        ("https://hooks.example.org/\u202ecod", "webhook_url_characters"),
        ("https://hooks.\u200bexample.org/", "webhook_url_characters"),
        ("https://hooks.example.org/\ud800", "webhook_url_characters"),
    ],
)
def test_what_a_receivers_url_may_not_be(url: str, code: str) -> None:
    assert refused(url) == code


@pytest.mark.parametrize("filler", ["a", "%41"])
def test_a_url_may_be_as_long_as_the_limit_and_no_longer(filler: str) -> None:
    start = "https://hooks.example.org/"
    longest = (start + filler * URL_CHARACTERS_MAX)[:URL_CHARACTERS_MAX]
    assert check_url(longest, GATE).url == longest
    assert refused(longest + "a") == "webhook_url_too_long"


def test_the_limit_holds_for_what_is_dialled_too() -> None:
    # Each of these letters is dialled as six characters.
    assert refused("https://hooks.example.org/" + "ü" * 500) == "webhook_url_too_long"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "8.8.8.8",
        "１２７.０.０.１",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "127.0.0.1.",
        "[::1]",
        "[2606:4700::1111]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:7f00:1::]",
    ],
)
def test_an_address_in_place_of_a_name_is_refused(host: str) -> None:
    assert refused(f"https://{host}/") == "webhook_url_ip_literal"


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "0x",
        "1.2.3.4.5",
        "256.256.256.256",
        "example.0",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1",
        "::1",
        "[]",
        "[:::]",
        "[127.0.0.1]",
        "[v1.fe80]",
        "[::1]evil.example",
    ],
)
def test_an_odd_spelling_of_an_address_is_not_even_read(host: str) -> None:
    assert refused(f"https://{host}/") == "webhook_url_host"


def spellings(address: IPv4Address) -> list[str]:
    """The ways in which C's inet_aton, browsers and translators write one IPv4 address."""
    number, (a, b, c, d) = int(address), address.packed
    wide = str(address).translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    return [
        str(address),
        wide,
        wide.replace(".", "。"),
        f"{address}.",
        str(number),
        oct(number).replace("o", ""),
        hex(number),
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"{a}.{b}.{(c << 8) + d}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[64:ff9b:1::{address}]",
        f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]",
    ]


@given(address=any_v4)
@example(address=IPv4Address("127.0.0.1"))
@example(address=IPv4Address("169.254.169.254"))
@example(address=IPv4Address("8.8.8.8"))
def test_no_spelling_of_any_ipv4_address_passes_for_a_name(address: IPv4Address) -> None:
    for host in spellings(address):
        assert refused(f"https://{host}/") in ("webhook_url_ip_literal", "webhook_url_host")


@given(address=any_v4.filter(lambda address: address not in ip_network("127.0.0.0/8")))
@example(address=IPv4Address("10.0.0.1"))
def test_opening_loopback_opens_nothing_else(address: IPv4Address) -> None:
    for host in spellings(address):
        for scheme in ("http", "https"):
            assert refused(f"{scheme}://{host}:443/", LOOPBACK) in (
                "webhook_url_ip_literal",
                "webhook_url_host",
            )


@given(text=st.text(), host=st.text(min_size=1), path=st.text())
def test_whatever_is_written_is_refused_or_has_one_reading(text: str, host: str, path: str) -> None:
    for url in (text, f"https://{host}/{path}", f"https://{host}.example.org/{path}"):
        try:
            target = check_url(url, GATE)
        except Invalid:
            continue
        read = urlsplit(target.url)
        assert (read.scheme, read.hostname, read.username) == ("https", target.host, None)
        assert URL(target.url, encoded=True).raw_host == target.host
        assert target.url.isascii() and target.url.isprintable()
        assert check_url(target.url, GATE) == target


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/x", "https://127.0.0.1/x", "http://[::1]:1/x", "http://[::ffff:127.0.0.1]:80/x"],
)
def test_the_demo_may_call_its_own_machine_when_that_is_listed(url: str) -> None:
    assert check_url(url, LOOPBACK).url
    assert refused(url) in ("webhook_url_ip_literal", "webhook_url_scheme")


def test_opening_loopback_does_not_open_the_name_localhost() -> None:
    assert refused("https://localhost/", LOOPBACK) == "webhook_url_host"


def test_names_of_our_own_services_are_refused_with_all_below_them() -> None:
    gate = Gate(denied_names=("concord.example",))
    assert refused("https://concord.example/", gate) == "webhook_url_host"
    assert refused("https://mongo.concord.example/", gate) == "webhook_url_host"
    assert check_url("https://notconcord.example/", gate).host == "notconcord.example"


def test_plain_http_and_other_ports_are_for_those_listed_alone() -> None:
    gate = Gate(plain_http_hosts=frozenset({"old.example.org"}), ports=frozenset({443, 9443}))
    assert check_url("http://old.example.org/x", gate).url == "http://old.example.org/x"
    assert check_url("http://OLD.example.org:9443/x", gate).port == 9443
    assert check_url("https://new.example.org:9443/x", gate).port == 9443
    assert refused("http://new.example.org/x", gate) == "webhook_url_scheme"
    assert refused("http://old.example.org:8080/x", gate) == "webhook_url_port"
    assert refused("https://new.example.org:8443/x", gate) == "webhook_url_port"
    assert refused("https://new.example.org:80/x", gate) == "webhook_url_port"
