"""Deployed in place of every function's code: hands the event to the front door, which runs the real function.

Queues, streams, rules and schedules of the emulator thereby reach the code in the working tree under Lambda's own
runtime client. Standard library only; the same few lines serve every function.
"""

import json
import os
import urllib.request


def handler(event, context):  # type: ignore[no-untyped-def]
    """Send `event` to the front door and return the function's answer, or raise what the function raised."""
    request = urllib.request.Request(
        f"{os.environ['LOCAL_FRONT_DOOR']}/_local/functions/{context.function_name}",
        data=json.dumps(event).encode(),
        headers={"content-type": "application/json", "x-local-secret": os.environ["LOCAL_FRONT_DOOR_SECRET"]},
    )
    timeout = float(os.environ.get("_LAMBDA_TIMEOUT", "30")) + 5
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        outcome = json.load(answer)
    if "error" in outcome:
        raise RuntimeError(outcome["error"])
    return outcome["result"]
