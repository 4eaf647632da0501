"""Letters by Amazon SES."""

import base64
from email.utils import formataddr
from typing import Any

from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.ports.letters import Envelope

_NEVER = {
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "BadRequestException",
    "NotFoundException",
    "AccountSuspendedException",
}
"""Answers that a second try cannot change; AccountSuspended is among them because people have to act first."""


class SesMailer:
    def __init__(self, wire: Wire, configuration_set: str | None = None) -> None:
        self._wire, self._configuration_set = wire, configuration_set

    def send(self, envelope: Envelope) -> None:
        letter: dict[str, Any] = {
            "FromEmailAddress": formataddr((envelope.sender_name, envelope.sender_address)),
            "Destination": {"ToAddresses": [envelope.to]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": envelope.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": envelope.text, "Charset": "UTF-8"},
                        "Html": {"Data": envelope.html, "Charset": "UTF-8"},
                    },
                    "Headers": [{"Name": name, "Value": value} for name, value in envelope.headers.items()],
                }
            },
        }
        if envelope.attachments:
            letter["Content"]["Simple"]["Attachments"] = [
                {
                    "FileName": one.name,
                    "ContentType": one.media_type,
                    "ContentDisposition": "ATTACHMENT",
                    "ContentTransferEncoding": "BASE64",
                    "RawContent": base64.b64encode(one.content).decode(),
                }
                for one in envelope.attachments
            ]
        if self._configuration_set is not None:
            letter["ConfigurationSetName"] = self._configuration_set
        try:
            self._wire.post("/v2/email/outbound-emails", letter)
        except CallFailedError as error:
            refused = LetterRefusedError if error.code in _NEVER else UnavailableError
            raise refused(f"send letter: {error.code}") from None
