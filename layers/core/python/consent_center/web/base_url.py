"""The address that this deployment is reached at."""

from consent_center.config import Config


def base_url(config: Config, domain_name: str) -> str:
    """The configured address, or that of the request: its host comes from API Gateway and not from the client."""
    return config.public_url or f"https://{domain_name}"
