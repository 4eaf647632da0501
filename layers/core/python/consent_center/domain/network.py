"""Where a press came from, shortened so far that it no longer points at one person."""

import ipaddress


def shortened(source_ip: str | None) -> str | None:
    """The /24 (IPv4) or /48 (IPv6) network of an address, or None for what is no address.

    Evidence keeps this much to tell one origin from another (Art. 5(1)(c) GDPR); the full address is kept nowhere.
    """
    try:
        address = ipaddress.ip_address(source_ip or "")
    except ValueError:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
