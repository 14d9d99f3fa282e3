"""Where a webhook may go: two gates, and why there are two.

A receiver's URL is written by somebody else and dialled from inside our network, so it is the shortest
way to a database, a metadata service or a neighbour's admin page. Two gates stand in the way:

    check_url        the text: when an endpoint is made, when it changes, and again before every request. It
                     yields the one spelling that is then dialled, so nothing is parsed twice in two ways.
    check_addresses  what the name resolves to: every address must pass, one that does not refuses them all.
    denial           the single address a socket is about to dial. Only this one sees a name that changes its
                     mind between the answer and the call.

The order within check_url matters: control characters first (parsers drop them silently), then the shape,
then the host through IDNA, and only then is the host read as an address, because full-width digits and
ideographic full stops become an address there. What cannot be read is refused: every doubt is a no.

Not needed for safety: the denied names. They answer early and in words; the addresses decide.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote

import idna

from shared.errors import Invalid

URL_CHARACTERS_MAX = 2048
HOST_CHARACTERS_MAX = 253
PORT_MAX = 65535
DEFAULT_PORTS = frozenset({443, 8443})
DENIED_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "intranet", "lan", "svc")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What this installation lets out. `open_networks` is for the demo and tests: production refuses it."""

    open_networks: tuple[Network, ...] = ()
    denied_networks: tuple[Network, ...] = ()
    denied_names: tuple[str, ...] = DENIED_NAMES
    plain_http_hosts: frozenset[str] = frozenset()
    ipv4_only_hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = DEFAULT_PORTS


@dataclass(frozen=True)
class Target:
    """A URL that passed, in the one spelling to dial."""

    url: str
    host: str
    port: int


_SHAPE = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#?)"
)
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\s\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_SCHEME_PORT = {"https": 443, "http": 80}
_PATH_SAFE = "%/?:@!$&'()*+,;=~-._[]"

_DENIED_V4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier network"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarks"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_DENIED_V6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::/96", "unspecified, loopback or IPv4-compatible"),
        # Which bits of a local-use NAT64 prefix hold the IPv4 address only its operator knows: none is read.
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard"),
        ("2001::/23", "protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


def check_url(text: str, gate: Gate) -> Target:
    """The URL as it will be dialled, or a refusal that says what is wrong with it."""
    _check_length(text)
    if _UNWRITABLE.search(text) or not _is_encodable(text):
        raise Invalid("webhook_url_characters", "Spaces, control characters and backslashes are not allowed")
    shape = _SHAPE.match(text)
    if shape is None:
        raise Invalid("webhook_url_unreadable", "Not an absolute URL")
    scheme = shape["scheme"].lower()
    if scheme not in _SCHEME_PORT:
        raise Invalid("webhook_url_scheme", "Only https addresses can be called")
    if shape["fragment"]:
        raise Invalid("webhook_url_fragment", "A fragment never reaches the receiver: leave it out")
    host, port = _host_and_port(shape["authority"])
    target = _target(scheme, host, port, shape["rest"], gate)
    _check_length(target.url)
    return target


def check_addresses(texts: Iterable[str], gate: Gate) -> tuple[str, ...]:
    """Every address a name has, or a refusal: one that points inside spoils the answer."""
    found = tuple(texts)
    if not found or any(denial(text, gate) for text in found):
        # No address in the message: else an endpoint's owner could ask us what our names resolve to.
        raise Invalid("webhook_url_address", "The host has no address, or one that may not be called")
    return found


def denial(text: str, gate: Gate) -> str | None:
    """Why this address may not be dialled; None when it may."""
    try:
        address = ip_address(text)
    except ValueError:
        return "unreadable"
    return _denial(address, gate)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks of a setting; a host bit set by mistake is an error, not a rounded network."""
    return tuple(ip_network(text) for text in texts)


def _denial(address: Address, gate: Gate) -> str | None:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "scoped"
    inner = _embedded(address)
    if _within(address, gate.denied_networks) or (inner and _within(inner, gate.denied_networks)):
        return "denied here"
    if _within(address, gate.open_networks):
        return None
    if inner is not None:
        return _denial(inner, gate)
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in _DENIED_V4 if address in network), None)
    listed = next((reason for network, reason in _DENIED_V6 if address in network), None)
    return listed or (None if address in _GLOBAL_UNICAST else "not global unicast")


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that a translator on the way would dial instead."""
    if isinstance(address, IPv4Address):
        return None
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(address.packed[12:])
    if address in _SIX_TO_FOUR:
        return IPv4Address(address.packed[2:6])
    return None


def _within(address: Address, listed: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in listed)


def _host_and_port(authority: str) -> tuple[str | Address, int | None]:
    if "@" in authority:
        raise Invalid("webhook_url_credentials", "Leave user name and password out of the URL")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise Invalid("webhook_url_host", "The host cannot be read")
    port = int(parts["port"]) if parts["port"] else None
    if parts["v6"] is None:
        return _name_or_v4(parts["name"]), port
    try:
        return IPv6Address(parts["v6"]), port
    except ValueError:
        raise Invalid("webhook_url_host", "The host cannot be read") from None


def _name_or_v4(written: str) -> str | IPv4Address:
    try:
        name = idna.encode(written, uts46=True, std3_rules=True).decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise Invalid("webhook_url_host", "The host is not a valid domain name") from None
    if not name or len(name) > HOST_CHARACTERS_MAX:
        raise Invalid("webhook_url_host", "The host is not a valid domain name")
    if not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return name
    # A last label that is a number makes it an address for every resolver, in octal, hex or short if need be.
    try:
        return IPv4Address(name)
    except ValueError:
        raise Invalid("webhook_url_host", "The host is not a valid domain name") from None


def _target(scheme: str, host: str | Address, port: int | None, rest: str, gate: Gate) -> Target:
    port = _SCHEME_PORT[scheme] if port is None else port
    if isinstance(host, str):
        _check_name(scheme, host, port, gate)
        written = host
    else:
        if not _within(_embedded(host) or host, gate.open_networks) or _denial(host, gate):
            raise Invalid("webhook_url_ip_literal", "Give a host name, not an address")
        written = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    if not 0 < port <= PORT_MAX:
        raise Invalid("webhook_url_port", "Not a port")
    shown_port = "" if port == _SCHEME_PORT[scheme] else f":{port}"
    path = quote(rest if rest.startswith("/") else f"/{rest}", safe=_PATH_SAFE)
    return Target(url=f"{scheme}://{written}{shown_port}{path}", host=str(host), port=port)


def _check_name(scheme: str, host: str, port: int, gate: Gate) -> None:
    if scheme == "http" and host not in gate.plain_http_hosts:
        raise Invalid("webhook_url_scheme", "Only https addresses can be called")
    if "." not in host or any(host == name or host.endswith(f".{name}") for name in gate.denied_names):
        raise Invalid("webhook_url_host", "The host is not a public domain name")
    if port not in gate.ports and (scheme, port) != ("http", _SCHEME_PORT["http"]):
        raise Invalid("webhook_url_port", "This port may not be called", allowed=sorted(gate.ports))


def _check_length(text: str) -> None:
    if len(text) > URL_CHARACTERS_MAX:
        limit = URL_CHARACTERS_MAX
        raise Invalid("webhook_url_too_long", f"At most {limit} characters", max=limit)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
