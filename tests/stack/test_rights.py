"""What each function may do, tried: every role against every table, index, queue, bucket, key and secret.

What must be refused and what must not comes from the roles as they are deployed; that these are as narrow as they are
meant to be is `tests/architecture/test_template.py`. Each attempt is made so that it changes nothing if it is allowed.
"""

import fnmatch
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import LocalStack
from local.template import ACCOUNT, REGION
from transformed import of_type

REFUSED = ("AccessDenied", "AccessDeniedException")
ALGORITHMS = ("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_512")
KEY = {"pk": {"S": "nobody"}, "sk": {"S": "nothing"}}
NEVER = {"ConditionExpression": "attribute_exists(pk)"}
"""Nothing is stored under the key, so a write that is allowed does not happen."""

CHANGE = {
    "UpdateExpression": "SET tried = :yes",
    "ExpressionAttributeValues": {":yes": {"BOOL": True}},
}


@dataclass(frozen=True, eq=False)
class Attempt:
    """A call, and the right that it takes."""

    action: str
    on: str
    """An ARN."""
    service: str
    call: str
    arguments: dict[str, Any]
    context: tuple[tuple[str, str], ...] = ()
    """What the conditions of a role may ask about."""

    def __str__(self) -> str:
        return f"{self.call} ({self.action}{''.join(f', {value}' for _, value in self.context)}) on {self.on}"


def on_table(arn: str, name: str, indexes: list[str]) -> Iterator[Attempt]:
    def attempt(verb: str, call: str, on: str = arn, **arguments: Any) -> Attempt:
        return Attempt(f"dynamodb:{verb}", on, "dynamodb", call, arguments)

    def write(verb: str, **what: Any) -> Attempt:
        (kind,) = what
        return attempt(verb, "transact_write_items", TransactItems=[{kind: {"TableName": name, **NEVER, **what[kind]}}])

    one = {"TableName": name}
    yield attempt("GetItem", "get_item", **one, Key=KEY)
    yield attempt("BatchGetItem", "batch_get_item", RequestItems={name: {"Keys": [KEY]}})
    yield attempt("GetItem", "transact_get_items", TransactItems=[{"Get": {**one, "Key": KEY}}])
    yield attempt("Scan", "scan", **one, Limit=1)
    yield attempt("PutItem", "put_item", **one, **NEVER, Item=KEY)
    yield attempt("UpdateItem", "update_item", **one, **NEVER, **CHANGE, Key=KEY)
    yield attempt("DeleteItem", "delete_item", **one, **NEVER, Key=KEY)
    yield attempt("BatchWriteItem", "batch_write_item", RequestItems={name: [{"DeleteRequest": {"Key": KEY}}]})
    yield write("PutItem", Put={"Item": KEY})
    yield write("UpdateItem", Update={"Key": KEY, **CHANGE})
    yield write("DeleteItem", Delete={"Key": KEY})
    yield write("ConditionCheckItem", ConditionCheck={"Key": KEY})
    for index in (None, *indexes):
        key = "pk" if index is None else {"by-day": "day", "by-review": "review"}.get(index, "pk")
        yield attempt(
            "Query",
            "query",
            arn if index is None else f"{arn}/index/{index}",
            **one,
            **({"IndexName": index} if index else {}),
            KeyConditionExpression="#key = :nobody",
            ExpressionAttributeNames={"#key": key},
            ExpressionAttributeValues={":nobody": {"S": "nobody"}},
        )


def on_queue(arn: str, url: str) -> Iterator[Attempt]:
    """With values that are out of bounds, so that nobody's message is sent, taken or removed."""
    for action, call, arguments in (
        ("SendMessage", "send_message", {"MessageBody": "{}", "DelaySeconds": 901}),
        ("ReceiveMessage", "receive_message", {"MaxNumberOfMessages": 11}),
        ("DeleteMessage", "delete_message", {"ReceiptHandle": "none"}),
        ("ChangeMessageVisibility", "change_message_visibility", {"ReceiptHandle": "none", "VisibilityTimeout": 0}),
        ("GetQueueAttributes", "get_queue_attributes", {"AttributeNames": ["QueueArn"]}),
    ):
        yield Attempt(f"sqs:{action}", arn, "sqs", call, {"QueueUrl": url, **arguments})


