"""Systems of two recipients beside the stack, a bucket of lists and a table, and what the worker may do there."""

import json
from hashlib import sha256
from typing import Any

from local import recipient
from local.stack import LocalStack
from local.template import ACCOUNT, REGION

LISTS, PREFIX = "recipient-lists", "lists/"
"""The bucket of `fair-host`, in whose CSV files each line is about one person."""

ANSWERS = "recipient-answers"
"""The table of `survey-lab`, whose key is the hash of the address."""

_POLICY = "recipients"


def parameters(port: int) -> dict[str, str]:
    """What the template is told of them: how they are asked, and by what right. For a stack on a port."""
    url = f"http://127.0.0.1:{recipient.port_for(port)}"
    lists = {"kind": "s3", "bucket": LISTS, "prefix": PREFIX, "pattern": "*.csv", "format": "csv"}
    answers = {"kind": "dynamodb", "table": ANSWERS, "key": "sha256:who"}
    connectors = {**json.loads(recipient.connectors(url)), "fair-host": lists, "survey-lab": answers}
    return {
        "RecipientConnectors": json.dumps(connectors, separators=(",", ":")),
        "RecipientAccess": f"arn:aws:iam::{ACCOUNT}:policy/{_POLICY}",
    }


def build(stack: LocalStack) -> None:
    """Make them, and the managed policy that docs/recipients.md describes."""
    lists, table = f"arn:aws:s3:::{LISTS}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{ANSWERS}"
    allowed = [
        (["s3:ListBucket"], lists),
        (["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{lists}/{PREFIX}*"),
        ([f"dynamodb:{name}" for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")], table),
    ]
    statements = [{"Effect": "Allow", "Action": actions, "Resource": on} for actions, on in allowed]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    stack.client("iam").create_policy(PolicyName=_POLICY, PolicyDocument=document)
    stack.client("s3").create_bucket(Bucket=LISTS, CreateBucketConfiguration={"LocationConstraint": REGION})
    stack.client("dynamodb").create_table(
        TableName=ANSWERS,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "who", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "who", "KeyType": "HASH"}],
    )


class Answers:
    """The table, as its owner sees it."""

    def __init__(self, stack: LocalStack) -> None:
        self._client = stack.client("dynamodb")

    def put(self, email: str) -> None:
        self._client.put_item(TableName=ANSWERS, Item={**_who(email), "answer": {"S": "Seven of ten"}})

    def get(self, email: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._client.get_item(
            TableName=ANSWERS, Key=_who(email), ConsistentRead=True
        ).get("Item")
        return found


def _who(email: str) -> dict[str, Any]:
    return {"who": {"S": sha256(email.lower().encode()).hexdigest()}}
