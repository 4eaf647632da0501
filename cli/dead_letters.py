"""What waits in dead-letter queues: which, since when and why; and sending it back to where it came from.

A body is never printed: reports of the mail service name people.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, NamedTuple

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from cli.deployment import DEFAULT_STACK, Deployment, LocalOption, StackOption

app = typer.Typer(help="What waits in dead-letter queues.", no_args_is_help=True)

SOME_STAYED, UNUSABLE = 1, 2

STREAM_PLACES = "FailedBatchesQueue"
"""The queue whose messages name places in the streams of tables, and not what was in them."""

STREAM_HOURS = 24
"""How long DynamoDB keeps the records of a stream."""

HELD_SECONDS = 120
"""How long a message that is looked at is hidden from others; it comes back by itself if this command is killed."""

_EMPTY_ANSWERS = 2
"""After so many empty answers in a row a queue is empty: one answer may miss what is there."""


class Source(NamedTuple):
    """A queue that a dead letter can go back to."""

    name: str
    url: str
    arn: str


@dataclass(frozen=True)
class Queue:
    """A dead-letter queue; `sources` are the queues that it serves, none for places in streams."""

    name: str
    url: str
    count: int
    sources: tuple[Source, ...]
    asked_at: float
    """When it was looked at, in epoch seconds, by the clock of AWS."""


class Letter(NamedTuple):
    """A message of a dead-letter queue. `sent_at` in epoch seconds."""

    id: str
    handle: str
    body: str
    sent_at: float
    reason: str
    source_arn: str

    def __repr__(self) -> str:
        """Hides the body, because a repr ends up in logs and tracebacks."""
        return f"Letter({self.id!r})"


@app.callback()
def dead_letters() -> None:
    """What waits in dead-letter queues."""


@app.command("list")
def list_letters(
    most: Annotated[int, typer.Option(min=0, help="How many messages of each queue are shown.")] = 20,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Show each dead-letter queue, how many messages wait in it, and of each message what it is and why."""
    console = Console()
    deployment = Deployment(stack, local)
    with _told_in_one_line():
        queues = find_queues(deployment)
        names = _names(deployment)
        summary = Table("queue", "messages", "goes back to")
        for queue in queues:
            back = ", ".join(source.name for source in queue.sources) or "the function that follows the stream"
            summary.add_row(queue.name, f"{queue.count:,}", back)
        console.print(summary)
        for queue in queues:
            letters = _look_at(deployment, queue, most) if queue.count else []
            if not letters:
                continue
            shown = Table("message", "age", "kind", "why", title=queue.name)
            # The whole of an id, because redrive takes it.
            shown.columns[0].no_wrap = True
            for letter in letters:
                shown.add_row(letter.id, age(time.time() - letter.sent_at), kind_of(letter, names), why(letter))
            console.print(shown)
            oldest = max(time.time() - letter.sent_at for letter in letters)
            console.print(f"{queue.name}: the oldest of the {len(letters)} shown has waited for {age(oldest)}.")


@app.command("redrive")
def redrive(
    queue: Annotated[str, typer.Argument(help="The name of the queue, such as DeadLettersQueue.")],
    message: Annotated[
        list[str] | None, typer.Option("--message", help="Only this message, by its id; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = DEFAULT_STACK,
    local: LocalOption = 0,
) -> None:
    """Send messages back to where they came from. Mend the cause first: they fail again otherwise.

    A message is stored there before it is removed here, so that none is lost, whenever this is stopped; one that is
    then there twice changes nothing twice. Ends with 1 if some stayed.
    """
    console = Console(stderr=True)
    deployment = Deployment(stack, local)
    with _told_in_one_line():
        queues = find_queues(deployment)
        chosen = next((one for one in queues if one.name == queue), None)
        if chosen is None:
            raise typer.BadParameter(f"there is no such queue; there are {', '.join(one.name for one in queues)}")
        if not chosen.count:
            console.print(f"Nothing waits in {queue}.")
            return
        wanted = set(message or ())
        many = f"{len(wanted)} of the {chosen.count:,}" if wanted else f"{chosen.count:,}"
        if not yes and not typer.confirm(f"Send {many} messages of {queue} back?"):
            raise typer.Exit(SOME_STAYED)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("sent back", total=len(wanted) or chosen.count)
            outcome = send_back(deployment, chosen, wanted, lambda: progress.advance(task))
    console.print(f"{outcome.sent:,} sent back, {len(outcome.stayed):,} stayed.")
    for letter_id, reason in outcome.stayed.items():
        console.print(f"{letter_id}: {reason}", markup=False)
    for letter_id in sorted(wanted - outcome.met):
        console.print(
            f"{letter_id}: not found in {queue}; it may be held by somebody else for two minutes", markup=False
        )
    if outcome.stayed or wanted - outcome.met:
        raise typer.Exit(SOME_STAYED)


@dataclass
class Outcome:
    """`stayed` says by id why a message stays; `met` are the ids that were seen."""

    sent: int
    stayed: dict[str, str]
    met: set[str]


def find_queues(deployment: Deployment) -> list[Queue]:
    """Every dead-letter queue of the stack: what other queues name as theirs, and the places in streams."""
    client = deployment.client("sqs")
    urls = deployment.resources("AWS::SQS::Queue")
    answers = {
        name: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]) for name, url in sorted(urls.items())
    }
    told = {name: answer["Attributes"] for name, answer in answers.items()}
    sources: dict[str, list[Source]] = {}
    for name, attributes in told.items():
        target = json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        if target:
            sources.setdefault(target, []).append(Source(name, urls[name], attributes["QueueArn"]))
    return [
        Queue(
            name,
            urls[name],
            int(attributes["ApproximateNumberOfMessages"]),
            tuple(sources.get(attributes["QueueArn"], ())),
            _time_of(answers[name]),
        )
        for name, attributes in told.items()
        if attributes["QueueArn"] in sources or name == STREAM_PLACES
    ]


