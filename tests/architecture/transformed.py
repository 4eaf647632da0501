"""The template as CloudFormation gets it: after the SAM transform."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]


class _ManagedPolicies:
    """The transform asks IAM for the ARNs of managed policies; these are the ones it may need here."""

    def load(self) -> dict[str, str]:
        names = ("AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess")
        return {name: f"arn:aws:iam::aws:policy/{name}" for name in names}


@cache
def source() -> dict[str, Any]:
    return yaml_parse((ROOT / "template.yaml").read_text())


@cache
def transformed() -> dict[str, Any]:
    template = json.loads(json.dumps(source(), default=str))
    for name, resource in template["Resources"].items():
        if "ContentUri" in resource.get("Properties", {}):
            resource["Properties"]["ContentUri"] = f"s3://artifacts/{name}"
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/functions"
    return transform(template, {}, _ManagedPolicies())


def of_type(kind: str) -> dict[str, Any]:
    """Properties of every resource of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in transformed()["Resources"].items()
        if resource["Type"] == kind
    }
