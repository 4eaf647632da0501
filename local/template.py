"""The deployment template, transformed as AWS does it, and what the local stack reads from it."""

import copy
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.arn_generator import ArnGenerator
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local.errors import LocalStackError

REGION = "eu-central-1"
ACCOUNT = "000000000000"

Json = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API."""

    method: str
    """An HTTP method in capitals, or ANY."""
    path: str
    """The path with its {parameters}, or $default."""
    function: str
    """Logical id of the function that answers."""
    authorizer: str | None
    """Name of the JWT authorizer, or None for an open route."""
    scopes: tuple[str, ...]
    """Any one of these lets a token pass; none named means that every valid token passes."""

    @property
    def key(self) -> str:
        """The route key as API Gateway shows it: "GET /items/{id}", or "$default"."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Authorizer:
    """A JWT authorizer of the HTTP API."""

    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """The transformed template with its parameters' values."""

    resources: Json
    body: Json
    """The whole transformed document, as CloudFormation takes it."""
    parameters: Mapping[str, str]
    routes: tuple[Route, ...] = field(default=())
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)

    def of_type(self, kind: str) -> dict[str, Json]:
        """Logical id -> properties of every resource of one CloudFormation type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }


# The transform counts its calls and complains that nobody asks for the numbers.
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)


class _NoManagedPolicyNames:
    """The transform may ask for managed policies by short name; the template names them by ARN."""

    def load(self) -> dict[str, str]:
        return {}


def load(path: Path, parameters: Mapping[str, str], code_address: str) -> Template:
    """Read and transform the template.

    `parameters` gives values by name; unknown ones are left out, absent ones take their default. `code_address` is the
    S3 address that stands in for every CodeUri and ContentUri.

    Raises LocalStackError when the file is missing, a required parameter has no value or the transform refuses it.
    """
    try:
        source = yaml_parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalStackError(f"There is no {path.name} in {path.parent}.") from None
    declared = source.get("Parameters", {})
    values = {name: str(parameters.get(name, declaration.get("Default", ""))) for name, declaration in declared.items()}
    missing = [
        name for name, declaration in declared.items() if name not in parameters and "Default" not in declaration
    ]
    if missing:
        raise LocalStackError(
            f"{path.name} asks for parameters the local stack has no value for: {', '.join(missing)}."
        )
    for resource in source["Resources"].values():
        properties = resource.get("Properties", {})
        for key, kind in (("CodeUri", "AWS::Serverless::Function"), ("ContentUri", "AWS::Serverless::LayerVersion")):
            if resource["Type"] == kind:
                properties[key] = code_address
    globals_of_functions = source.get("Globals", {}).get("Function", {})
    globals_of_functions.pop("CodeUri", None)
    pseudo = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
    # The transform insists on a region from the computer's AWS configuration, even where it then uses these.
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    ArnGenerator.BOTO_SESSION_REGION_NAME = REGION
    try:
        body = transform(copy.deepcopy(source), {**values, **pseudo}, _NoManagedPolicyNames())
    except InvalidDocumentException as refused:
        raise LocalStackError(
            f"The SAM transform refuses {path.name}: {' '.join(cause.message for cause in refused.causes)}"
        ) from None
    body = json.loads(json.dumps(body, default=str))
    evaluate = Evaluator(body, values)
    api = _http_api(body)
    return Template(
        resources=body["Resources"],
        body=body,
        parameters=values,
        routes=tuple(_routes(api, evaluate)),
        authorizers=_authorizers(api, evaluate),
    )


class Evaluator:
    """Works out the intrinsic functions that may stand in an API's description; knows parameters, not resources."""

    def __init__(self, body: Json, parameters: Mapping[str, str]) -> None:
        self._parameters = {
            **parameters, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }  # fmt: skip
        self._conditions = body.get("Conditions", {})
        self._mappings = body.get("Mappings", {})

    def __call__(self, value: Any) -> Any:
        """The value with everything known filled in; what stays unknown (a resource) keeps its logical id."""
        if isinstance(value, list):
            return [self(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._parameters.get(argument, argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: self(item) for key, item in value.items()}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join":
                return argument[0].join(str(part) for part in self(argument[1]))
            case "Fn::If":
                return self(argument[1] if self._holds({"Condition": argument[0]}) else argument[2])
            case "Fn::Select":
                return self(argument[1])[int(self(argument[0]))]
            case "Fn::Split":
                return str(self(argument[1])).split(argument[0])
            case "Fn::FindInMap":
                first, second, third = (self(part) for part in argument[:3])
                return self(self._mappings[first][second][third])
            case "Fn::GetAtt":
                return argument if isinstance(argument, str) else ".".join(argument)
        raise LocalStackError(f"The HTTP API uses a function the local stack does not know: {name}.")

    def _sub(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        names = {**self._parameters, **{key: self(item) for key, item in own.items()}}
        return re.sub(r"\$\{([^!}][^}]*)\}", lambda found: str(names.get(found[1], found[1])), text)

    def _holds(self, condition: Any) -> bool:
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self._holds(self._conditions[argument])
            case "Fn::Equals":
                return str(self(argument[0])) == str(self(argument[1]))
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(part) for part in argument)
            case "Fn::Or":
                return any(self._holds(part) for part in argument)
        raise LocalStackError(f"The template uses a condition the local stack does not know: {name}.")


def _http_api(body: Json) -> Json:
    """The OpenAPI description the transform made for the one HTTP API, or an empty one."""
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            description: Json = resource["Properties"].get("Body", {})
            return description
    return {}


def _routes(api: Json, evaluate: Evaluator) -> list[Route]:
    routes = []
    for path, methods in api.get("paths", {}).items():
        for method, operation in methods.items():
            integration = operation.get("x-amazon-apigateway-integration")
            if integration is None:
                continue
            function = re.search(r"(\w+)\.Arn", json.dumps(integration["uri"]))
            if function is None:
                raise LocalStackError(f"The route {method} {path} does not lead to a function of the template.")
            security = [item for item in operation.get("security", []) if item and "NONE" not in item]
            name, scopes = next(iter(security[0].items())) if security else (None, [])
            any_method = method == "x-amazon-apigateway-any-method"
            routes.append(
                Route(
                    method="ANY" if any_method else method.upper(),
                    path="$default" if operation.get("isDefaultRoute") else path,
                    function=function[1],
                    authorizer=name,
                    scopes=tuple(evaluate(scopes)),
                )
            )
    return routes


def _authorizers(api: Json, evaluate: Evaluator) -> dict[str, Authorizer]:
    found = {}
    for name, scheme in api.get("components", {}).get("securitySchemes", {}).items():
        jwt = scheme.get("x-amazon-apigateway-authorizer", {}).get("jwtConfiguration")
        if jwt is not None:
            audience = evaluate(jwt["audience"])
            found[name] = Authorizer(
                str(evaluate(jwt["issuer"])), tuple([audience] if isinstance(audience, str) else audience)
            )
    return found
