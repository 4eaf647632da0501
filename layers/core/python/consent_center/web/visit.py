"""One request of a person: the language they read, what they posted, and pages that answer them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from consent_center.domain.capability import claimed_controller
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.network import shortened
from consent_center.domain.policy import Brand, Policy, Purpose
from consent_center.texts import Texts
from consent_center.web.compression import is_worth_it
from consent_center.web.forms import LONGEST_LETTER, Form
from consent_center.web.languages import preferred
from consent_center.web.pages import LanguageLink, Pages

READ = ["GET", "HEAD"]
"""Methods that show, for routes."""


class Visit:
    def __init__(
        self,
        event: APIGatewayProxyEventV2,
        policy: Policy,
        texts: Texts,
        about: Purpose | None = None,
        posted_token: str = "",
    ) -> None:
        """`about` is the purpose that the page is about, if it is about one; `posted_token` was posted."""
        self._event, self._policy, self._texts = event, policy, texts
        self.query = event.query_string_parameters or {}
        self.brand = policy.brand_of(about) if about else self._brand_meant(posted_token)

    def _brand_meant(self, posted_token: str) -> Brand:
        """Whose page this is: of the controller that its token names, or else of the brand that its address names.

        Links of letters name the brand; one whose controller is another's than the token's counts for nothing.
        """
        named = self.query.get("brand")
        for part in (posted_token, *self._event.raw_path.split("/")):
            controller = claimed_controller(part)
            if controller in self._policy.controllers:
                return self._policy.brand_for(str(controller), named)
        return self._policy.brands.get(named or "", self._policy.default_brand)

    def require_brand(self) -> Brand:
        """The brand of a page that anyone may ask for. UnknownNameError for a brand that the policy lacks.

        Nobody must be shown one brand, and subscribe there, who asked for another.
        """
        if self.query.get("brand") not in (None, *self._policy.brands):
            raise UnknownNameError("brand")
        return self.brand

    @property
    def form(self) -> Form:
        """What was posted."""
        return Form(self._event.body, is_base64=bool(self._event.is_base64_encoded))

    @property
    def long_form(self) -> Form:
        """What was posted where somebody writes to us."""
        return Form(self._event.body, is_base64=bool(self._event.is_base64_encoded), longest=LONGEST_LETTER)

    @property
    def network(self) -> str | None:
        """Where the request came from, already shortened."""
        return shortened(self._event.request_context.http.source_ip)

    @property
    def is_a_scan(self) -> bool:
        """Whether a program says itself that no person opens this page: it asks for headers only, or ahead of time."""
        headers = self._event.headers
        ahead = [headers.get(name, "").lower() for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")]
        return self._event.request_context.http.method == "HEAD" or any(
            said.startswith(("prefetch", "prerender", "preview")) for said in ahead
        )

    @property
    def language(self) -> str:
        """By choice, then by what the browser prefers, then the policy's default."""
        return preferred(
            self.query.get("lang"),
            self._event.headers.get("accept-language"),
            self._policy.languages,
            self._policy.default_language,
        )

    def to(self, path: str) -> str:
        """The address of another page, which goes on with the brand, and in the language that was asked for by name."""
        return self.with_query(path, {"lang": self.language} if self.query.get("lang") else {})

    def with_query(self, path: str, query: Mapping[str, str]) -> str:
        """The address of another page of this brand."""
        query = {**query, **self.brand.query}
        return f"{path}?{urlencode(query)}" if query else path

    @property
    def sign_up_url(self) -> str:
        """Where the brand is subscribed to; its first page, if it has no form."""
        return self.to("/subscribe" if self.brand.id in self._policy.forms else "/")

    def page(
        self,
        name: str,
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
        *,
        spoken: str | None = None,
        **context: Any,
    ) -> Response[str]:
        """A page in the language that this request asks for; with `spoken`, in that one, and no other is offered.

        What was posted comes back as it is, so no page that repeats what somebody typed is ever compressed.
        """
        pages = Pages(
            self._texts,
            self._policy,
            self.brand,
            spoken or self.language,
            notice_url=self.with_query("/notice", {"lang": spoken}) if spoken else self.to("/notice"),
            languages=[] if spoken else self._languages(),
        )
        answer = pages.page(name, status, headers, **context)
        answer.compress = self._shows and is_worth_it(answer.body, self._event.headers.get("accept-encoding"))
        return answer

    @property
    def _shows(self) -> bool:
        """Whether the page is only looked at: nothing was posted."""
        return self._event.request_context.http.method in READ

    def error_page(self, kind: str, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response[str]:
        """What went wrong, by its kind, and what to do next."""
        return self.page(
            "error",
            status,
            headers,
            kind=kind,
            stop_address=self.brand.stop_address,
            subscribe_url=self.sign_up_url,
        )

    def _languages(self) -> list[LanguageLink]:
        """This page in every language. What was posted would be lost by opening a link, so then there are none."""
        if not self._shows:
            return []
        return [
            LanguageLink(code, self._texts.name_of(code), f"?{urlencode({**self.query, 'lang': code})}")
            for code in self._policy.languages
        ]