def _names(deployment: Deployment) -> dict[str, str]:
    """What the template calls the tables and functions, by what AWS calls them."""
    kinds = ("AWS::DynamoDB::Table", "AWS::Lambda::Function")
    return {physical: logical for kind in kinds for logical, physical in deployment.resources(kind).items()}


def why(letter: Letter) -> str:
    """What is known of why it waits here."""
    if letter.reason:
        return letter.reason
    body = _read(letter.body)
    context = body.get("requestContext") if isinstance(body, dict) else None
    if isinstance(context, dict) and context.get("condition"):
        return _word(context["condition"])
    return "failed too often" if letter.source_arn else "not said; see the log"


def kind_of(letter: Letter, names: Mapping[str, str]) -> str:
    """What a message is, in words that name nobody; `names` are what the template calls tables and functions."""
    body = _read(letter.body)
    if isinstance(body, list):
        return "a look at a record"
    if not isinstance(body, dict):
        return "not readable"
    if isinstance(body.get("letter"), str):
        return f"letter {_word(body['letter'])}"
    if "told" in body:
        return "a letter to be entered"
    if "DDBStreamBatchInfo" in body:
        place = _Place.of(body)
        if place is None:
            return "not readable"
        table, function = (names.get(one, "another stack's") for one in (place.table, place.function))
        return f"changes of {table} for {function}"
    if "eventType" in body or "notificationType" in body:
        return f"report {_word(body.get('eventType') or body.get('notificationType'))}"
    if "announcement" in body:
        return f"a change for {_word(body.get('recipient'))}"
    return next((kind for name, kind in _KINDS.items() if name in body), "another message")


_KINDS = {
    "Records": "a mail that arrived",
    "case": "a case to look at",
    "import": "part of an import",
    "import_id": "part of an import",
}
"""What a message is by a name in it, where nothing else has to be said."""


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def send_back(deployment: Deployment, queue: Queue, wanted: set[str], advance: Callable[[], object]) -> Outcome:
    """Send messages back, those in `wanted` or all. What comes meanwhile, because it failed again at once, stays."""
    client = deployment.client("sqs")
    outcome = Outcome(0, {}, set())
    kept, seen = [], set[str]()
    for letter in _received(client, queue):
        if letter.id in seen:
            # It came round again: everything that waited when we began has been met.
            kept.append(letter)
            break
        seen.add(letter.id)
        if (wanted and letter.id not in wanted) or letter.sent_at > queue.asked_at:
            kept.append(letter)
            continue
        outcome.met.add(letter.id)
        refusal = _replayed(deployment, letter) if not queue.sources else _sent(client, queue, letter)
        if refusal:
            outcome.stayed[letter.id] = refusal
            kept.append(letter)
        else:
            client.delete_message(QueueUrl=queue.url, ReceiptHandle=letter.handle)
            outcome.sent += 1
        advance()
        if wanted and wanted <= outcome.met:
            break
    _released(client, queue, kept)
    return outcome


def _sent(client: Any, queue: Queue, letter: Letter) -> str:
    """Why it could not be sent back; nothing where it was."""
    source = _source_of(queue, letter)
    if source is None:
        return "nothing says which queue it came from"
    try:
        client.send_message(QueueUrl=source.url, MessageBody=letter.body)
    except (BotoCoreError, ClientError) as error:
        return f"{source.name} does not take it ({_code(error)})"
    return ""


def _source_of(queue: Queue, letter: Letter) -> Source | None:
    """Where a message came from: its queue says it, or there is one only, or it can be seen by its kind."""
    for source in queue.sources:
        if source.arn == letter.source_arn or len(queue.sources) == 1:
            return source
    return next((source for source in queue.sources if source.name == _queue_for(_read(letter.body))), None)


def _queue_for(body: Any) -> str:
    """The queue that a message of this form is for, of those that DeadLettersQueue serves."""
    if isinstance(body, list):
        return "ReviewsQueue"
    if not isinstance(body, dict):
        return ""
    queues = {"told": "ReviewsQueue", "case": "CaseStepsQueue", "announcement": "AnnouncementsQueue"}
    return next((queue for name, queue in queues.items() if name in body), "LettersQueue")


# ---- Places in streams -----------------------------------------------------------------------------------


