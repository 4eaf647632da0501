"""What a cold start of a person-facing function may import."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ADAPTERS = (
    *("dynamodb.subjects", "dynamodb.limits", "dynamodb.claims", "dynamodb.ledger"),
    *("aws", "secretsmanager", "sqs", "ses"),
    *("dynamodb.day_index", "kms", "s3"),
)

FOR_CLIENTS = ("botocore.client", "botocore.session", "botocore.loaders", "botocore.parsers", "urllib3", "http.client")

COSTLY = ("boto3", "pydantic", "aws_xray_sdk", "requests", "email_validator", "jinja2", "cryptography", "nacl")


@pytest.mark.parametrize("function", ["subscription_links", "delivery_worker"])
def test_a_function_that_people_wait_for_imports_nothing_costly(function: str) -> None:
    script = f"import sys, {function}.app; print([name for name in {COSTLY!r} if name in sys.modules])"
    assert printed_by(script, function) == "[]"


def test_adapters_import_nothing_that_only_makes_clients() -> None:
    imports = "; ".join(f"import consent_center.adapters.{name}" for name in ADAPTERS)
    script = f"import sys; {imports}; print([name for name in {FOR_CLIENTS!r} if name in sys.modules])"

    assert printed_by(script) == "[]"


def test_botocore_is_whole_for_whoever_needs_it_after_the_adapters() -> None:
    script = """
import consent_center.adapters.dynamodb
import botocore.session
client = botocore.session.get_session().create_client("dynamodb", region_name="eu-north-1")
print(client.meta.endpoint_url)
"""

    assert printed_by(script) == "https://dynamodb.eu-north-1.amazonaws.com"


def printed_by(script: str, function: str = "test") -> str:
    """What a fresh process prints."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers/core/python'}",
            "POWERTOOLS_METRICS_NAMESPACE": "test",
            "POWERTOOLS_SERVICE_NAME": function,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
