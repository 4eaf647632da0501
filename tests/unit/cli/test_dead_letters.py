"""What waits in dead-letter queues is told without a person, and goes back without getting lost."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli import dead_letters
from cli.__main__ import app
from cli.dead_letters import age, find_queues, kind_of
from moto_wire import ENVIRONMENT

LETTER = {"letter": "confirm", "request": "r1", "controller": "c", "channel": "email", "key_id": "k1", "pseudonym": "p"}
REVIEW = ["c", "email", "k1", "p"]
REPORT = {"eventType": "Bounce", "mail": {"destination": ["ada@example.org"]}}
STREAM = "arn:aws:dynamodb:eu-north-1:000000000000:table/ledger-1/stream/2026-11-24T00:00:00.000"


class Deployed:
    """A stack with two dead-letter queues that serve three others, and the places in streams."""

    def __init__(self, *_: Any) -> None:
        self.sqs = boto3.client("sqs")
        self.urls: dict[str, str] = {}
        for name in ("DeadLettersQueue", "FailedImportsQueue", "FailedBatchesQueue"):
            self.urls[name] = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        for name, dead in (
            ("LettersQueue", "DeadLettersQueue"),
            ("ReviewsQueue", "DeadLettersQueue"),
            ("CaseStepsQueue", "DeadLettersQueue"),
            ("AnnouncementsQueue", "DeadLettersQueue"),
            ("ImportsQueue", "FailedImportsQueue"),
        ):
            policy = {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 5}
            attributes = {"RedrivePolicy": json.dumps(policy)}
            self.urls[name] = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.lambda_ = Lambda()
        self.streams = Streams()

    def arn(self, name: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.urls[name], AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def resources(self, kind: str) -> dict[str, str]:
        return {
            "AWS::SQS::Queue": self.urls,
            "AWS::DynamoDB::Table": {"LedgerTable": "ledger-1"},
            "AWS::Lambda::Function": {"StatisticsWorkerFunction": "statistics-1"},
        }[kind]

    def client(self, service: str) -> Any:
        return {"sqs": self.sqs, "lambda": self.lambda_, "dynamodbstreams": self.streams}[service]

    def put(self, queue: str, body: Any, reason: str = "") -> str:
        attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.sqs.send_message(QueueUrl=self.urls[queue], MessageBody=text, MessageAttributes=attributes)
        return str(answer["MessageId"])

    def waiting(self, queue: str) -> list[Any]:
        found = self.sqs.receive_message(QueueUrl=self.urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return sorted(message["Body"] for message in found.get("Messages", []))


class Lambda:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.fails = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's words
        self.told.append({"function": FunctionName, **json.loads(Payload)})
        return {"FunctionError": "Unhandled"} if self.fails else {}


class Streams:
    """One shard with the numbers 10 to 15."""

    is_trimmed = False

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        if self.is_trimmed:
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException", "Message": ""}}, "GetShardIterator")
        return {"ShardIterator": asked["SequenceNumber"]}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803 - AWS's words
        first = int(ShardIterator)
        records = [
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "ApproximateCreationDateTime": datetime(2026, 11, 24, tzinfo=UTC),
                },
            }
            for number in range(first, min(first + 2, 16))
        ]
        return {"Records": records, "NextShardIterator": str(first + 2)}


def a_place(first: int = 11, last: int = 13, function: str = "statistics-1") -> dict[str, Any]:
    return {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:eu-north-1:000000000000:function:{function}:$LATEST",
            "condition": "RetryAttemptsExhausted",
        },
        "DDBStreamBatchInfo": {
            "shardId": "shard-1",
            "startSequenceNumber": str(first),
            "endSequenceNumber": str(last),
            "streamArn": STREAM,
        },
    }


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    with mock_aws():
        stack = Deployed()
        monkeypatch.setattr(dead_letters, "Deployment", lambda *_: stack)
        # The second of the clock by which messages are told apart is over.
        monkeypatch.setattr(dead_letters, "_time_of", lambda _: datetime.now(UTC).timestamp())
        yield stack


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["dead-letters", *arguments], input=typed)


def test_every_queue_that_another_names_as_its_dead_letters_is_found(deployed: Deployed) -> None:
    found = {queue.name: [source.name for source in queue.sources] for queue in find_queues(deployed)}  # type: ignore[arg-type]

    assert found == {
        "DeadLettersQueue": ["AnnouncementsQueue", "CaseStepsQueue", "LettersQueue", "ReviewsQueue"],
        "FailedBatchesQueue": [],
        "FailedImportsQueue": ["ImportsQueue"],
    }


def test_the_list_says_what_waits_and_why_and_names_nobody(deployed: Deployed) -> None:
    first = deployed.put("DeadLettersQueue", LETTER, "no such letter")
    deployed.put("DeadLettersQueue", REPORT)
    deployed.put("FailedBatchesQueue", a_place())
    shown = run("list").output

    for part in (first, "letter confirm", "no such letter", "report Bounce", "RetryAttemptsExhausted"):
        assert part in shown
    assert "changes of LedgerTable for StatisticsWorkerFunction" in shown
    assert "ada@" not in shown


def test_looking_leaves_everything_where_others_find_it(deployed: Deployed) -> None:
    for number in range(25):
        deployed.put("DeadLettersQueue", {**LETTER, "request": str(number)})
    run("list", "--most", "12")

    assert next(queue for queue in find_queues(deployed) if queue.name == "DeadLettersQueue").count == 25  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("Ada Lovelace", "not readable"),
        ({"letter": "Ada Lovelace <ada@example.org>"}, "letter of another kind"),
        ({"letter": 7}, "another message"),
        (REVIEW, "a look at a record"),
        ({"contact": REVIEW, "told": ["source", "1", None, "en", 1]}, "a letter to be entered"),
        ({"import": "i", "part": 1}, "part of an import"),
        ({"recipient": "Ada Lovelace", "announcement": {}}, "a change for of another kind"),
        ({"Records": [{"s3": {}}]}, "a mail that arrived"),
        ({"DDBStreamBatchInfo": {}}, "not readable"),
        (a_place(function="others"), "changes of another stack's for another stack's"),
    ],
)
def test_a_kind_is_told_in_words_of_ours(body: Any, kind: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)

    assert kind_of(dead_letters.Letter("1", "h", text, 0, "", ""), {}) == kind


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (59, "59 s"), (60, "1 min"), (7_200, "2 h"), (200_000, "2 d")]
)
def test_ages_are_told_in_the_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_messages_go_back_to_the_queue_they_came_from(deployed: Deployed) -> None:
    deployed.put("DeadLettersQueue", LETTER, "send letter: MessageRejected")
    deployed.put("DeadLettersQueue", REVIEW)
    result = run("redrive", "DeadLettersQueue", "--yes")

    assert (result.exit_code, deployed.waiting("DeadLettersQueue")) == (0, [])
    assert deployed.waiting("LettersQueue") == [json.dumps(LETTER)]
    assert deployed.waiting("ReviewsQueue") == [json.dumps(REVIEW)]


def test_a_letter_that_could_not_be_entered_is_no_order_of_one(deployed: Deployed) -> None:
    told = {"contact": REVIEW, "told": ["notice", "2027-03-01", "told", "en", 1]}
    deployed.put("DeadLettersQueue", told)
    run("redrive", "DeadLettersQueue", "--yes")

    assert (deployed.waiting("LettersQueue"), deployed.waiting("ReviewsQueue")) == ([], [json.dumps(told)])


def test_a_case_goes_back_to_those_who_look_at_cases(deployed: Deployed) -> None:
    body = {"case": "f66h7l5n3mf7cv4krt6y6r7xvw", "due_at": 1}
    deployed.put("DeadLettersQueue", body)
    assert "a case to look at" in run("list").output

    run("redrive", "DeadLettersQueue", "--yes")

    assert deployed.waiting("CaseStepsQueue") == [json.dumps(body)]


def test_what_a_recipient_did_not_take_goes_back_to_those_who_tell_recipients(deployed: Deployed) -> None:
    body = {"recipient": "post-house", "announcement": {"chain": "f66h7l5n3mf7cv4krt6y6r7xvw", "seq": 3}}
    deployed.put("DeadLettersQueue", body, "recipient post-house: http_410")
    shown = run("list").output
    assert "a change for post-house" in shown
    assert "recipient post-house: http_410" in shown

    run("redrive", "DeadLettersQueue", "--yes")

    assert deployed.waiting("AnnouncementsQueue") == [json.dumps(body)]


def test_one_message_goes_back_alone(deployed: Deployed) -> None:
    ids = [deployed.put("FailedImportsQueue", {"import": "i", "part": part}) for part in range(3)]
    result = run("redrive", "FailedImportsQueue", "--message", ids[1], "--yes")

    assert result.exit_code == 0
    assert deployed.waiting("ImportsQueue") == [json.dumps({"import": "i", "part": 1})]
    assert len(deployed.waiting("FailedImportsQueue")) == 2


def test_a_message_that_is_not_there_is_told(deployed: Deployed) -> None:
    deployed.put("FailedImportsQueue", {"import": "i", "part": 1})
    result = run("redrive", "FailedImportsQueue", "--message", "no-such", "--yes")

    assert (result.exit_code, len(deployed.waiting("FailedImportsQueue"))) == (1, 1)
    assert "no-such: not found" in result.output


def test_nothing_is_sent_without_a_yes(deployed: Deployed) -> None:
    deployed.put("FailedImportsQueue", {"import": "i", "part": 1})

    assert run("redrive", "FailedImportsQueue", typed="n\n").exit_code == 1
    assert deployed.waiting("ImportsQueue") == []


def test_what_nobody_can_place_stays(deployed: Deployed) -> None:
    deployed.put("DeadLettersQueue", "no order of ours")
    result = run("redrive", "DeadLettersQueue", "--yes")

    assert (result.exit_code, deployed.waiting("DeadLettersQueue")) == (1, ["no order of ours"])


def test_a_queue_that_is_killed_between_sending_and_removing_has_it_twice_and_never_loses_it(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.put("FailedImportsQueue", {"import": "i", "part": 1})

    def killed(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed.sqs, "delete_message", killed)
    run("redrive", "FailedImportsQueue", "--yes")
    assert len(deployed.waiting("ImportsQueue")) == 1
    attributes = ["ApproximateNumberOfMessagesNotVisible"]
    held = deployed.sqs.get_queue_attributes(QueueUrl=deployed.urls["FailedImportsQueue"], AttributeNames=attributes)
    assert held["Attributes"][attributes[0]] == "1"


def test_a_queue_that_takes_nothing_leaves_the_message(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.put("FailedImportsQueue", {"import": "i", "part": 1})

    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "SendMessage")

    monkeypatch.setattr(deployed.sqs, "send_message", refused)
    result = run("redrive", "FailedImportsQueue", "--yes")

    assert (result.exit_code, len(deployed.waiting("FailedImportsQueue"))) == (1, 1)
    assert "AccessDenied" in result.output


def test_what_fails_again_at_once_does_not_go_round_in_circles(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.put("FailedImportsQueue", {"import": "i", "part": 1})
    send, sent = deployed.sqs.send_message, []

    def fails_at_once(**message: Any) -> Any:
        sent.append(message)
        return send(QueueUrl=deployed.urls["FailedImportsQueue"], MessageBody=message["MessageBody"])

    monkeypatch.setattr(deployed.sqs, "send_message", fails_at_once)
    assert run("redrive", "FailedImportsQueue", "--yes").exit_code == 0
    assert (len(sent), len(deployed.waiting("FailedImportsQueue"))) == (1, 1)


def test_an_empty_queue_and_an_unknown_one_are_told(deployed: Deployed) -> None:
    assert "Nothing waits" in run("redrive", "FailedImportsQueue", "--yes").output
    unknown = run("redrive", "LettersQueue", "--yes")
    assert (unknown.exit_code, "there is no such queue" in unknown.output) == (2, True)


def test_a_place_in_a_stream_is_read_again_and_handed_to_the_function(deployed: Deployed) -> None:
    deployed.put("FailedBatchesQueue", a_place(11, 13))
    result = run("redrive", "FailedBatchesQueue", "--yes")

    assert (result.exit_code, deployed.waiting("FailedBatchesQueue")) == (0, [])
    ((told),) = deployed.lambda_.told
    assert (told["function"], [record["eventID"] for record in told["Records"]]) == ("statistics-1", ["11", "12", "13"])
    first = told["Records"][0]
    # As Lambda delivers it.
    assert first["eventSourceARN"] == STREAM
    assert first["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert first["dynamodb"]["ApproximateCreationDateTime"] == 1_795_478_400


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (a_place(function="of-somebody-else"), "not of this stack"),
        ("no place", "names no place"),
        (a_place(99, 99), "24 hours"),
    ],
)
def test_a_place_that_leads_nowhere_stays(deployed: Deployed, body: Any, why: str) -> None:
    deployed.put("FailedBatchesQueue", body)
    result = run("redrive", "FailedBatchesQueue", "--yes")

    assert (result.exit_code, len(deployed.waiting("FailedBatchesQueue"))) == (1, 1)
    assert why in result.output
    assert deployed.lambda_.told == []


def test_a_place_whose_time_is_over_or_that_fails_again_stays(deployed: Deployed) -> None:
    deployed.put("FailedBatchesQueue", a_place())
    deployed.lambda_.fails = True
    assert "failed again" in run("redrive", "FailedBatchesQueue", "--yes").output
    deployed.streams.is_trimmed = True
    assert "24 hours" in run("redrive", "FailedBatchesQueue", "--yes").output
    assert len(deployed.waiting("FailedBatchesQueue")) == 1
