"""The deployment, asserted on the transformed template, because emulators accept what AWS would not."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from transformed import ROOT, of_type, source, transformed

PAGES = {
    "/",
    "/subscribe",
    "/waiting/{token}",
    "/confirm/{token}",
    "/not-me/{token}",
    "/u/{token}",
    "/notice",
    "/notice/{version}",
    "/notice/{version}/changes",
    "/preferences",
    "/preferences/{token}",
    "/preferences/{token}/address",
    "/address/{token}",
    "/preferences/{token}/history",
    "/preferences/{token}/history.json",
    "/preferences/{token}/history.csv",
    "/preferences/{token}/receipts/{seq}",
    "/preferences/{token}/receipts/{seq}/file",
    "/.well-known/jwks.json",
    "/.well-known/security.txt",
    "/.well-known/gpc.json",
    "/robots.txt",
    "/favicon.svg",
    "/favicon.ico",
    "/why/{token}",
    "/rights",
    "/rights/verify/{token}",
    "/rights/status/{token}",
    "/preferences/{token}/rights",
    "/rights/download/{token}",
}
SCOPES = {
    "/v1/permission-checks": "check",
    "/v1/sends": "check",
    "/v1/permissions/lookup": "read",
    "/v1/decisions": "write",
    "/v1/holds": "holds.write",
    "/v1/holds/lift": "holds.write",
    "/v1/restrictions": "restrictions.write",
    "/v1/restrictions/lift": "restrictions.write",
    "/v1/retention-answers": "retention.read",
    "/v1/suppressions": "suppressions.write",
    "/v1/offline-requests": "offline.write",
    "/v1/cases": "cases.write",
    "/v1/cases/{case}/transitions": "cases.write",
    "/v1/cases/{case}/tasks/{recipient}": "cases.write",
}
READ_SCOPES = {"/v1/statistics": "statistics.read", "/v1/cases": "cases.read", "/v1/cases/{case}": "cases.read"}
"""Of the routes that only read."""

POSTED = {
    "/subscribe",
    "/waiting/{token}",
    "/confirm/{token}",
    "/not-me/{token}",
    "/u/{token}",
    "/preferences",
    "/preferences/{token}",
    "/preferences/{token}/address",
    "/address/{token}",
    "/rights",
    "/rights/verify/{token}",
    "/rights/status/{token}",
    "/preferences/{token}/rights",
}


@pytest.fixture(scope="module")
def template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "transformed.json"
    path.write_text(json.dumps({key: value for key, value in transformed().items() if key != "Transform"}, indent=1))
    return path


def test_cfn_lint_finds_nothing_after_the_transform(template_file: Path) -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--format", "parseable", str(template_file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.stdout, found.returncode) == ("", 0)


def test_checkov_finds_nothing_but_what_is_skipped_with_a_reason(template_file: Path) -> None:
    found = subprocess.run(
        [
            ROOT / ".venv-checkov/bin/checkov",
            *("--config-file", str(ROOT / "tests/architecture/checkov.yaml"), "--skip-download", "--compact"),
            *("--quiet", "--framework", "cloudformation", "--output", "json", "--file", str(template_file)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(found.stdout)

    failed = answer.get("results", {}).get("failed_checks", [])
    assert [f"{check['check_id']} {check['resource']}" for check in failed] == []
    assert answer.get("summary", answer)["passed"] > 20


def routes() -> dict[str, dict[str, Any]]:
    """Every route as `METHOD path`, with its operation."""
    (api,) = of_type("AWS::ApiGatewayV2::Api").values()
    return {
        f"{'ANY' if method.startswith('x-') else method.upper()} {path}": operation
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
    }


def test_the_routes_are_the_public_contract() -> None:
    expected = {f"{method} {path}" for path in PAGES for method in ("GET", "HEAD")}
    expected |= {f"POST {path}" for path in POSTED}
    expected |= {f"POST {path}" for path in SCOPES} | {f"GET {path}" for path in READ_SCOPES}
    expected |= {"GET /v1/openapi.json", "ANY /$default", "POST /recipients/{recipient}/answers"}

    assert set(routes()) == expected


def test_only_pages_and_the_api_description_are_open() -> None:
    closed = {route for route, operation in routes().items() if operation.get("security")}

    scopes = {f"POST {path}": scope for path, scope in SCOPES.items()}
    scopes |= {f"GET {path}": scope for path, scope in READ_SCOPES.items()}
    assert closed == set(scopes)
    for route, scope in scopes.items():
        assert routes()[route]["security"] == [{"Jwt": [{"Fn::Sub": f"${{ScopePrefix}}{scope}"}]}]


def test_tokens_are_checked_for_issuer_and_audience() -> None:
    (api,) = of_type("AWS::ApiGatewayV2::Api").values()
    authorizer = api["Body"]["components"]["securitySchemes"]["Jwt"]["x-amazon-apigateway-authorizer"]

    assert authorizer["type"] == "jwt"
    assert authorizer["jwtConfiguration"] == {"issuer": {"Ref": "JwtIssuer"}, "audience": [{"Ref": "JwtAudience"}]}


def test_access_logs_name_the_route_and_neither_path_nor_caller() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    log_format = stage["AccessLogSettings"]["Format"]

    assert "$context.routeKey" in log_format
    for forbidden in ("path", "sourceIp", "userAgent", "authorizer", "querystring"):
        assert forbidden.lower() not in log_format.lower()
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "RequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "RequestBurst"},
    }


TABLES = {"SubjectsTable", "LedgerTable", "TransientTable", "StatisticsTable", "CasesTable", "CaseKeysTable"}
NOT_RESTORED = {"CaseKeysTable"}
"""Its keys are shredded, and must not come back."""


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_expires_restores_and_survives_deletion(name: str) -> None:
    table = of_type("AWS::DynamoDB::Table")[name]
    resource = transformed()["Resources"][name]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    restored = table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)
    assert restored is (name not in NOT_RESTORED)
    assert table["DeletionProtectionEnabled"] is True
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert {key["AttributeName"] for key in table["KeySchema"]} == {"pk", "sk"}


def test_there_are_no_tables_without_these_rules() -> None:
    assert set(of_type("AWS::DynamoDB::Table")) == TABLES


def test_the_tables_that_others_follow_have_streams() -> None:
    tables = of_type("AWS::DynamoDB::Table")

    assert {name for name, table in tables.items() if "StreamSpecification" in table} == {
        "SubjectsTable",
        "LedgerTable",
    }


def test_how_secrets_are_generated_is_frozen() -> None:
    """An edit here would make CloudFormation generate them anew: every pseudonym and every link would be lost."""
    for secret in of_type("AWS::SecretsManager::Secret").values():
        assert secret["GenerateSecretString"] == {
            "SecretStringTemplate": '{"current": "k1"}',
            "GenerateStringKey": "k1",
            "PasswordLength": 64,
            "ExcludePunctuation": True,
        }
    for name in ("PepperSecret", "LinksSecret"):
        resource = transformed()["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


STREAM_RIGHTS = (
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
)

EXPECTED_RIGHTS = {
    "SubscriptionLinksFunction": {
        "SubjectsTable": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        "LedgerTable": {"dynamodb:PutItem"},
        "StatisticsTable": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
        "TransientTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "LettersQueue": {"sqs:SendMessage"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "LinksSecret": {"secretsmanager:GetSecretValue"},
    },
    "PreferenceCenterFunction": {
        "SubjectsTable": {
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            # A change of address takes items away from where they were.
            "dynamodb:DeleteItem",
        },
        "LedgerTable": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"},
        "TransientTable": {"dynamodb:UpdateItem"},
        "LettersQueue": {"sqs:SendMessage"},
        "CasesTable": {
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            # What stands in the way of a second request of a kind goes with the first, and so do the particulars.
            "dynamodb:DeleteItem",
        },
        "CaseKeysTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        "CaseStepsQueue": {"sqs:SendMessage"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "LinksSecret": {"secretsmanager:GetSecretValue"},
        "SigningKey": {"kms:Sign", "kms:GetPublicKey"},
        "${ExportsBucket.Arn}/exports/*": {"s3:GetObject"},
    },
    "ConsentApiFunction": {
        "SubjectsTable": {
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:Query",
        },
        "LedgerTable": {"dynamodb:PutItem", "dynamodb:Query"},
        "StatisticsTable": {"dynamodb:Query"},
        "TransientTable": {"dynamodb:UpdateItem"},
        "LettersQueue": {"sqs:SendMessage"},
        "CaseStepsQueue": {"sqs:SendMessage"},
        "CasesTable": {
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        "${CasesTable.Arn}/index/by-open": {"dynamodb:Query"},
        "CaseKeysTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "LinksSecret": {"secretsmanager:GetSecretValue"},
    },
    "DeliveryWorkerFunction": {
        "SubjectsTable": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        # It reads the entry that a receipt is about, and writes none.
        "LedgerTable": {"dynamodb:GetItem"},
        # A letter about a case goes to the address that the case has sealed.
        "CasesTable": {"dynamodb:GetItem", "dynamodb:Query"},
        "CaseKeysTable": {"dynamodb:GetItem"},
        "SigningKey": {"kms:Sign"},
        "TransientTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "LinksSecret": {"secretsmanager:GetSecretValue"},
        "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${SenderDomain}": {"ses:SendEmail"},
        "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/${AWS::StackName}": {
            "ses:SendEmail"
        },
        "DeadLettersQueue": {"sqs:SendMessage"},
        # It says which letter was handed over; who enters that writes no letters.
        "ReviewsQueue": {"sqs:SendMessage"},
        "LettersQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "DeliveryWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "RetentionWorkerFunction": {
        "LedgerTable": {
            "dynamodb:DescribeTable",
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "${LedgerTable.Arn}/index/by-day": {"dynamodb:Query"},
        "SealsBucket": {"s3:ListBucket"},
        "${SealsBucket.Arn}/*": {"s3:GetObject", "s3:PutObject"},
        "SigningKey": {"kms:Sign"},
        "FailedBatchesQueue": {"sqs:SendMessage"},
        "RetentionWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "ExpiryWorkerFunction": {
        "SubjectsTable": {
            "dynamodb:Query",
            # It notes consents that ended by themselves.
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "${SubjectsTable.Arn}/index/by-review": {"dynamodb:Query"},
        "AudienceChangesQueue": {"sqs:SendMessage"},
        # It orders the letter that says where data are from.
        "LettersQueue": {"sqs:SendMessage"},
        # It says what recipients are to be told, and tells none itself.
        "AnnouncementsQueue": {"sqs:SendMessage"},
        "LedgerTable": {"dynamodb:Query", "dynamodb:PutItem"},
        "ReviewsQueue": {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBus}": {"events:PutEvents"},
        "FailedBatchesQueue": {"sqs:SendMessage"},
        "ExpiryWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    # It reads streams, which hold more than it needs, and puts numbers into its own table: there is no other way out.
    "StatisticsWorkerFunction": {
        "StatisticsTable": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
        "LedgerTable": set(STREAM_RIGHTS),
        "SubjectsTable": set(STREAM_RIGHTS),
        "FailedBatchesQueue": {"sqs:SendMessage"},
        "StatisticsWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "FeedbackWorkerFunction": {
        "SubjectsTable": {
            "dynamodb:GetItem",
            # A send is noted where its person is by now.
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:BatchWriteItem",
        },
        "LedgerTable": {"dynamodb:PutItem"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "LinksSecret": {"secretsmanager:GetSecretValue"},
        "MailBucket": {"s3:ListBucket"},
        "${MailBucket.Arn}/incoming/*": {"s3:GetObject", "s3:DeleteObject"},
        "${MailBucket.Arn}/inbox/*": {"s3:PutObject"},
        "FeedbackQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "FeedbackDeadLettersQueue": {"sqs:SendMessage"},
        "FeedbackWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "ImportWorkerFunction": {
        "SubjectsTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "LedgerTable": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "${ImportsBucket.Arn}/imports/*": {"s3:GetObject"},
        "${ImportsBucket.Arn}/reports/*": {"s3:GetObject", "s3:PutObject"},
        "ImportsQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "ImportWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "AudienceWorkerFunction": {
        "SubjectsTable": {"dynamodb:BatchGetItem"},
        "${SubjectsTable.Arn}/index/by-list": {"dynamodb:Query"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        # It cannot read the addresses back that it wrote.
        "${AudiencesBucket.Arn}/audiences/*": {"s3:PutObject"},
        "${AudiencesBucket.Arn}/changes/*": {"s3:PutObject"},
        "${AudiencesBucket.Arn}/runs/*": {"s3:GetObject", "s3:PutObject"},
        "AudiencePartsQueue": {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "AudienceChangesQueue": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "AudienceWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
    "RightsWorkerFunction": {
        "CasesTable": {
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        "${CasesTable.Arn}/index/by-due": {"dynamodb:Query"},
        "CaseKeysTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        # It erases, restricts and objects for people.
        "SubjectsTable": {
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
        },
        "LedgerTable": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"},
        "TransientTable": {"dynamodb:GetItem"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
        "CaseStepsQueue": {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        # It puts off what a recipient did not take.
        "AnnouncementsQueue": {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
        },
        "DeadLettersQueue": {"sqs:SendMessage"},
        "LettersQueue": {"sqs:SendMessage"},
        # It makes files for people, and cannot read one back.
        "${ExportsBucket.Arn}/exports/*": {"s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"},
        "ExportsBucket": {"s3:ListBucket"},
        "RightsWorkerLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    },
}


RECIPIENT_SECRETS = (
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${RecipientSecrets}-??????"
)

EXPECTED_RIGHTS["RightsWorkerFunction"][RECIPIENT_SECRETS] = {"secretsmanager:GetSecretValue"}
# Anybody may call it: it believes only what is signed, and can neither read an address nor close a case.
EXPECTED_RIGHTS["RecipientAnswersFunction"] = {
    "CasesTable": {"dynamodb:Query", "dynamodb:PutItem"},
    "CaseStepsQueue": {"sqs:SendMessage"},
    RECIPIENT_SECRETS: {"secretsmanager:GetSecretValue"},
}

BY_THE_CLOCK = {"RetentionWorkerFunction", "ExpiryWorkerFunction", "AudienceWorkerFunction", "RightsWorkerFunction"}
"""Functions that nobody waits for."""


def _resource_name(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        attribute = resource["Fn::GetAtt"]
        return str(attribute[0] if isinstance(attribute, list) else attribute.split(".")[0])
    return str(resource.get("Ref") or resource["Fn::Sub"])


@pytest.mark.parametrize("function", EXPECTED_RIGHTS)
def test_each_function_may_do_exactly_this(function: str) -> None:
    rights: dict[str, set[str]] = {}
    for policy in of_type("AWS::IAM::Role")[f"{function}Role"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for resource in resources:
                rights.setdefault(_resource_name(resource), set()).update(actions)

    assert rights == EXPECTED_RIGHTS[function]


@pytest.mark.parametrize("function", ["PreferenceCenterFunction", "DeliveryWorkerFunction"])
def test_who_signs_receipts_cannot_sign_seals(function: str) -> None:
    statements = [
        statement
        for policy in of_type("AWS::IAM::Role")[f"{function}Role"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "kms:Sign" in statement["Action"]
    ]

    assert [statement["Condition"] for statement in statements] == [
        {"StringEqualsIfExists": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}}
    ]


def test_no_function_is_without_a_statement_of_its_rights() -> None:
    assert set(of_type("AWS::Lambda::Function")) == set(EXPECTED_RIGHTS)


def test_nobody_may_change_or_delete_what_is_in_the_ledger() -> None:
    actions = {
        action
        for role in of_type("AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "LedgerTable" in json.dumps(statement["Resource"])
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }

    assert actions == {
        *("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:DescribeTable"),
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
    }


def test_roles_have_no_managed_policy_but_lambdas_own() -> None:
    allowed = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}

    roles = dict(of_type("AWS::IAM::Role"))
    # Which systems recipients have is known to who deploys, so the worker's rights in them come from there.
    given = roles["RightsWorkerFunctionRole"]
    roles["RightsWorkerFunctionRole"] = {name: value for name, value in given.items() if name != "ManagedPolicyArns"}
    assert given["ManagedPolicyArns"] == {
        "Fn::If": ["HasRecipientAccess", [{"Ref": "RecipientAccess"}], {"Ref": "AWS::NoValue"}]
    }
    for role in roles.values():
        for arn in role.get("ManagedPolicyArns", []):
            text = arn if isinstance(arn, str) else arn["Fn::Sub"]
            assert text.rsplit("/", 1)[1] in allowed


def test_functions_run_where_the_layers_are_built_for() -> None:
    for name, function in of_type("AWS::Lambda::Function").items():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert [layer["Ref"][:-10] for layer in function["Layers"]] == ["DependenciesLayer", "CoreLayer", "PolicyLayer"]
        if name not in BY_THE_CLOCK:
            assert function["Timeout"] <= 25, f"{name}: the API gives up after 30 seconds"
        assert "LogGroup" in function["LoggingConfig"]
        assert "ReservedConcurrentExecutions" not in function


def test_every_handler_exists() -> None:
    for function in of_type("AWS::Lambda::Function").values():
        module, name = function["Handler"].rsplit(".", 1)
        file = ROOT / "functions" / (module.replace(".", "/") + ".py")
        assert f"def {name}(" in file.read_text()


@pytest.mark.parametrize(
    ("mapping", "queue", "worker"),
    [
        ("DeliveryWorkerFunctionLetters", "LettersQueue", "DeliveryWorkerFunction"),
        ("FeedbackWorkerFunctionFeedback", "FeedbackQueue", "FeedbackWorkerFunction"),
        ("ImportWorkerFunctionParts", "ImportsQueue", "ImportWorkerFunction"),
        ("AudienceWorkerFunctionParts", "AudiencePartsQueue", "AudienceWorkerFunction"),
        ("RightsWorkerFunctionSteps", "CaseStepsQueue", "RightsWorkerFunction"),
        ("RightsWorkerFunctionAnnouncements", "AnnouncementsQueue", "RightsWorkerFunction"),
    ],
)
def test_orders_are_retried_reported_one_by_one_and_then_set_aside(mapping: str, queue: str, worker: str) -> None:
    source = of_type("AWS::Lambda::EventSourceMapping")[mapping]
    fed = of_type("AWS::SQS::Queue")[queue]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert fed["RedrivePolicy"]["maxReceiveCount"] == 5
    assert fed["VisibilityTimeout"] >= 6 * of_type("AWS::Lambda::Function")[worker]["Timeout"]


def test_receiving_and_reports_are_off_until_they_are_asked_for() -> None:
    parameters, resources = source()["Parameters"], transformed()["Resources"]

    assert (parameters["StopMailAddress"]["Default"], parameters["MailReports"]["Default"]) == ("", "off")
    for kind, condition in (
        ("AWS::SES::ReceiptRuleSet", "ReceivesMail"),
        ("AWS::SES::ReceiptRule", "ReceivesMail"),
        ("AWS::SES::ConfigurationSet", "TakesReports"),
        ("AWS::SES::ConfigurationSetEventDestination", "TakesReports"),
    ):
        (found,) = [resource for resource in resources.values() if resource["Type"] == kind]
        assert found["Condition"] == condition


def test_mails_are_closed_to_everybody_and_outlive_every_message_about_them() -> None:
    bucket = of_type("AWS::S3::Bucket")["MailBucket"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    dead = of_type("AWS::SQS::Queue")["FeedbackDeadLettersQueue"]

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert rule["ExpirationInDays"] * 86400 > dead["MessageRetentionPeriod"]
    (allowed, denied) = of_type("AWS::S3::BucketPolicy")["MailBucketPolicy"]["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "ses.amazonaws.com"}
    assert denied["Effect"] == "Deny"


def test_claims_outlast_a_worker_and_end_before_the_queue_delivers_again() -> None:
    from consent_center.adapters.dynamodb.claims import HELD_SECONDS

    worker = of_type("AWS::Lambda::Function")["DeliveryWorkerFunction"]
    assert worker["Timeout"] < HELD_SECONDS < of_type("AWS::SQS::Queue")["LettersQueue"]["VisibilityTimeout"]


def test_what_is_imported_is_private_encrypted_and_leaves_by_itself() -> None:
    bucket = of_type("AWS::S3::Bucket")["ImportsBucket"]
    rules = {rule["Prefix"]: rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]}
    statement = of_type("AWS::S3::BucketPolicy")["ImportsBucketPolicy"]["PolicyDocument"]["Statement"][0]

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]
    assert rules == {"imports/": 30, "reports/": 180, "": None}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_file_for_a_person_is_there_until_the_moment_that_they_are_told() -> None:
    from consent_center.adapters.exports_s3 import KEPT_SECONDS

    (rule,) = of_type("AWS::S3::Bucket")["ExportsBucket"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["Status"]) == ("", "Enabled")
    # S3 removes on the midnight that follows: never earlier, and hardly a day later.
    assert rule["ExpirationInDays"] * 86_400 == KEPT_SECONDS


def test_audiences_are_private_encrypted_and_gone_after_a_week() -> None:
    bucket = of_type("AWS::S3::Bucket")["AudiencesBucket"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    (statement,) = of_type("AWS::S3::BucketPolicy")["AudiencesBucketPolicy"]["PolicyDocument"]["Statement"]

    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["BucketEncryption"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("", 7)
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_audiences_cost_nothing_until_they_are_asked_for() -> None:
    resources = transformed()["Resources"]
    mappings = of_type("AWS::Lambda::EventSourceMapping")

    assert source()["Parameters"]["AudiencePurposes"]["Default"] == ""
    assert resources["AudienceSchedule"]["Condition"] == "MakesAudiences"
    assert resources["AudienceUnwritten"]["Condition"] == "MakesAudiences"
    for name in ("AudienceWorkerFunctionParts", "AudienceWorkerFunctionChanges"):
        assert mappings[name]["Enabled"] == {"Fn::If": ["MakesAudiences", True, False]}
    window = mappings["AudienceWorkerFunctionChanges"]["MaximumBatchingWindowInSeconds"]
    assert window <= 300
    waiting = of_type("AWS::SQS::Queue")["AudienceChangesQueue"]["VisibilityTimeout"]
    assert waiting >= 6 * of_type("AWS::Lambda::Function")["AudienceWorkerFunction"]["Timeout"] + window


def test_announcements_are_ordered_and_read_only_where_they_could_be_signed() -> None:
    reader = of_type("AWS::Lambda::EventSourceMapping")["RightsWorkerFunctionAnnouncements"]
    writer = of_type("AWS::Lambda::Function")["ExpiryWorkerFunction"]["Environment"]["Variables"]

    assert source()["Parameters"]["RecipientSecrets"]["Default"] == ""
    assert reader["Enabled"] == {"Fn::If": ["HasRecipientSecrets", True, False]}
    assert writer["ANNOUNCEMENTS_QUEUE_URL"]["Fn::If"][0] == "HasRecipientSecrets"


def test_a_recipient_that_is_tried_for_the_last_time_still_has_its_message() -> None:
    from consent_center.domain.announcement import again_after

    queue = of_type("AWS::SQS::Queue")["AnnouncementsQueue"]
    waits = [again_after(tries) for tries in range(1, queue["RedrivePolicy"]["maxReceiveCount"])]
    assert all(waits), "a wait after each try but the last"
    assert sum(waits) < queue["MessageRetentionPeriod"]
    assert again_after(queue["RedrivePolicy"]["maxReceiveCount"]) == 0


def test_every_log_group_forgets() -> None:
    groups = of_type("AWS::Logs::LogGroup").values()

    assert len(groups) == 1 + len(of_type("AWS::Lambda::Function"))
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups)


def test_every_alarm_reaches_somebody() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")

    assert {"DeadLetters", "LettersWaiting", "ApiErrors", "RightsUnlisted", "DeadlinesNear"} <= set(alarms)
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())


def test_every_setting_a_function_is_given_is_one_that_config_knows() -> None:
    config = (ROOT / "layers/core/python/consent_center/config.py").read_text()

    for function in of_type("AWS::Lambda::Function").values():
        for name in function["Environment"]["Variables"]:
            assert name.startswith("POWERTOOLS_") or f'"{name}"' in config, name


def test_every_parameter_is_described_and_used() -> None:
    text = (ROOT / "template.yaml").read_text()

    for name, parameter in source()["Parameters"].items():
        assert parameter["Description"]
        used = re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text)
        assert used, f"{name} is declared and never used"


def test_whoever_changes_the_ledger_is_noticed_and_a_batch_that_cannot_be_read_is_set_aside() -> None:
    mapping = of_type("AWS::Lambda::EventSourceMapping")["RetentionWorkerFunctionLedger"]
    (pattern,) = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]

    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}
    assert pattern == {"eventName": ["MODIFY", "REMOVE"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["FailedBatchesQueue", "Arn"]}}}
    assert of_type("AWS::CloudWatch::Alarm")["LedgerTampered"]["Period"] == 60


def test_the_ledger_is_sealed_every_day_and_silence_rings() -> None:
    schedule = of_type("AWS::Scheduler::Schedule")["SealSchedule"]
    alarm = of_type("AWS::CloudWatch::Alarm")["LedgerUnsealed"]

    assert schedule["ScheduleExpression"] == "cron(0 2 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert json.loads(schedule["Target"]["Input"]) == {"job": "seal"}
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 3600


def test_the_worker_signs_seals_and_nothing_else() -> None:
    (policy,) = of_type("AWS::IAM::Role")["RetentionWorkerFunctionRole"]["Policies"]
    (statement,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "kms:Sign"]

    assert statement["Condition"] == {"StringEqualsIfExists": {"kms:SigningAlgorithm": "RSASSA_PSS_SHA_512"}}


def test_a_seal_cannot_be_replaced_deleted_or_read_by_the_world() -> None:
    bucket = of_type("AWS::S3::Bucket")["SealsBucket"]
    policy = of_type("AWS::S3::BucketPolicy")["SealsBucketPolicy"]
    resource = transformed()["Resources"]["SealsBucket"]
    denied = {each["Sid"]: each["Condition"] for each in policy["PolicyDocument"]["Statement"]}

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": {"Ref": "SealLockMode"},
        "Days": {"Ref": "SealLockDays"},
    }
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert denied == {
        "OnlyEncryptedConnections": {"Bool": {"aws:SecureTransport": "false"}},
        "OnlyNewObjects": {"Null": {"s3:if-none-match": "true"}},
    }


def test_rights_requests_are_listed_every_five_minutes_and_an_hours_silence_rings() -> None:
    schedule = of_type("AWS::Scheduler::Schedule")["RightsSchedule"]
    alarm = of_type("AWS::CloudWatch::Alarm")["RightsUnlisted"]

    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(schedule["Target"]["Input"]) == {"job": "rights"}
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("RightsListed", "breaching")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600


def test_a_case_is_held_back_for_as_long_as_the_queue_tries_its_message() -> None:
    from consent_center.usecases.due_cases import HELD_BACK_SECONDS, MOST_TRIES

    queue = of_type("AWS::SQS::Queue")["CaseStepsQueue"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_TRIES
    assert MOST_TRIES * queue["VisibilityTimeout"] == HELD_BACK_SECONDS


def test_the_indexes_that_the_adapters_read_are_there() -> None:
    from consent_center.adapters.dynamodb.cases import DUE_INDEX, OPEN_INDEX

    indexes = of_type("AWS::DynamoDB::Table")["CasesTable"]["GlobalSecondaryIndexes"]
    keys = {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in indexes}

    assert keys == {DUE_INDEX: ["due_shard", "due_at"], OPEN_INDEX: ["open_shard", "answer_by"]}
