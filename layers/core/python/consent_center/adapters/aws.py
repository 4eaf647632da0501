"""One botocore session and one client per service and process: creating them is most of a cold start."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

CONNECT_SECONDS = 1
READ_SECONDS = 1
"""DynamoDB answers within milliseconds; two calls of three such tries end before a function's time does."""

ATTEMPTS = 3

_SLOWER_SECONDS = {"sesv2": 6, "secretsmanager": 2, "sqs": 2}
"""Services that may take longer. A letter whose answer is not waited for would be sent twice."""


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """The client of a service. Endpoints other than AWS's come from botocore's own AWS_ENDPOINT_URL settings."""
    return session().create_client(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=_SLOWER_SECONDS.get(service, READ_SECONDS),
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )
