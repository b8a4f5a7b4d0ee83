"""Where a request comes from: the address that callers without a name are counted by."""

import ipaddress
import re

_WITH_PORT = re.compile(r"(?:\[([^\]]+)\]|([0-9.]+))(?::[0-9]+)?", re.ASCII)


def address_of(source_ip: str, forwarded: str | None, trusted_proxies: int) -> str:
    """The address of the client, as far as it can be believed; an IPv6 address stands for its network of 64 bits.

    `source_ip` is who called API Gateway, `forwarded` the X-Forwarded-For header that ends with it. Each trusted proxy
    in front vouches for the address before its own, and for no other: everything left of that a client can make up.
    """
    hops = [hop.strip() for hop in (forwarded or "").split(",") if hop.strip()]
    if hops and hops[-1] == source_ip:
        hops.pop()
    believed = (hops[-trusted_proxies:] if trusted_proxies else [])[:1]
    return next((network for hop in [*believed, source_ip] if (network := _network(hop))), "unknown")


def _network(text: str) -> str | None:
    if (told := _WITH_PORT.fullmatch(text)) is not None:  # as some proxies tell it
        text = told[1] or told[2]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False).network_address) + "/64"
    return str(address)
