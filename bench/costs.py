"""What operations and idling cost, by counted units and AWS's list prices. Letters (SES), logs and traces are apart."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

PRICES = {
    "read unit": 0.125,
    "write unit": 0.625,
    "queue request": 0.40,
    "signature": 15.00,
    "HTTP API request": 1.00,
    "function call": 0.20,
    "function GB-second": 13.3334,
}
"""USD per million, on demand, N. Virginia (us-east-1), arm64, first tier, no free tier; as known in November 2026."""

SECONDS = {
    "page": 0.040,
    "letter": 0.080,
    "letter with receipt": 0.120,
    "check of 1,000": 0.500,
    "check and record send of 1,000": 0.800,
}
"""Assumed billed time of a warm call at 512 MB. Half of a page's is waiting for DynamoDB and SQS."""

GIGABYTES = 0.5

QUEUE_REQUESTS = 3
"""A message is sent, received and deleted."""

WITHOUT_API = ("letter", "import", "look", "seal")
"""How the operations begin that nobody asks for over HTTP. Each is counted as a call, though one carries out many."""

SECRET_MONTH, KEY_MONTH, ALARM_MONTH = 0.40, 1.00, 0.10


def per_million(counted: Mapping[str, Any], name: str) -> float:
    """USD for a million operations of that name."""
    seconds = SECONDS.get(name.partition(", four")[0], SECONDS["page"])
    by_api = not name.startswith(WITHOUT_API)
    messages = counted["requests"].get("sqs:SendMessage", 0)
    return (
        counted["reads"] * PRICES["read unit"]
        + (counted["writes"] + counted["index_writes"]) * PRICES["write unit"]
        + counted["requests"].get("kms:Sign", 0) * PRICES["signature"]
        + messages * QUEUE_REQUESTS * PRICES["queue request"]
        + by_api * PRICES["HTTP API request"]
        + PRICES["function call"]
        + seconds * GIGABYTES * PRICES["function GB-second"]
    )


def idle() -> dict[str, float]:
    """USD a month while nobody comes, by what costs it. Storage is nothing yet; polling the queue is free in Lambda."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    secrets = len(re.findall("Type: AWS::SecretsManager::Secret$", template, re.MULTILINE))
    keys = len(re.findall("Type: AWS::KMS::Key$", template, re.MULTILINE))
    # Alarms of what is off by default cost nothing by default.
    alarms = len(re.findall(r"Type: AWS::CloudWatch::Alarm\n(?!    Condition:)", template))
    costs = {
        f"{secrets} secrets": secrets * SECRET_MONTH,
        f"{keys} signing key": keys * KEY_MONTH,
        f"{alarms} alarms": alarms * ALARM_MONTH,
    }
    return {**costs, "together": sum(costs.values())}
