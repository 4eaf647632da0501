"""What is measured, each in a process of its own: `workers.py <what> <folder>`; prints CPU seconds and peak memory.

Nothing is imported here that the measured code does not pay for as well.
"""

import json
import sys
import time

WARM_UP = 20
SIGN_UPS = 150
PAGES = 150
CHECKS = 4


def _read(folder, name):
    with open(f"{folder}/{name}.json", encoding="utf-8") as file:
        return json.load(file)


class _Context:
    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-north-1:000000000000:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000002"


def client(folder):
    import botocore.session

    botocore.session.get_session().create_client("dynamodb")


def cold(folder):
    from subscription_links.app import lambda_handler

    _expect(lambda_handler(_read(folder, "sign-up"), _Context))


def cold_stock(folder):
    from bench.stock import lambda_handler

    _expect(lambda_handler(_read(folder, "sign-up-stock"), _Context))


def warm(folder):
    from subscription_links.app import lambda_handler

    return _per_call(lambda_handler, _read(folder, "sign-up"), SIGN_UPS, WARM_UP)


def warm_stock(folder):
    from bench.stock import lambda_handler

    return _per_call(lambda_handler, _read(folder, "sign-up-stock"), SIGN_UPS, WARM_UP)


def page(folder):
    from preference_center.app import lambda_handler

    return _per_call(lambda_handler, _read(folder, "page"), PAGES, WARM_UP)


def page_stock(folder):
    from bench.stock import lambda_handler

    return _per_call(lambda_handler, _read(folder, "page-stock"), PAGES, WARM_UP)


def check(folder):
    from consent_api.app import lambda_handler

    return _per_call(lambda_handler, _read(folder, "check"), CHECKS, 1)


def check_reads(folder):
    from consent_center.bootstrap import services
    from consent_center.domain.contact import ContactPoint

    contacts = [ContactPoint("fjordmeter", "email", *key.split("#")[1:]) for key in _read(folder, "keys")]
    return _per(lambda: services().subjects.states(contacts), CHECKS, 1)


def check_stock(folder):
    from bench.stock import read_all

    keys = [(key, "STATE") for key in _read(folder, "keys")]
    return _per(lambda: read_all(keys), CHECKS, 1)


def _expect(answer):
    if answer["statusCode"] != 200:
        raise SystemExit(f"answered {answer['statusCode']}: {answer['body'][:500]}")


def _per_call(handler, event, times, warm_up):
    return _per(lambda: _expect(handler(event, _Context)), times, warm_up)


def _per(work, times, warm_up):
    for _ in range(warm_up):
        work()
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def _peak():
    """KiB. Not getrusage's: that starts from the size of whoever started the process."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except OSError:
        return None


if __name__ == "__main__":
    what, folder = sys.argv[1:]
    out, sys.stdout = sys.stdout, sys.stderr
    seconds = globals()[what.replace("-", "_")](folder)
    cpu = time.process_time() if seconds is None else seconds
    out.write(f'{{"cpu": {cpu}, "peak": {json.dumps(_peak())}}}\n')
