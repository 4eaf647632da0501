"""What every test runs under: credentials that are worth nothing, and a region."""

import os

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "ConsentCenter",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
)
os.environ.pop("AWS_ENDPOINT_URL", None)
