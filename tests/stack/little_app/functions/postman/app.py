"""A worker for testing the local stack: turns each queued message into a letter."""

import json
from typing import Any

import boto3


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    ses = boto3.client("sesv2")
    failed = []
    for record in event["Records"]:
        letter = json.loads(record["body"])["letter"]
        try:
            ses.send_email(
                FromEmailAddress='"Fjordmeter" <news@example.com>',
                Destination={"ToAddresses": ["ada@example.com"]},
                Content={
                    "Simple": {
                        "Subject": {"Data": f"Letter <{letter}>"},
                        "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://www.example.com/u/1>"}],
                        "Body": {
                            "Text": {"Data": "Please see https://www.example.com/a?x=1&y=2."},
                            "Html": {"Data": '<p><a href="https://www.example.com/b">b</a></p><script>bad()</script>'},
                        },
                    }
                },
            )
        except ses.exceptions.ClientError as refused:
            print("refused", refused.response["Error"]["Code"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
