"""What a cold start of a person-facing function may import."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COSTLY = ("boto3", "pydantic", "aws_xray_sdk", "requests", "email_validator", "jinja2", "cryptography")


@pytest.mark.parametrize("function", ["subscription_links", "delivery_worker"])
def test_a_function_that_people_wait_for_imports_nothing_costly(function: str) -> None:
    script = f"import sys, {function}.app; print([name for name in {COSTLY!r} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers/core/python'}",
            "POWERTOOLS_METRICS_NAMESPACE": "test",
            "POWERTOOLS_SERVICE_NAME": function,
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "[]"
