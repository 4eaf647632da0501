"""Checks tokens as the JWT authorizer of an HTTP API does."""

from collections.abc import Mapping
from typing import Any

import jwt

from local.http_api import Request, Response, message
from local.issuer import Issuer
from local.template import Authorizer, Route


class Denied(Exception):  # noqa: N818 - an answer rather than an error
    """The request may not pass; `response` is what the caller gets."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class JwtAuthorizer:
    """Verifies signature, issuer, audience, times and scopes of a request's token."""

    def __init__(self, authorizers: Mapping[str, Authorizer], issuer: Issuer) -> None:
        self._authorizers = authorizers
        self._issuer = issuer

    def check(self, request: Request, route: Route) -> dict[str, Any] | None:
        """What the event says about the token, or None for an open route; raises Denied with 401 or 403."""
        if route.authorizer is None:
            return None
        header = request.header("authorization")
        if not header:
            raise Denied(message(401, "Unauthorized", ("www-authenticate", "Bearer")))
        claims = self._claims(header, self._authorizers[route.authorizer])
        held = str(claims.get("scope") or claims.get("scp") or "").split()
        if route.scopes and not set(route.scopes) & set(held):
            raise Denied(
                message(
                    403, "Forbidden",
                    ("www-authenticate", f'Bearer scope="{" ".join(route.scopes)}" error="insufficient_scope"'),
                )
            )  # fmt: skip
        # API Gateway gives every claim as text, and the scopes only where the route asks for some.
        return {"claims": {name: _as_text(value) for name, value in claims.items()},
                "scopes": held if route.scopes else None}  # fmt: skip

    def _claims(self, header: str, authorizer: Authorizer) -> dict[str, Any]:
        scheme, _, token = header.strip().partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else header.strip()
        try:
            key = self._issuer.public_key(str(jwt.get_unverified_header(token).get("kid")))
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=["RS256"], issuer=authorizer.issuer,
                options={"verify_aud": False, "require": ["iss", "exp"]},
            )  # fmt: skip
        except (jwt.InvalidTokenError, KeyError):
            raise Denied(_invalid()) from None
        # The client_id stands in only where a token has no audience.
        audience = claims.get("aud", claims.get("client_id"))
        if not set(audience if isinstance(audience, list) else [audience]) & set(authorizer.audience):
            raise Denied(_invalid())
        return claims


def _invalid() -> Response:
    return message(401, "Unauthorized", ("www-authenticate", 'Bearer error="invalid_token"'))


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(str(item) for item in value)}]"
    return str(value)
