"""Pages as HTTP answers: every one with the same strict headers, none with a cookie, none cached."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from consent_center.domain.policy import Brand, Policy
from consent_center.texts import Part, Texts
from consent_center.web.site import site

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in a language, which is named in itself."""

    code: str
    name: str
    url: str


class Pages:
    """Renders pages for one brand in one language."""

    def __init__(
        self,
        texts: Texts,
        policy: Policy,
        brand: Brand,
        language: str,
        *,
        notice_url: str = "/notice",
        languages: Sequence[LanguageLink] = (),
    ) -> None:
        """`languages` are the addresses of the page in each language; none, and no choice is offered."""
        self._texts, self._language = texts, language
        self._colour = brand.colour
        # A logo lies in the page itself; where there is none, no picture may either.
        self._images = "'self' data:" if brand.logo else "'self'"
        self._site = {
            **_same_for_everyone(texts, policy, brand.id, language, notice_url),
            "languages": [asdict(one) for one in languages],
        }

    def page(
        self, name: str, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None, **context: Any
    ) -> Response[str]:
        """The page of that name as an answer."""
        body = self._texts.page(name, self._language, site=self._site, **context)
        policy = (
            f"default-src 'none'; style-src '{self._texts.style_hash(self._colour)}'; img-src {self._images}; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        return Response(
            status,
            "text/html; charset=utf-8",
            body,
            {
                **_HEADERS,
                "Content-Language": self._language,
                "Content-Security-Policy": policy,
                "Vary": "Accept-Encoding, Accept-Language",
                **(headers or {}),
            },
        )


@lru_cache(maxsize=1_000)
def _same_for_everyone(
    texts: Texts, policy: Policy, brand_id: str, language: str, notice_url: str
) -> Mapping[str, Any]:
    """What pages say about who is speaking, whoever looks at them."""
    brand = policy.brands[brand_id]
    speaker = {
        **site(texts, policy, brand, language),
        "notice_url": notice_url,
        "icon_url": f"/favicon.svg{brand.said()}",
        # What addresses of pages say, so that they go on in this language and with this brand.
        "asked": brand.said(language),
    }
    return {**speaker, "rights": Part("partials/rights_list.html", {"site": speaker})}


def download(content: str, media_type: str, file_name: str) -> Response[str]:
    """A file of one person: as strict as a page, and saved rather than shown."""
    headers = {
        **_HEADERS,
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(HTTPStatus.OK, f"{media_type}; charset=utf-8", content, headers)


def public_file(content: str, media_type: str, seconds: int) -> Response[str]:
    """A file that is the same for everyone, and that whoever fetches it may keep for so many seconds."""
    headers = {
        "Cache-Control": f"public, max-age={seconds}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(HTTPStatus.OK, f"{media_type}; charset=utf-8", content, headers)


def redirect(address: str) -> Response[str]:
    """On to another page of ours, which is opened rather than posted to."""
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(HTTPStatus.SEE_OTHER, "text/plain; charset=utf-8", "", headers)
