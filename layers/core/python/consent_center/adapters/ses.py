"""Letters by Amazon SES."""

from email.utils import formataddr

from botocore.exceptions import BotoCoreError, ClientError

from consent_center.adapters import aws
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.ports import Envelope

_NEVER = {
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "BadRequestException",
    "NotFoundException",
    "AccountSuspendedException",
}
"""Answers that a second try cannot change; AccountSuspended is among them because people have to act first."""


class SesMailer:
    def send(self, envelope: Envelope) -> None:
        try:
            aws.client("sesv2").send_email(
                FromEmailAddress=formataddr((envelope.sender_name, envelope.sender_address)),
                Destination={"ToAddresses": [envelope.to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": envelope.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": envelope.text, "Charset": "UTF-8"},
                            "Html": {"Data": envelope.html, "Charset": "UTF-8"},
                        },
                        "Headers": [{"Name": name, "Value": value} for name, value in envelope.headers.items()],
                    }
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            refused = LetterRefusedError if code in _NEVER else UnavailableError
            raise refused(f"send letter: {code}") from None
        except BotoCoreError as error:
            raise UnavailableError(f"send letter: {type(error).__name__}") from None
