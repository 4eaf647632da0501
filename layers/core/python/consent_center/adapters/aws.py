"""One botocore session and one client per service and process: creating them is most of a cold start."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 1
"""DynamoDB answers within milliseconds; two calls of three such tries end before a function's time does."""

ATTEMPTS = 3

_OTHERS = {"sesv2": (6, 1), "secretsmanager": (2, 2), "sqs": (2, 2)}
"""Seconds and tries of services that may take longer. A letter is tried once: the queue knows about trying again, and a
letter whose answer was not waited for would be sent twice."""


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """The client of a service. Endpoints other than AWS's come from botocore's own AWS_ENDPOINT_URL settings."""
    seconds, attempts = _OTHERS.get(service, (READ_SECONDS, ATTEMPTS))
    return session().create_client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
