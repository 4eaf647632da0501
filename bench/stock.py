"""A sign-up and reads the way examples write them: boto3, one pynamodb session a model, Powertools with validation."""

import json
import os
import time
import uuid
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from pydantic import BaseModel, EmailStr, Field
from pynamodb.attributes import ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

logger = Logger()
metrics = Metrics()
app = APIGatewayHttpResolver(enable_validation=True)
sqs = boto3.client("sqs")


class Meta:
    table_name = os.environ["SUBJECTS_TABLE"]
    region = os.environ["AWS_REGION"]
    host = os.environ["AWS_ENDPOINT_URL"]


class State(Model):
    Meta = Meta
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    v = NumberAttribute()
    version = NumberAttribute()
    chain = UnicodeAttribute()
    seq = NumberAttribute()
    head = UnicodeAttribute()
    at = NumberAttribute()
    controller = UnicodeAttribute()
    lang = UnicodeAttribute()
    d: MapAttribute[str, str] = MapAttribute()
    p: MapAttribute[str, int] = MapAttribute()
    expires_at = NumberAttribute(null=True)


class Request(Model):
    Meta = Meta
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    address = UnicodeAttribute()
    topics: ListAttribute[str] = ListAttribute()
    name = UnicodeAttribute(null=True)
    company = UnicodeAttribute(null=True)
    requested_at = NumberAttribute()
    expires_at = NumberAttribute()


class Preference(Model):
    """One item for each thing that somebody can say yes or no to."""

    Meta = Meta
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    v = NumberAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    state = UnicodeAttribute()
    wording = UnicodeAttribute()
    notice = UnicodeAttribute()
    lang = UnicodeAttribute()
    decided_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)


class PreferenceOut(BaseModel):
    purpose: str
    name: str
    description: str
    state: str
    wording: str
    notice: str
    lang: str
    decided_at: int
    expires_at: int | None


class PreferencesOut(BaseModel):
    preferences: list[PreferenceOut]


class SignUpIn(BaseModel):
    email: EmailStr
    topics: list[str] = Field(min_length=1)
    name: str | None = Field(default=None, max_length=200)
    company: str | None = Field(default=None, max_length=200)


class SignUpOut(BaseModel):
    request: str


@app.post("/subscribe")
def sign_up(body: SignUpIn) -> SignUpOut:
    parameters.get_secret("pepper", max_age=300)
    now, request = int(time.time()), uuid.uuid4().hex
    Request(
        f"S#{body.email}",
        f"PENDING#{request}",
        address=body.email,
        topics=body.topics,
        name=body.name,
        company=body.company,
        requested_at=now,
        expires_at=now + 7 * 86400,
    ).save()
    sqs.send_message(QueueUrl=os.environ["LETTERS_QUEUE_URL"], MessageBody=json.dumps({"request": request}))
    metrics.add_metric(name="SignUpRequested", unit=MetricUnit.Count, value=1)
    return SignUpOut(request=request)


@app.get("/preferences/<person>")
def show_preferences(person: str) -> PreferencesOut:
    """As JSON, for a page that a browser puts together."""
    parameters.get_secret("links", max_age=300)
    items = Preference.query(f"P#{person}", consistent_read=True)
    metrics.add_metric(name="PreferencesOpened", unit=MetricUnit.Count, value=1)
    return PreferencesOut(
        preferences=[
            PreferenceOut(
                purpose=item.sk,
                name=item.name,
                description=item.description,
                state=item.state,
                wording=item.wording,
                notice=item.notice,
                lang=item.lang,
                decided_at=int(item.decided_at),
                expires_at=int(item.expires_at) if item.expires_at else None,
            )
            for item in items
        ]
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def read_all(keys: list[tuple[str, str]]) -> int:
    """How many of these full items there are."""
    return sum(1 for _ in State.batch_get(keys, consistent_read=True))
