"""No address leads a webhook into our own network, however it is wrapped."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifications.webhooks.addresses import Gate, check_addresses, denial, networks
from shared.errors import Invalid

GATE = Gate()

any_v4 = st.ip_addresses(v=4)
any_v6 = st.ip_addresses(v=6)

# Section 2.9 of the notifications specification, as it stands there.
# fmt: off
DENIED = networks(
    [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b:1::/48",
        "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ]
)
# fmt: on
V6_NOT_GLOBAL_UNICAST = networks(["::/3", "4000::/2", "8000::/1"])


def listed(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in (*DENIED, *V6_NOT_GLOBAL_UNICAST))


@pytest.mark.parametrize("network", DENIED, ids=str)
def test_a_denied_network_is_denied_from_its_first_address_to_its_last(
    network: IPv4Network | IPv6Network,
) -> None:
    assert denial(str(network[0]), GATE)
    assert denial(str(network[-1]), GATE)


@pytest.mark.parametrize("network", DENIED, ids=str)
def test_beside_a_denied_network_only_what_is_listed_too_is_denied(
    network: IPv4Network | IPv6Network,
) -> None:
    last = (1 << network.max_prefixlen) - 1
    for number in (int(network[0]) - 1, int(network[-1]) + 1):
        if 0 <= number <= last:
            beside = type(network[0])(number)
            assert (denial(str(beside), GATE) is not None) == listed(beside), beside


@given(address=any_v4 | any_v6)
def test_what_the_standard_library_calls_private_is_denied(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global:
        assert denial(str(address), GATE)


@given(address=any_v4)
@example(address=IPv4Address("10.0.0.1"))
@example(address=IPv4Address("8.8.8.8"))
def test_an_ipv4_address_wrapped_in_ipv6_is_judged_as_itself(address: IPv4Address) -> None:
    a, b, c, d = address.packed
    wrapped = (f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{a:02x}{b:02x}:{c:02x}{d:02x}:1::1")
    assert {denial(text, GATE) for text in wrapped} == {denial(str(address), GATE)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.example.org",
        "localhost",
        "8.8.8",
        "8.8.8.8 ",
        " 8.8.8.8",
        "08.8.8.8",
        "0x8.8.8.8",
        "8.8.8.8/32",
        "8.8.8.8%1",
        "８.8.8.8",
        "134744072",
        "[2606:4700::1111]",
        "2606:4700::1111%eth0",
        "fe80::1%eth0",
        "2606:4700::1111/128",
        "::ffff:8.8.8.8%1",
        "::ffff:8.8.8.08",
        "\x00",
    ],
)
def test_an_address_that_cannot_be_read_plainly_is_denied(text: str) -> None:
    assert denial(text, GATE)


def test_a_scoped_address_is_denied_even_inside_an_open_network() -> None:
    gate = Gate(open_networks=networks(["fe80::/10"]))
    assert denial("fe80::1", gate) is None
    assert denial("fe80::1%eth0", gate) == "scoped"


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        (["8.8.8.8"], True),
        (["8.8.8.8", "2606:4700::1111"], True),
        ([], False),
        (["10.0.0.1"], False),
        (["8.8.8.8", "10.0.0.1"], False),
        (["8.8.8.8", "::1"], False),
        (["8.8.8.8", "nonsense"], False),
    ],
)
def test_one_address_that_points_inside_spoils_the_whole_answer(found: list[str], passes: bool) -> None:
    if passes:
        assert check_addresses(found, GATE) == tuple(found)
        return
    with pytest.raises(Invalid) as refusal:
        check_addresses(found, GATE)
    assert refusal.value.code == "webhook_url_address"
    assert not any(text in str(refusal.value) for text in found)


def test_a_network_denied_here_stays_denied_when_a_wider_one_is_open() -> None:
    gate = Gate(
        open_networks=networks(["127.0.0.0/8"]), denied_networks=networks(["127.0.0.2/32", "8.8.8.0/24"])
    )
    assert denial("127.0.0.1", gate) is None
    assert denial("127.0.0.2", gate)
    assert denial("::ffff:127.0.0.2", gate)
    assert denial("8.8.8.8", gate)
    assert denial("8.8.9.0", gate) is None


def test_a_network_written_carelessly_is_an_error_and_not_rounded() -> None:
    assert networks(["10.0.0.0/8", "fd00::/8"]) == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    with pytest.raises(ValueError, match="host bits"):
        networks(["10.0.0.1/8"])
