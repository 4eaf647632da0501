"""A function for testing the local stack: shows its event, and misbehaves when asked to."""

import base64
import json
import os
import time
from typing import Any

import boto3
from greeting import WORDS


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    action = event.get("pathParameters", {}).get("action", "show")
    return {
        "show": show,
        "raise": fail,
        "exit": end,
        "sleep": sleep,
        "large": large,
        "picture": picture,
        "cookies": cookies,
        "bare": bare,
        "nonsense": nonsense,
        "send": send,
        "put": put,
        "delete": delete,
        "secret": secret,
    }[action](event)


def show(event: dict[str, Any]) -> dict[str, Any]:
    content = {
        "event": event,
        "greeting": WORDS,
        "public_url": os.environ["PUBLIC_URL"],
        "process": os.getpid(),
        "modules": [name for name in ("jwt", "samtranslator") if _importable(name)],
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(content)}


def _importable(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def fail(event: dict[str, Any]) -> None:
    raise ValueError("something about ada@example.com")


def end(event: dict[str, Any]) -> None:
    os._exit(3)


def sleep(event: dict[str, Any]) -> dict[str, Any]:
    time.sleep(float(event["queryStringParameters"]["seconds"]))
    return {"statusCode": 200, "body": "awake"}


def large(event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": "x" * (6 * 1024 * 1024)}


def picture(event: dict[str, Any]) -> dict[str, Any]:
    content = base64.b64encode(bytes(range(256))).decode()
    return {"statusCode": 200, "headers": {"content-type": "image/png"}, "body": content, "isBase64Encoded": True}


def cookies(event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 204, "cookies": ["a=1; Path=/", "b=2"]}


def bare(event: dict[str, Any]) -> dict[str, Any]:
    return {"no": "status"}


def nonsense(event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": {"not": "a string"}}


def send(event: dict[str, Any]) -> dict[str, Any]:
    letter = event["queryStringParameters"]["letter"]
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"letter": letter}))
    return {"statusCode": 202, "body": ""}


def put(event: dict[str, Any]) -> dict[str, Any]:
    key = event["queryStringParameters"]["key"]
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": key}, "sk": {"S": "x"}})
    return {"statusCode": 200, "body": "stored"}


def delete(event: dict[str, Any]) -> dict[str, Any]:
    dynamodb = boto3.client("dynamodb")
    try:
        dynamodb.delete_item(TableName=os.environ["TABLE"], Key={"pk": {"S": "any"}, "sk": {"S": "x"}})
    except dynamodb.exceptions.ClientError as refused:
        return {"statusCode": 403, "body": refused.response["Error"]["Code"]}
    return {"statusCode": 200, "body": "deleted"}


def secret(event: dict[str, Any]) -> dict[str, Any]:
    value = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])["SecretString"]
    return {"statusCode": 200, "body": json.dumps(sorted(json.loads(value)))}
