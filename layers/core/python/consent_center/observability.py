"""The one logger and the one metrics collector. Ids and enumerated words go in; people never do."""

import traceback
import warnings
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit


class _WithoutQuotes(LambdaPowertoolsFormatter):
    """Logs where an exception came from and what kind it was, not its text: that may quote what a person typed."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return "\n".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(ei[2]))


logger = Logger(logger_formatter=_WithoutQuotes(serialize_stacktrace=False))
metrics = Metrics()
# Most requests measure nothing of ours; Powertools would write a warning to the log for each of them.
warnings.filterwarnings("ignore", "No application metrics to publish")


def count(name: str, value: int = 1) -> None:
    """Add to a counter of the product's namespace."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
