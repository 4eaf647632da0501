"""Reading mails: what says stop, who vouches for whom, and that no bytes whatever get in the way."""

import json
import time
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import LINKS, a_contact
from consent_center.domain.capability import LetterLink, seal_letter
from consent_center.domain.incoming import READ_BYTES, IncomingMail, StopWords, read_mail

WORDS = StopWords.of(
    json.loads(files("consent_center").joinpath("texts", "stop_words.json").read_bytes()), ("en", "da", "nb", "de")
)

TOKEN = seal_letter(LetterLink(a_contact(), "dm", ("pn", "ev"), 1, 1_800_000_000_000), LINKS)

PROVEN = (
    "Received: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x\n"
    "X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n"
    "Authentication-Results: amazonses.com; spf=pass (spfCheck: ok) client-ip=1; envelope-from=b@mail.example.com;"
    " dkim=fail header.i=@example.com; dmarc=pass header.from=example.com;\n"
)


def a_mail(text: str = "", *, subject: str = "Re: News", headers: str = "", top: str = PROVEN) -> IncomingMail:
    head = f"{top}From: Somebody <ada@example.com>\nTo: stop@example.com\nSubject: {subject}\n{headers}"
    return read_mail(f"{head}\n{text}\n".encode(), WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "Stop",
        "STOP!!!",
        "please stop, thanks",
        "Hi,\n\nplease unsubscribe me from this list.\n\nKind regards\nAda",
        "Unsubscribe.\n\nOn Mon, 3 Nov 2026, Fjordmeter wrote:\n> News",
        "I don’t want any more of this.",
        "Do not send me this.",
        "afmeld",
        "Hej, jeg vil gerne afmeldes. Afmeld mig venligst",
        "Jeg trækker mit samtykke tilbage",
        "Meld meg av, takk",
        "stopp",
        "Bitte abmelden",
        "Bitte melden Sie mich ab.",
        "I hereby withdraw my consent",
    ],
)
def test_people_say_stop_in_many_ways(text: str) -> None:
    assert a_mail(text).says_stop


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Thanks, great letter!",
        "Can you stop by our stand tomorrow?",
        "Please do not unsubscribe me.",
        "Never remove me, I like it",
        "Bitte nicht austragen",
        "What do you charge for a meter?\n\n> Stop here to read more",
        "Is this for heat meters?\n\n-- \nUnsubscribe Ltd\nStop",
        "Nice.\n\nDen 3. november skrev Fjordmeter:\nStop\n",
        "Nice.\n\nFrom: Fjordmeter\nSent: Monday\n\nunsubscribe",
        "one\ntwo\nthree\nfour\nfive\nstop",
    ],
)
def test_what_is_no_clear_stop_is_left_to_people(text: str) -> None:
    assert not a_mail(text).says_stop


def test_a_subject_counts_unless_it_is_that_of_the_letter() -> None:
    assert a_mail(subject="Unsubscribe").says_stop
    assert a_mail(subject="=?utf-8?b?QWZtZWxk?=").says_stop
    assert not a_mail("Thanks", subject="Re: Stop").says_stop


def test_a_mail_of_html_alone_is_read_without_what_it_quotes() -> None:
    html = "Content-Type: text/html; charset=utf-8\n"
    page = "<style>stop</style><p>Hello</p>{}<blockquote><p>unsubscribe me</p></blockquote>"

    assert a_mail(page.format("<div>please <b>unsubscribe</b> me</div>"), headers=html).says_stop
    assert not a_mail(page.format("<div>what is new?</div>"), headers=html).says_stop


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("iso-8859-1", "latin-1"), ("utf-16", "utf-16"), ("no-such-charset", "utf-8"), ("utf-8", "latin-1")],
)
def test_whatever_charset_a_mail_claims_it_is_read(charset: str, encoding: str) -> None:
    head = f"From: ada@example.com\nSubject: Re: x\nContent-Type: text/plain; charset={charset}\n\n"

    assert read_mail(head.encode() + "Stop\nblåbær".encode(encoding), WORDS).says_stop


def test_an_attachment_stays_shut() -> None:
    headers = "Content-Type: multipart/mixed; boundary=b\n"
    text = "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nStop\n--b--"

    assert not a_mail(text, headers=headers).says_stop