class _Place(NamedTuple):
    """Where in a stream the records are that a function could not follow."""

    function_arn: str
    stream_arn: str
    shard: str
    first: str
    last: str

    @classmethod
    def of(cls, body: Any) -> "_Place | None":
        try:
            info = body["DDBStreamBatchInfo"]
            return cls(
                str(body["requestContext"]["functionArn"]),
                str(info["streamArn"]),
                str(info["shardId"]),
                str(info["startSequenceNumber"]),
                str(info["endSequenceNumber"]),
            )
        except (KeyError, TypeError):
            return None

    @property
    def function(self) -> str:
        return self.function_arn.partition(":function:")[2].partition(":")[0]

    @property
    def table(self) -> str:
        return self.stream_arn.partition(":table/")[2].partition("/")[0]


_GONE = f"the stream keeps {STREAM_HOURS} hours, and this is older; docs/operations.md says what to do instead"


def _replayed(deployment: Deployment, letter: Letter) -> str:
    """Read the place from the stream and hand its records to the function; why that failed, or nothing."""
    place = _Place.of(_read(letter.body))
    if place is None:
        return "it names no place in a stream"
    if place.function not in deployment.resources("AWS::Lambda::Function").values():
        return "it names a function that is not of this stack"
    try:
        records = list(_records(deployment.client("dynamodbstreams"), place))
    except (BotoCoreError, ClientError) as error:
        if _code(error) in ("TrimmedDataAccessException", "ResourceNotFoundException"):
            return _GONE
        return f"the stream cannot be read ({_code(error)})"
    if not records:
        return _GONE
    client = deployment.client("lambda")
    for start in range(0, len(records), 100):
        try:
            answer = client.invoke(
                FunctionName=place.function,
                Payload=json.dumps({"Records": records[start : start + 100]}).encode(),
            )
        except (BotoCoreError, ClientError) as error:
            return f"the function cannot be called ({_code(error)})"
        if "FunctionError" in answer:
            return "the function failed again; its log says why"
    return ""


def _records(client: Any, place: _Place) -> Iterator[dict[str, Any]]:
    """The records of a place, in the form that functions get them."""
    iterator = client.get_shard_iterator(
        StreamArn=place.stream_arn,
        ShardId=place.shard,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=place.first,
    )["ShardIterator"]
    while iterator:
        answer = client.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > int(place.last):
                return
            yield _as_delivered(record, place.stream_arn)
            if record["dynamodb"]["SequenceNumber"] == place.last:
                return
        if not answer["Records"]:
            return
        iterator = answer.get("NextShardIterator")


def _as_delivered(record: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record as Lambda delivers it: with the stream's name, a time in seconds, and smaller first letters."""
    change = dict(record["dynamodb"])
    at = change.get("ApproximateCreationDateTime")
    if at is not None and not isinstance(at, int | float):
        change["ApproximateCreationDateTime"] = at.timestamp()
    delivered = {**record, "dynamodb": change, "eventSourceARN": stream_arn}
    identity = record.get("userIdentity")
    if identity:
        delivered["userIdentity"] = {name[:1].lower() + name[1:]: value for name, value in identity.items()}
    return delivered


# ---- Messages --------------------------------------------------------------------------------------------


def _look_at(deployment: Deployment, queue: Queue, most: int) -> list[Letter]:
    """Up to `most` messages, which others can have again at once."""
    client = deployment.client("sqs")
    letters: dict[str, Letter] = {}
    for letter in _received(client, queue):
        if letter.id in letters:
            break
        letters[letter.id] = letter
        if len(letters) >= most:
            break
    _released(client, queue, list(letters.values()))
    return sorted(letters.values(), key=lambda letter: letter.sent_at)[:most]


def _received(client: Any, queue: Queue) -> Iterator[Letter]:
    """Messages as they come, hidden from others for a while."""
    empty = 0
    while empty < _EMPTY_ANSWERS:
        found = client.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HELD_SECONDS,
            AttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        empty = 0 if found else empty + 1
        batch = [_letter(message) for message in found]
        while batch:
            try:
                yield batch.pop(0)
            except GeneratorExit:
                # Whoever has enough leaves the rest of the answer to others.
                _released(client, queue, batch)
                raise


def _letter(message: dict[str, Any]) -> Letter:
    attributes = message.get("Attributes", {})
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    return Letter(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        int(attributes.get("SentTimestamp", time.time() * 1000)) / 1000,
        reason,
        attributes.get("DeadLetterQueueSourceArn", ""),
    )


def _time_of(answer: Any) -> float:
    """When AWS answered, in whole seconds: what came in the same second is taken for what came later."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return time.time()


def _released(client: Any, queue: Queue, letters: list[Letter]) -> None:
    for letter in letters:
        client.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=letter.handle, VisibilityTimeout=0)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _word(value: Any) -> str:
    """A word of ours or of the mail service; anything else could be what somebody wrote."""
    text = str(value)
    return text if len(text) <= 30 and text.replace("_", "").replace("-", "").isalnum() else "of another kind"


def _code(error: BotoCoreError | ClientError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Ends the command with a line for people, and status 2, where AWS refuses."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"The queues cannot be read: {_code(error)}", err=True)
        raise typer.Exit(UNUSABLE) from None
