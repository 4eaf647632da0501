"""Who is speaking, as every page and letter says it."""

from dataclasses import asdict
from typing import Any

from consent_center.domain.policy import Brand, Policy
from consent_center.texts import Texts


def site(texts: Texts, policy: Policy, brand: Brand, language: str) -> dict[str, Any]:
    """A brand with its controller, their data protection officer and their authority."""
    controller = policy.controller(brand.controller)
    authority = policy.authority(controller["authority"])
    return {
        "brand": {
            "name": brand.name,
            "website": brand.website,
            "colour": brand.colour,
            "stop_address": brand.stop_address,
            "logo": brand.logo and asdict(brand.logo),
            "dark_logo": brand.dark_logo and asdict(brand.dark_logo),
        },
        "controller": {
            "name": controller["name"],
            "address": controller["address"],
            "email": controller["email"],
        },
        "dpo": controller["dpo"],
        "authority": {"name": policy.text(authority["name"], language), "url": authority["url"]},
        "notice_version": policy.notice_of(brand.controller).version,
        "style": texts.style_for(brand.colour),
    }