def on_bucket(arn: str, name: str, prefixes: set[str]) -> Iterator[Attempt]:
    yield Attempt("s3:ListBucket", arn, "s3", "list_objects_v2", {"Bucket": name, "MaxKeys": 1})
    for prefix in sorted({"", *prefixes}):
        one = {"Bucket": name, "Key": f"{prefix}{uuid.uuid4()}"}
        on = f"{arn}/{one['Key']}"
        yield Attempt("s3:GetObject", on, "s3", "get_object", one)
        # There is no such object, so there is none that has this content.
        yield Attempt("s3:PutObject", on, "s3", "put_object", {**one, "Body": b"", "IfMatch": '"0"'})
        yield Attempt("s3:DeleteObject", on, "s3", "delete_object", one)


def on_key(arn: str) -> Iterator[Attempt]:
    yield Attempt("kms:GetPublicKey", arn, "kms", "get_public_key", {"KeyId": arn})
    for algorithm in ALGORITHMS:
        sign = {"KeyId": arn, "Message": b"anything", "SigningAlgorithm": algorithm}
        yield Attempt("kms:Sign", arn, "kms", "sign", sign, (("kms:SigningAlgorithm", algorithm),))


@dataclass(frozen=True)
class Rights:
    """The statements of a role, as they are deployed."""

    statements: tuple[dict[str, Any], ...]

    def allow(self, attempt: Attempt) -> bool:
        return any(self._allows(statement, attempt) for statement in self.statements)

    def prefixes(self, bucket: str) -> set[str]:
        """How the names of the objects in a bucket begin that they are about."""
        return {
            resource.removeprefix(f"{bucket}/").removesuffix("*")
            for statement in self.statements
            for resource in _several(statement["Resource"])
            if resource.startswith(f"{bucket}/")
        }

    @staticmethod
    def _allows(statement: dict[str, Any], attempt: Attempt) -> bool:
        assert statement["Effect"] == "Allow"
        conditions = statement.get("Condition", {})
        # With StringLike a role lists the part of a bucket that it may write to; what is tried here lists all of it.
        meant = {"StringEquals", "StringEqualsIfExists", "StringLike"}
        assert conditions.keys() <= meant, "say here what the condition means"
        known = dict(attempt.context)
        return (
            any(fnmatch.fnmatchcase(attempt.action, action) for action in _several(statement["Action"]))
            and any(fnmatch.fnmatchcase(attempt.on, resource) for resource in _several(statement["Resource"]))
            and all(
                known[key] in _several(value) if key in known else kind.endswith("IfExists")
                for kind, asked in conditions.items()
                for key, value in asked.items()
            )
        )


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def deployed_rights(stack: LocalStack, function: str) -> Rights:
    iam, name = stack.client("iam"), stack.resources[f"{function}Role"]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return Rights(tuple(statement for document in documents for statement in document["Statement"]))


def attempts(stack: LocalStack, rights: Rights) -> Iterator[Attempt]:
    """Every resource of the template that has data, and every call that reads or changes it."""

    def arn(service: str, what: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"

    secrets = stack.client("secretsmanager")
    for name, table in of_type("AWS::DynamoDB::Table").items():
        indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
        yield from on_table(arn("dynamodb", f"table/{stack.resources[name]}"), stack.resources[name], indexes)
    for name in of_type("AWS::SQS::Queue"):
        url = stack.resources[name]
        yield from on_queue(arn("sqs", url.rpartition("/")[2]), url)
    for name in of_type("AWS::S3::Bucket"):
        bucket = f"arn:aws:s3:::{stack.resources[name]}"
        yield from on_bucket(bucket, stack.resources[name], rights.prefixes(bucket))
    for name in of_type("AWS::KMS::Key"):
        yield from on_key(arn("kms", f"key/{stack.resources[name]}"))
    for name in of_type("AWS::SecretsManager::Secret"):
        secret = secrets.describe_secret(SecretId=stack.resources[name])["ARN"]
        yield Attempt(
            "secretsmanager:GetSecretValue", secret, "secretsmanager", "get_secret_value", {"SecretId": secret}
        )


def answer(call: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """The code of the error, or nothing."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize("function", sorted(of_type("AWS::Lambda::Function")))
def test_a_function_may_do_what_its_role_says_and_is_refused_everything_else(stack: LocalStack, function: str) -> None:
    rights = deployed_rights(stack, function)
    tried = list(attempts(stack, rights))
    clients = {service: stack.client(service, role=f"{function}Role") for service in {one.service for one in tried}}
    answers = {one: answer(getattr(clients[one.service], one.call), one.arguments) for one in tried}

    refused = {one for one, code in answers.items() if code in REFUSED}
    allowed = {one for one in tried if rights.allow(one)}
    assert [f"{one} answered {answers[one] or 'well'}" for one in tried if one not in refused | allowed] == []
    assert [str(one) for one in refused & allowed] == []
    assert refused
    assert allowed
