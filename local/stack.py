"""Starts and stops the whole local stack."""

import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.config

from local import deploy, emulator, layers, recipient, template
from local.authorizer import JwtAuthorizer
from local.emulator import Emulator
from local.errors import RefusedToStartError
from local.front_door import FrontDoor
from local.gallery import Gallery
from local.http_api import Routes
from local.installation import ROOT, interpreter
from local.issuer import AUDIENCE, Issuer
from local.mail_service import MailService
from local.mailbox import Mailbox
from local.recipient import DemoRecipients
from local.runtime_api import Function, FunctionPool
from local.state_folder import StateFolder

SESSION_SECONDS = 3600
LARGEST_LOG = 5 * 1024 * 1024
"""Bytes of a log that are carried over to the next run."""


def free_port() -> int:
    """A port on which a local stack can start now."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError):
                second.bind(("127.0.0.1", emulator.port_for(port)))
                third.bind(("127.0.0.1", recipient.port_for(port)))
                return port


def _nothing(_: str) -> None:
    """Tell nobody."""


class LocalStack:
    """The deployed template on this computer.

    After `start()`: `url` is where the HTTP API answers, `emulator_url` the AWS endpoint, `outputs` the stack's outputs
    by name, `resources` physical ids by logical id, `mailbox` the letters sent, `issuer` makes tokens.
    """

    def __init__(
        self,
        port: int,
        state: Path,
        fresh: bool = False,
        *,
        root: Path = ROOT,
        parameters: Mapping[str, str] | None = None,
        endpoints: Mapping[str, str] | None = None,
        recipients: bool = True,
        tell: Callable[[str], None] = _nothing,
    ) -> None:
        """`root` holds template.yaml, functions/ and layers/; `parameters` override the local values.

        `endpoints` are variables such as AWS_ENDPOINT_URL that send the functions somewhere else than to the emulator.
        With `recipients` two recipients of the policy are played, and asked by webhook; without, staff do it all.
        `tell` gets lines for the terminal: progress, and one per request.
        """
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.emulator_url = f"http://127.0.0.1:{emulator.port_for(port)}"
        self.outputs: dict[str, str] = {}
        self.resources: dict[str, str] = {}
        self.mailbox: Mailbox
        self.issuer: Issuer
        self._state = StateFolder(state)
        self._fresh = fresh
        self._root = root
        self._parameters = parameters or {}
        self._endpoints = endpoints or {}
        self._with_recipients = recipients
        self._recipients: DemoRecipients | None = None
        self._tell = tell
        self._access_log_lock = threading.Lock()
        self._pools: dict[str, FunctionPool] = {}
        self._door: FrontDoor | None = None
        self._emulator: Emulator | None = None
        self._session = boto3.Session()
        self._session_lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; after an error everything is stopped again.

        Raises RefusedToStartError before anything is touched (port taken, state not usable), LocalStackError else.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, the emulator last so that it keeps what was written."""
        door, self._door = self._door, None
        if door is not None:
            door.close()
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()
        recipients, self._recipients = self._recipients, None
        if recipients is not None:
            recipients.close()
        running, self._emulator = self._emulator, None
        if running is not None:
            running.stop()
        self._state.close()

    def client(self, service: str, role: str | None = None) -> Any:
        """A boto3 client on the emulator: as the account's owner, or with the rights of a role (its logical id)."""
        credentials = emulator.owner_credentials()
        if role is not None:
            credentials = {**credentials, **self._assume(self.resources[role])}
        endpoint = f"{self.url}/_local/sesv2" if service == "sesv2" else self.emulator_url
        # Creating clients is not safe in several threads at once.
        with self._session_lock:
            return self._session.client(
                service,
                endpoint_url=endpoint,
                config=botocore.config.Config(
                    retries={"mode": "standard", "max_attempts": 2}, s3={"addressing_style": "path"}
                ),
                **credentials,
            )

    def invoke(self, function: str, event: Any) -> Any:
        """Run a function (its logical id) with an event; raises FunctionError when it fails."""
        return json.loads(self._pools[function].invoke(json.dumps(event).encode()))

    def function_log_text(self) -> str:
        """Everything the functions of this and earlier runs have logged in this state folder."""
        logs = sorted((self._state.logs / "functions").glob("*.log"))
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)

    @property
    def access_log(self) -> Path:
        """The file with one line per request."""
        return self._state.logs / "access.log"

    @property
    def emulator_pid(self) -> int | None:
        """The emulator's process, for tests of crashes."""
        return self._emulator.pid if self._emulator else None

    def _start(self) -> None:
        emulator_python, runtime_python = interpreter("emulator"), interpreter("runtime")
        secret = secrets.token_urlsafe(32)
        self._door = FrontDoor(self.port, log=self._log_request, secret=secret)
        self._refuse_a_taken_port(emulator.port_for(self.port), "the emulator uses")
        if self._with_recipients:
            self._refuse_a_taken_port(recipient.port_for(self.port), "the demo recipients use")
        self._state.open(fresh=self._fresh)
        self._shorten_logs()
        self.issuer = Issuer(f"{self.url}/_local/issuer", self._state.issuer_key)
        self.mailbox = Mailbox(self._state.mailbox)
        read = template.load(self._root / "template.yaml", self._parameter_values(), deploy.CODE_ADDRESS)
        routes = Routes(read.routes)
        self._door.serve_local_pages(self.mailbox, self.issuer, _subscribe_path(read))
        self._tell("Starting the emulator")
        self._emulator = Emulator(
            emulator_python, emulator.port_for(self.port), self._state.emulator, self._state.logs,
            front_door=self.url, secret=secret,
        )  # fmt: skip
        self._emulator.start()
        if self._with_recipients and "RecipientConnectors" in read.parameters:
            self._recipients = DemoRecipients(self._recipient_keys(), recipient.port_for(self.port))
            self._door.serve_recipients(self._recipients)
        self._tell("Building the layers")
        layer_paths = layers.build_for(read, self._root / "layers", runtime_python)
        renders = [folder for folder in layer_paths.values() if (folder / "minijinja").is_dir()]
        if renders:
            self._door.serve_gallery(Gallery(self._root, runtime_python, renders))
        self._tell("Deploying the template")
        if deploy.deploy(read, self.client, self._state.deployed):
            self._emulator.snapshot()
        cloudformation = self.client("cloudformation")
        self.resources, self.outputs = deploy.resources(cloudformation), deploy.outputs(cloudformation)
        if {"MailBucket", "MailReportsTopic"} <= self.resources.keys():
            self._door.serve_mail(
                MailService(self.client, self.resources["MailBucket"], self.resources["MailReportsTopic"])
            )
        self._pools = self._make_pools(read, layer_paths, runtime_python)
        self._door.open(routes, self._pools, JwtAuthorizer(read.authorizers, self.issuer))
        threading.Thread(target=self._warm_up, args=(list(self._pools.values()),), daemon=True).start()

    def _recipient_keys(self) -> dict[str, str]:
        """The keys of the demo recipients, made once and kept where the functions read them."""
        client = self.client("secretsmanager")
        try:
            kept: dict[str, str] = json.loads(client.get_secret_value(SecretId=recipient.SECRET)["SecretString"])
        except client.exceptions.ResourceNotFoundException:
            kept = {name: recipient.new_secret() for name in recipient.NAMES}
            client.create_secret(Name=recipient.SECRET, SecretString=json.dumps(kept))
        return kept

    def _recipient_values(self) -> dict[str, str]:
        if not self._with_recipients:
            return {}
        url = f"http://127.0.0.1:{recipient.port_for(self.port)}"
        return {"RecipientSecrets": recipient.SECRET, "RecipientConnectors": recipient.connectors(url)}

    def _parameter_values(self) -> dict[str, str]:
        return {
            "PublicUrl": self.url,
            "JwtIssuer": self.issuer.url,
            "JwtAudience": AUDIENCE,
            "ScopePrefix": "consent.",
            "SenderDomain": "example.com",
            "AlarmAddress": "alarms@example.com",
            "StopMailAddress": "stop@example.com",
            "EventBus": "default",
            "MailReports": "on",
            "AudiencePurposes": "direct-marketing-email",
            # Everybody who tries the local stack comes from the same address.
            "SignUpsPerSource": "100000",
            **self._recipient_values(),
            **self._parameters,
        }

    def _make_pools(
        self, read: template.Template, layer_paths: Mapping[str, Path], python: Path
    ) -> dict[str, FunctionPool]:
        aws_lambda = self.client("lambda")
        (self._state.logs / "functions").mkdir(exist_ok=True)
        pools = {}
        for logical_id, properties in read.of_type("AWS::Lambda::Function").items():
            deployed = aws_lambda.get_function_configuration(FunctionName=self.resources[logical_id])
            # Later layers lie on top of earlier ones.
            own_layers = [layer_paths[layer["Ref"]] for layer in reversed(properties.get("Layers", []))]
            function = Function(
                logical_id=logical_id,
                name=deployed["FunctionName"],
                arn=deployed["FunctionArn"],
                handler=properties["Handler"],
                timeout=float(deployed.get("Timeout", 3)),
                memory=int(deployed.get("MemorySize", 128)),
                environment=deployed.get("Environment", {}).get("Variables", {}),
                python_path=tuple(own_layers),
            )
            pools[logical_id] = FunctionPool(
                function,
                python=python,
                code=self._root / "functions",
                log=self._state.logs / "functions" / f"{logical_id}.log",
                bytecode=self._state.bytecode,
                surroundings=self._surroundings_of(deployed["Role"].rpartition("/")[2]),
            )
        return pools

    def _surroundings_of(self, role: str) -> Callable[[], dict[str, str]]:
        """What AWS gives each process of a function: region, endpoints, and credentials of its role."""

        def surroundings() -> dict[str, str]:
            credentials = self._assume(role)
            return {
                "AWS_REGION": template.REGION,
                "AWS_DEFAULT_REGION": template.REGION,
                "AWS_ACCESS_KEY_ID": credentials["aws_access_key_id"],
                "AWS_SECRET_ACCESS_KEY": credentials["aws_secret_access_key"],
                "AWS_SESSION_TOKEN": credentials["aws_session_token"],
                "AWS_ENDPOINT_URL": self.emulator_url,
                "AWS_ENDPOINT_URL_SESV2": f"{self.url}/_local/sesv2",
                "AWS_EC2_METADATA_DISABLED": "true",
                # Not in the template: where people's data are, webhooks never lead inside.
                "RECIPIENTS_INSIDE": "on",
                **self._endpoints,
            }

        return surroundings

    def _assume(self, role: str) -> dict[str, str]:
        given = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{template.ACCOUNT}:role/{role}", RoleSessionName="local",
            DurationSeconds=SESSION_SECONDS,
        )["Credentials"]  # fmt: skip
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    @staticmethod
    def _warm_up(pools: list[FunctionPool]) -> None:
        for pool in pools:
            # A stack that stops meanwhile, or a function that cannot start, shows itself at its first call.
            with contextlib.suppress(Exception):
                pool.warm_up()

    def _log_request(self, line: str) -> None:
        with self._access_log_lock, self.access_log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d')} {line}\n")
        self._tell(line)

    def _shorten_logs(self) -> None:
        for log in self._state.logs.rglob("*.log"):
            if log.stat().st_size > LARGEST_LOG:
                log.unlink()

    @staticmethod
    def _refuse_a_taken_port(port: int, whose: str) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise RefusedToStartError(
                    f"Port {port}, which {whose} with this PORT, is taken by another program; "
                    "stop that one, or choose another PORT."
                ) from None


def _subscribe_path(read: template.Template) -> str | None:
    paths = {route.path for route in read.routes if route.method in ("GET", "ANY")}
    return next((path for path in ("/subscribe", "/") if path in paths), None)
