"""The product's wire with moto at its other end, in this process."""

from collections.abc import Callable, Mapping

import requests

from consent_center.adapters.aws import wire
from consent_center.adapters.connections import Answer
from consent_center.adapters.wire import Wire
from fakes import no_pause, real_clock

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def by_moto(service: str) -> Wire:
    """A wire whose requests go to moto in this process: signed and read as ever, but without a connection."""
    made = wire(service, ENVIRONMENT, clock=real_clock, pause=no_pause)
    requests_of_moto = requests.Session()

    def begin(path: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Answer]:
        answer = requests_of_moto.post(f"https://{headers['host']}{path}", data=body, headers=headers)
        return lambda: Answer(answer.status_code, answer.headers.get("x-amzn-errortype", ""), answer.content)

    made.connections.begin = begin
    return made