def test_a_token_is_found_in_subject_reply_headers_and_quoted_letter() -> None:
    folded = TOKEN[:60] + "=\n" + TOKEN[60:]
    quoted = "Content-Transfer-Encoding: quoted-printable\n"

    assert a_mail(subject=TOKEN).tokens_of_subject == (TOKEN,)
    assert a_mail(headers=f"References: <a@b> <{TOKEN}@example.com>\n").tokens == (TOKEN,)
    assert a_mail(headers=f"In-Reply-To: <{TOKEN}>\n").tokens == (TOKEN,)
    assert a_mail(f"> https://c.example.com/u/{folded}", headers=quoted).tokens == (TOKEN,)
    assert a_mail(f"https://scan.example/?url=https%3A%2F%2Fc.example.com%2Fu%2F{TOKEN}&data=1").tokens == (TOKEN,)
    assert a_mail(f"{TOKEN[:-1]}").tokens == ()
    assert a_mail("Stop").tokens == ()


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated; x=y\n",
        "Precedence: bulk\n",
        "X-Autoreply: yes\n",
        "Return-Path: <>\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
    ],
)
def test_what_a_computer_wrote_is_known_by_its_headers(headers: str) -> None:
    assert a_mail("Stop", headers=headers).is_automatic


@pytest.mark.parametrize("subject", ["Out of office: Re: News", "Automatisk svar: Nyt", "Abwesenheitsnotiz"])
def test_an_absence_is_known_by_its_subject(subject: str) -> None:
    assert a_mail("Stop", subject=subject).is_automatic


def test_what_a_person_wrote_is_not_automatic() -> None:
    assert not a_mail("Stop", headers="Auto-Submitted: no\nPrecedence: normal\n").is_automatic


def results(text: str) -> str:
    return f"Authentication-Results: {text}\n"


@pytest.mark.parametrize(
    "top",
    [
        "",
        results("mx.example.net; dmarc=pass header.from=example.com"),
        results("amazonses.com; dmarc=fail header.from=example.com; spf=pass envelope-from=b@example.org"),
        results("amazonses.com; dmarc=pass header.from=notexample.com"),
        results("amazonses.com; dkim=pass header.i=@example.com.evil.example"),
        results("amazonses.com; spf=pass (dmarc=pass header.from=example.com) envelope-from=b@example.org"),
        results("amazonses.com; dmarc=fail header.from=example.com") + PROVEN,
    ],
)
def test_a_sender_that_nobody_proved_is_not_vouched_for(top: str) -> None:
    assert not a_mail("Stop", top=top).is_vouched_for


@pytest.mark.parametrize(
    "top",
    [
        PROVEN,
        PROVEN + results("amazonses.com; dmarc=fail header.from=example.com"),
        results("amazonses.com; dmarc=none; dkim=pass header.i=@example.com"),
        results("amazonses.com; dmarc=none; spf=pass (ok) envelope-from=ada@example.com"),
    ],
)
def test_the_first_results_count_and_any_proof_of_the_very_domain_does(top: str) -> None:
    assert a_mail("Stop", top=top).is_vouched_for


def test_nobody_vouches_for_two_senders() -> None:
    raw = f"{PROVEN}From: ada@example.com, grace@example.com\n\nStop".encode()

    assert not read_mail(raw, WORDS).is_vouched_for


def test_virus_and_spam_are_as_the_receiving_service_says() -> None:
    assert a_mail(top="X-SES-Virus-Verdict: FAIL\n").verdict == "virus"
    assert a_mail(top="X-SES-Spam-Verdict: FAIL\n").verdict == "spam"
    assert a_mail(top="X-SES-Spam-Verdict: GRAY\n").verdict is None


HEADERS = st.sampled_from(
    ["From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "Authentication-Results", "References"]
)
VALUES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "multipart/mixed; boundary=b",
            "text/plain; charset=\x00",
            "base64",
            "=?x?q?=FF?=",
            "message/rfc822",
            "((((",
            ",;<@>",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(headers=st.lists(st.tuples(HEADERS, VALUES), max_size=8), body=st.binary(max_size=400))
def test_no_bytes_make_reading_fail(headers: list[tuple[str, str]], body: bytes) -> None:
    head = "".join(f"{name}: {value}\n" for name, value in headers).encode("utf-8", "surrogatepass")
    mail = read_mail(head + b"\n" + body + b"\n--b\n\n" + body, WORDS)

    assert not mail.is_vouched_for or len(mail.senders) == 1
    assert repr(mail) == "IncomingMail(…)"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=1000))
def test_no_bytes_at_all_make_reading_fail(raw: bytes) -> None:
    read_mail(raw, WORDS)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b"(" * READ_BYTES,
        b"Content-Type: " + b"(" * READ_BYTES,
        b"Content-Type: text/plain; x*0*=" + b"a;x*1=" * 40_000,
        b"Subject: " + b"=?utf-8?q?a?= " * 20_000,
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 5_000),
        b"To: " + b"a@b.c," * 40_000,
        b"\n" + b"a" * READ_BYTES,
        b"Content-Type: text/html\n\n" + b"<blockquote>" * 20_000,
    ],
    ids=range(8),
)
def test_a_hostile_mail_is_read_in_little_time(raw: bytes) -> None:
    started = time.process_time()
    read_mail(raw, WORDS)

    assert time.process_time() - started < 2
