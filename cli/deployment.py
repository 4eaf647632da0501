"""A deployed stack, as the commands find it: by its CloudFormation outputs, in AWS or on this computer."""

import os
from functools import cached_property
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DEFAULT_STACK = "consent-center"

StackOption = Annotated[
    str, typer.Option("--stack", envvar="CONSENT_CENTER_STACK", help="The name of the CloudFormation stack.")
]
LocalOption = Annotated[
    int, typer.Option("--local", metavar="PORT", help="The local stack on this port instead of AWS, such as 8000.")
]


class Deployment:
    """`output` names what the template's Outputs name; `client` makes boto3 clients for the same account."""

    def __init__(self, stack: str = DEFAULT_STACK, local_port: int = 0) -> None:
        """`local_port` is the PORT of `make run`; 0 stands for AWS with the caller's own credentials."""
        self._stack, self._local_port = stack, local_port

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client."""
        return self._session.client(service, endpoint_url=self._endpoint, config=config)

    def output(self, name: str) -> str:
        """An output of the stack. Ends the program with one line for people if there is no such stack or output."""
        if name not in self._outputs:
            raise typer.BadParameter(f"the stack {self._stack} has no output {name}; deploy this version first")
        return self._outputs[name]

    def environment(self) -> dict[str, str]:
        """What the product's own adapters read from the environment: where AWS is, and for the local stack as whom."""
        found = {"AWS_REGION": str(self._session.region_name or "")}
        if self._endpoint is None:
            return {**os.environ, **found}
        return {
            **found,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @property
    def local_port(self) -> int:
        """The PORT of `make run`; 0 for AWS."""
        return self._local_port

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters that the stack was deployed with."""
        return {one["ParameterKey"]: one.get("ParameterValue", "") for one in self._described.get("Parameters", [])}

    def resources(self, kind: str) -> dict[str, str]:
        """Physical by logical id of the stack's resources of a kind, such as `AWS::DynamoDB::Table`."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == kind
        }

    @cached_property
    def _outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self._described.get("Outputs", [])}

    @cached_property
    def _described(self) -> dict[str, Any]:
        try:
            (stack,) = self.client("cloudformation").describe_stacks(StackName=self._stack)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            raise typer.BadParameter(f"the stack {self._stack} cannot be read: {type(error).__name__}") from None
        found: dict[str, Any] = stack
        return found

    @cached_property
    def _session(self) -> boto3.Session:
        if not self._local_port:
            return boto3.Session()
        # The local stack's owner; its profile on this computer has no say there.
        os.environ.pop("AWS_PROFILE", None)
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")

    @property
    def _endpoint(self) -> str | None:
        if not self._local_port:
            return None
        from local.emulator import port_for

        return f"http://127.0.0.1:{port_for(self._local_port)}"
