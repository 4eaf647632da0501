"""A brand's sign-up form as plain HTML for somebody's own site: it posts to our page, where nothing is stored yet."""

from collections.abc import Sequence

from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy, SignUpForm, Topic
from consent_center.texts import Texts


def embedded_form(
    form: SignUpForm,
    policy: Policy,
    texts: Texts,
    language: str,
    *,
    base_url: str,
    now: int,
    topics: Sequence[str] = (),
) -> str:
    """The form in a language, without scripts, styles or anything that is ticked; `now` in epoch milliseconds.

    It offers the topics that are named, or else all that are in use, and tells what Art. 13 GDPR wants told first.
    UnknownNameError for a topic that the form does not offer.
    """
    purpose = form.purpose
    written = texts.file(
        "sign_up_form.html",
        language,
        action=f"{base_url}/subscribe{form.brand.said(language)}",
        notice_url=f"{base_url}/notice{form.brand.said(language)}",
        controller=policy.controller(purpose.controller)["name"],
        purpose={"description": policy.text(purpose.description, language)},
        topics=[
            {
                "id": topic.id,
                "name": policy.text(topic.name, language),
                "description": policy.text(topic.description, language),
                "frequency": policy.sentence(topic.frequency, language),
            }
            for topic in _offered(form, topics)
        ],
        fields={
            name: {"required": row["required"], "consequence": policy.text(row["consequence"], language)}
            if (row := form.fields.get(name))
            else None
            for name in ("name", "company")
        },
        days=policy.pending_days(now),
        withdrawal_text=policy.text(purpose.withdrawal_text or {}, language),
    )
    # The engine escapes more than HTML asks for, and people are to read this.
    return written.replace("&#x2f;", "/")


def _offered(form: SignUpForm, named: Sequence[str]) -> list[Topic]:
    running = {topic.id: topic for topic in form.purpose.topics if not topic.retired}
    if not set(named) <= running.keys():
        raise UnknownNameError("topic")
    return [topic for name, topic in running.items() if not named or name in named]
