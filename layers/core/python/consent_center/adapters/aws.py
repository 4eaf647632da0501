"""Which services of AWS the product calls, where they are, how long each may take, and with whose credentials."""

from collections.abc import Callable, Mapping

from consent_center.adapters.signing import Credentials
from consent_center.adapters.wire import Service, Wire
from consent_center.ports.basics import Clock, Pause

SERVICES = {
    # Answers within milliseconds; two calls of three such tries end before a function's time does.
    "dynamodb": Service("dynamodb", "dynamodb", "DYNAMODB", "application/x-amz-json-1.0", "DynamoDB_20120810."),
    "sqs": Service("sqs", "sqs", "SQS", "application/x-amz-json-1.0", "AmazonSQS.", seconds=2, attempts=2),
    "secretsmanager": Service(
        *("secretsmanager", "secretsmanager", "SECRETS_MANAGER", "application/x-amz-json-1.1", "secretsmanager."),
        seconds=2,
        attempts=2,
    ),
    "kms": Service("kms", "kms", "KMS", "application/x-amz-json-1.1", "TrentService.", seconds=2, attempts=2),
    "events": Service(
        "events", "events", "EVENTBRIDGE", "application/x-amz-json-1.1", "AWSEvents.", seconds=2, attempts=2
    ),
    # Everything that is asked of it may be asked twice.
    "cognito-idp": Service(
        *("cognito-idp", "cognito-idp", "COGNITO_IDENTITY_PROVIDER", "application/x-amz-json-1.1"),
        "AWSCognitoIdentityProviderService.",
        seconds=5,
        attempts=2,
    ),
    # A letter is tried once: the queue knows about trying again, and one whose answer was not waited for would be
    # sent twice.
    "sesv2": Service("email", "ses", "SESV2", "application/json", seconds=6, attempts=1),
}

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""Where AWS's hosts end in partitions whose regions start so; everywhere else in amazonaws.com."""


def wire(
    name: str,
    environment: Mapping[str, str],
    *,
    clock: Clock,
    pause: Pause,
    trace: Callable[[], str | None] = lambda: None,
) -> Wire:
    """Calls to a service of SERVICES, where the environment says it is. LookupError if it names no region."""
    service = SERVICES[name]
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise LookupError("AWS_REGION is not set")
    return Wire(
        service,
        endpoint=endpoint(service, region, environment),
        region=region,
        credentials=_credentials(environment),
        clock=clock,
        pause=pause,
        trace=trace,
    )


def endpoint(service: Service, region: str, environment: Mapping[str, str]) -> str:
    """The address of a service: what AWS_ENDPOINT_URL_… or AWS_ENDPOINT_URL says, as for botocore, or else AWS's own.

    LookupError for an environment that asks for FIPS or dual-stack hosts without naming them, because silently using
    others would be worse.
    """
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        named = environment.get(f"AWS_ENDPOINT_URL_{service.setting}") or environment.get("AWS_ENDPOINT_URL")
        if named:
            return named
    for flag in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        if environment.get(flag, "").lower() == "true":
            raise LookupError(f"{flag} needs AWS_ENDPOINT_URL_{service.setting}")
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://{service.host}.{region}.{suffix}"


def _credentials(environment: Mapping[str, str]) -> Callable[[], Credentials]:
    """Those that Lambda puts into the environment, which stay the same for the life of a process."""
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        return _found_by_botocore()
    credentials = Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN"))
    return lambda: credentials


def _found_by_botocore() -> Callable[[], Credentials]:
    """Those of a profile, a container or an instance, which botocore finds and renews. Lambda never comes here."""
    import botocore.session

    found = botocore.session.get_session().get_credentials()
    if found is None:
        raise LookupError("AWS_ACCESS_KEY_ID is not set, and there are no other credentials")

    def current() -> Credentials:
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return current
