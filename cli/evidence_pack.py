"""What an evidence pack holds, made from a chain as it is stored. Knows no service: everything comes as arguments."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain as chain_of
from pathlib import Path
from typing import IO, Any, NamedTuple

from cli.ledger import EXPORT_VERSION, PUBLIC_KEY, expected, leaves_in, read_export, read_seals, signature_check
from consent_center.domain.chain import Entry, Payload, evidence_id
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnavailableError, UnknownNameError
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Period, Policy
from consent_center.domain.receipt import receipt, signed, signing_input
from consent_center.domain.replay import Answer, Question, Replay, answers, epoch_ms
from consent_center.domain.retention import Keeping, Plan, plan, reasons
from consent_center.domain.subject import Subject, timestamp
from consent_center.domain.told import TOLD
from consent_center.domain.verifier import Fault, Finding, Report, verify_ledger
from consent_center.ports.evidence import Signer
from consent_center.ports.people import End, Holdings
from consent_center.texts import Texts

MOST_SHOWN = 500
"""Events on the cover page, the newest ones; the files hold all of them."""

PACK_VERSION = 1

LEDGER, DATA, COVER, CHECKS, MANIFEST, README = (
    *("ledger.ndjson", "data.json", "index.html", "verification.json", "manifest.json", "README.txt"),
)


class Kept(NamedTuple):
    """The personal details of one event as they are stored, with their end."""

    seq: int
    payload: Payload
    end: End | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the past: from `since` through `until` (epoch milliseconds); `seq` is what a letter names."""

    question: Question
    since: int
    until: int
    seq: int | None = None


@dataclass
class Case:
    """Everything that a pack is made from. `lines` and `payloads` begin anew at each call; `now` in epoch ms."""

    address: str
    controller: str
    held: Holdings
    other_keys: Sequence[str]
    """Ids of other peppers under which something is stored about the address too."""
    lines: Callable[[], Iterable[str]]
    payloads: Callable[[], Iterable[Kept]]
    policy: Policy
    notice: Callable[[str, str], bytes | None]
    """The text of an edition in a language, if there is one."""
    seals: Path
    """A folder as `ledger fetch-seals` fills it."""
    signer: Signer | None
    base_url: str
    now: int
    undo_ms: int
    language: str
    asked: Asked | None = None


@dataclass
class _Row:
    """An event as the cover page shows it."""

    entry: Entry
    changes: list[dict[str, str]]
    payload: Payload | None
    keeping: Keeping
    end: End | None
    receipt: str | None
    is_signed: bool
    ended_by: list[str] = field(default_factory=list)


class Archive:
    """A ZIP that only its owner can read, and that is there whole or not at all. Hashes what it takes."""

    def __init__(self, file: IO[bytes], at: int) -> None:
        """`at` is the time (epoch milliseconds) that its files bear."""
        self._made = datetime.fromtimestamp(at / 1000, UTC).timetuple()[:6]
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self.hashes: dict[str, str] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        info = zipfile.ZipInfo(name, self._made)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        self.hashes[name] = digest.hexdigest()

    def close(self) -> None:
        self._zip.close()


@contextmanager
def archive_at(to: Path, at: int) -> Iterator[Archive]:
    """A new archive at `to`: it appears when all went well, and nothing is left when not."""
    number, part = tempfile.mkstemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent)
    try:
        with os.fdopen(number, "wb") as file:
            archive = Archive(file, at)
            try:
                yield archive
            finally:
                archive.close()
            file.flush()
            os.fsync(file.fileno())
        # A link, because it never takes the place of a pack that appeared meanwhile.
        os.link(part, to)
    finally:
        Path(part).unlink(missing_ok=True)


def make(case: Case, archive: Archive, texts: Texts, site: Mapping[str, Any]) -> bool:
    """Fill an archive; whether everything in it holds."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as ledger:
        return _Making(case, archive, ledger).run(texts, site)


class _Making:
    def __init__(self, case: Case, archive: Archive, ledger: IO[str]) -> None:
        self._case, self._archive, self._ledger = case, archive, ledger
        self._subject = case.held.subject
        self._notices: dict[tuple[str, str], str] = {}
        self._spoilt: list[Finding] = []
        self._signer = case.signer
        self._rows: deque[_Row] = deque(maxlen=MOST_SHOWN)
        self._count = self._bare = 0
        self._header: dict[str, Any] = {}

    def run(self, texts: Texts, site: Mapping[str, Any]) -> bool:
        case = self._case
        self._copy_ledger()
        found = self._plan()
        answered = self._answers()
        # Without a name, so that nothing of a person stays behind when the command is killed.
        with tempfile.TemporaryFile() as data:
            self._write_data(data, found)
            self._archive.add(DATA, _chunks(data))
        self._ledger.seek(0)
        self._archive.add(LEDGER, (line.encode() for line in self._ledger))
        self._add_seals()
        report = self._verify()
        self._archive.add(
            CHECKS, [_pretty({"holds": report.holds, **asdict(report), "not_checked": self._not_checked(report)})]
        )
        self._archive.add(README, [_README.encode()])
        context = self._cover(found, report, answered)
        self._archive.add(COVER, [texts.page("evidence", case.language, site=site, **context).encode()])
        manifest = {"pack": PACK_VERSION, "made_at": timestamp(case.now), "sha256": self._archive.hashes}
        self._archive.add(MANIFEST, [_pretty(manifest)])
        return report.holds

    def _copy_ledger(self) -> None:
        chain = self._subject.chain
        today = timestamp(self._case.now)[:10]
        lines = iter(self._case.lines())
        first = next(lines, None)
        since = _day_in(first) or today
        header: dict[str, Any] = {
            "export": EXPORT_VERSION,
            "from": since,
            "through": today,
            "chains": [chain] if chain else [],
        }
        self._header = header
        self._ledger.write(json.dumps(header) + "\n")
        for line in chain_of([first] if first is not None else [], lines):
            self._ledger.write(line + "\n")

    def _entries(self) -> Iterator[Entry]:
        """The entries once more, each as it is stored; what is no entry at all is left to the verifier."""
        self._ledger.seek(0)
        for one in read_export(self._ledger, Path(LEDGER)):
            entry = Entry(one.body, one.hash)
            try:
                is_readable = (entry.chain, entry.seq) == (one.chain, one.seq) and epoch_ms(entry.at) >= 0
                is_readable = is_readable and isinstance(entry.kind, str)
            except (KeyError, ValueError, TypeError):
                continue
            if is_readable:
                yield entry

    def _plan(self) -> Plan:
        last_sends: dict[str, int] = {}
        for (purpose, _), at in self._case.held.last_sends.items():
            last_sends[purpose] = max(at, last_sends.get(purpose, 0))
        case = self._case
        return plan(self._subject, self._entries(), last_sends, case.policy, case.now, case.undo_ms)

    def _answers(self) -> list[Answer]:
        asked = self._case.asked
        if asked is None:
            return []
        replay = Replay(self._subject.contact, self._case.policy)
        return answers(self._entries(), replay, asked.question, asked.since, asked.until)

    def _write_data(self, data: IO[bytes], found: Plan) -> None:
        """All that is stored about the person, and on the way a receipt for each event."""
        case, subject, held = self._case, self._subject, self._case.held
        profile = held.profile
        head = {
            "pack": PACK_VERSION,
            "made_at": timestamp(case.now),
            "address": case.address,
            "controller": case.controller,
            "policy": case.policy.hash,
            "contact_point": {"channel": subject.contact.channel, "key": subject.contact.key_id},
            "also_under_keys": list(case.other_keys),
            "state": _state(subject, found.state) if subject.chain or subject.requested else None,
            "profile": {
                "address": profile.address.mailable,
                "name": profile.name,
                "company": profile.company,
                "interests": list(profile.interests),
                "language": profile.language,
                "kept": found.profile._asdict(),
            }
            if profile
            else None,
            "requests": [
                {
                    "purpose": one.purpose,
                    "topics": list(one.topics),
                    "language": one.language,
                    "notice": one.notice,
                    "source": one.source,
                    "address": one.address.mailable,
                    "name": one.name,
                    "company": one.company,
                    "interests": list(one.interests),
                    "requested_at": timestamp(one.requested_at),
                    "expires_at": one.expires_at,
                }
                for one in held.requests
                if one.expires_at * 1000 > case.now
            ],
            "sends": [
                {"purpose": purpose, "channel": channel, "last_at": timestamp(at)}
                for (purpose, channel), at in sorted(held.last_sends.items())
            ],
        }
        data.write(_pretty(head).rstrip().removesuffix(b"}").rstrip() + b',\n  "payloads": [')
        payloads = iter(case.payloads() if subject.chain else ())
        kept = next(payloads, None)
        separator = b"\n"
        open_givings: dict[str, _Row] = {}
        for entry in self._entries():
            while kept is not None and kept.seq < entry.seq:
                kept = next(payloads, None)
            mine = kept if kept is not None and kept.seq == entry.seq else None
            keeping = found.payloads.get(entry.seq, found.state)
            self._add_row(entry, mine, keeping, open_givings)
            if mine is None:
                continue
            row = {
                "event": entry.evidence,
                "salt": mine.payload.salt,
                "content": dict(mine.payload.content),
                "circumstances": dict(mine.payload.circumstances) if mine.payload.circumstances else None,
                "expires_at": mine.end.at if mine.end else None,
                "rule": mine.end.rule if mine.end else None,
                "kept": keeping._asdict(),
            }
            data.write(separator + b"    " + json.dumps(row, ensure_ascii=False).encode())
            separator = b",\n"
        data.write(b"\n  ]\n}\n")

    def _add_row(self, entry: Entry, kept: Kept | None, keeping: Keeping, open_givings: dict[str, _Row]) -> None:
        self._count += 1
        self._bare += kept is None
        payload = kept.payload if kept else None
        if payload is not None and not (
            payload.commitment == entry.body.get("commitment") and payload.circumstances_hold
        ):
            self._spoilt.append(Finding(Fault.ALTERED, entry.at[:10], entry.chain, entry.seq))
        self._add_notice(entry)
        changes = self._changes(entry)
        name, is_signed = self._add_receipt(entry, payload)
        row = _Row(entry, changes, payload, keeping, kept.end if kept else None, name, is_signed)
        for change in changes:
            before = open_givings.pop(change["scope"], None)
            if before is not None and entry.evidence not in before.ended_by:
                before.ended_by.append(entry.evidence)
            if DecisionState(change["state"]).permits:
                open_givings[change["scope"]] = row
        self._rows.append(row)

    def _changes(self, entry: Entry) -> list[dict[str, str]]:
        found = []
        for change in entry.body.get("changes", ()):
            try:
                state = str(DecisionState(change["after"]))
                for topic in change.get("topics") or [None]:
                    scope = f"{change['purpose']}/{topic or ''}/{change['channel']}"
                    found.append({"scope": scope, "name": self._name(str(change["purpose"]), topic), "state": state})
            except (KeyError, ValueError, TypeError):
                continue
        return found

    def _name(self, purpose_id: str, topic: str | None) -> str:
        policy, language = self._case.policy, self._case.language
        try:
            purpose = policy.purpose(purpose_id)
            name = policy.text(purpose.name, language)
            return f"{name}: {policy.text(purpose.topic(topic).name, language)}" if topic else name
        except UnknownNameError:
            return f"{purpose_id} {topic or ''}".strip()

    def _add_notice(self, entry: Entry) -> None:
        version, language = entry.body.get("notice"), entry.body.get("language")
        if not isinstance(version, str) or (version, str(language)) in self._notices:
            return
        text = self._case.notice(version, str(language))
        case = self._case
        if text is not None and entry.body.get("notice_hash") != case.policy.notice_hash(
            version, str(language), case.controller
        ):
            # Not the edition that was shown: better none than another one.
            text = None
        name = f"notices/{version}.{language}.json" if text is not None and _is_plain(f"{version}.{language}") else ""
        if text is not None and name:
            self._archive.add(name, [text])
        self._notices[version, str(language)] = name

    def _add_receipt(self, entry: Entry, payload: Payload | None) -> tuple[str | None, bool]:
        case = self._case
        language = case.policy.spoken(str(entry.body.get("language") or self._subject.language))
        try:
            document = receipt(case.policy, entry, payload, language=language, base_url=case.base_url)
        except (UnknownNameError, KeyError, ValueError, TypeError):
            return None, False
        content, is_signed = _pretty(document), False
        if self._signer is not None:
            try:
                signing = signing_input(document, self._signer.key_id)
                content, is_signed = signed(document, signing, self._signer.sign(signing)), True
            except UnavailableError:
                # Whoever may not sign may not sign the next one either.
                self._signer = None
        name = f"receipts/receipt-{entry.seq}.json"
        if name in self._archive.hashes:
            # Two entries claim this place, as the verifier says too.
            return None, False
        self._archive.add(name, [content])
        return name, is_signed

    def _add_seals(self) -> None:
        for file in sorted(one for one in self._case.seals.rglob("*") if one.is_file()):
            name = file.relative_to(self._case.seals).as_posix()
            with file.open("rb") as content:
                self._archive.add(name if name == PUBLIC_KEY else f"seals/{name}", _chunks(content))

    def _verify(self) -> Report:
        self._ledger.seek(0)
        chains = self._header["chains"]
        entries = read_export(self._ledger, Path(LEDGER))
        holds = signature_check(self._case.seals / PUBLIC_KEY)
        seals, leaves = read_seals(self._case.seals), leaves_in(self._case.seals)
        report = verify_ledger(entries, seals, leaves, holds, expected(self._header), chains)
        report.findings += self._spoilt
        if self._subject.chain is not None and self._newest_hash() != self._subject.head:
            report.findings.append(Finding(Fault.MISSING, None, self._subject.chain, self._subject.seq))
        return report

    def _newest_hash(self) -> str | None:
        newest = None
        for entry in self._entries():
            newest = entry.hash
        return newest

    def _not_checked(self, report: Report) -> list[str]:
        found = ["whether any seal was replaced before it was fetched: compare with a copy kept elsewhere"]
        if report.unsealed:
            found.append(f"{report.unsealed} entries of days that are not sealed yet")
        if not report.seals:
            found.append("seals: there is none that covers these entries")
        if self._bare:
            found.append(f"personal details of {self._bare} entries: they are gone, and what is left names nobody")
        return found

    def _cover(self, found: Plan, report: Report, answered: Sequence[Answer]) -> dict[str, Any]:
        case, subject = self._case, self._subject
        asked = case.asked
        shown = {row.entry.evidence for row in self._rows}
        return {
            "address": case.address,
            "made_at": case.now // 1000,
            "chain": subject.chain or "",
            "holds_anything": bool(subject.chain or subject.requested or case.held.profile or case.held.requests),
            "other_keys": list(case.other_keys),
            "events": [self._event(row) for row in reversed(self._rows)],
            "left_out": self._count - len(self._rows),
            "standing": [
                {
                    "name": self._name_of_code(code),
                    "state": str(decided.state),
                    "at": decided.at // 1000,
                    "until": decided.valid_until,
                    **_pointer(subject.chain or "", decided.seq, shown),
                }
                for code, decided in sorted(subject.decided.items())
            ],
            "sends": [
                {"name": self._name(purpose, None), "at": at // 1000}
                for (purpose, _), at in sorted(case.held.last_sends.items())
            ],
            "requests": [
                {"name": self._name(one.purpose, None), "at": one.requested_at // 1000, "until": one.expires_at}
                for one in case.held.requests
                if one.expires_at * 1000 > case.now
            ],
            "record_kept": self._kept(found.state),
            "profile_kept": self._kept(found.profile) if case.held.profile else None,
            "check": {
                "holds": report.holds,
                "entries": report.entries,
                "seals": report.seals,
                "unsealed": report.unsealed,
                "through": report.sealed_through or "",
                "findings": [
                    {"words": str(one.fault), **_pointer(one.chain or "", one.seq or 0, shown), "day": one.day or ""}
                    for one in report.findings
                ],
            },
            "question": self._question(asked, answered, report, shown) if asked else None,
            "files": [{"name": name, "url": name} for name in (DATA, LEDGER, CHECKS, MANIFEST, README, PUBLIC_KEY)],
        }

    def _question(self, asked: Asked, answered: Sequence[Answer], report: Report, shown: set[str]) -> dict[str, Any]:
        question = asked.question
        words = {row.entry.evidence: row for row in self._rows}
        return {
            "about": self._name(question.purpose.id, question.topic),
            "since": asked.since // 1000,
            "until": asked.until // 1000,
            "is_broken": not report.holds,
            "letter_names": evidence_id(self._subject.chain, asked.seq) if self._subject.chain and asked.seq else "",
            "answers": [
                {
                    "at": one.at // 1000,
                    "verdict": str(one.verdict) if report.holds else "unknown",
                    "reason": str(one.reason),
                    "wording": _wording(words[one.evidence].payload) if one.evidence in words else [],
                    **_pointer_to(one.evidence, shown),
                }
                for one in answered
            ],
        }

    def _event(self, row: _Row) -> dict[str, Any]:
        entry, body = row.entry, row.entry.body
        version, language = body.get("notice"), body.get("language")
        return {
            "number": entry.seq,
            "evidence": entry.evidence,
            "at": epoch_ms(entry.at) // 1000,
            "kind": entry.kind,
            "changes": row.changes,
            "told": str(body.get("follows") or body.get("about") or "") if entry.kind == TOLD else "",
            "preferences": [f"{key}: {json.dumps(value)}" for key, value in body.get("preferences", {}).items()],
            "source": str(body.get("source") or ""),
            "collection": str(body.get("collection") or ""),
            "asked": _asked(row.payload),
            "wording": _wording(row.payload),
            "wording_hash": str(body.get("wording_hash") or ""),
            "wording_language": str(language or self._case.language),
            "notice": str(version or ""),
            "notice_url": self._notices.get((str(version), str(language)), ""),
            "ended_by": row.ended_by,
            "has_details": row.payload is not None,
            "kept": self._kept(row.keeping),
            "receipt_url": row.receipt or "",
            "is_signed": row.is_signed,
            "is_as_then": body.get("policy_hash") in (self._case.policy.hash, None),
        }

    def _kept(self, keeping: Keeping) -> dict[str, Any]:
        found = reasons(keeping, self._case.policy, self._case.language)
        return {
            "why": str(found.why),
            "until": found.until,
            "rule": found.name or "",
            "rule_id": found.rule or "",
        }

    def _name_of_code(self, code: str) -> str:
        against = OBJECTIONS.get(code)
        if against is not None:
            return self._name("*", against.value)
        try:
            scope = self._case.policy.scope_by_code(code)
        except (UnknownNameError, ValueError):
            return code
        return self._name(scope.purpose, scope.topic)


def _state(subject: Subject, keeping: Keeping) -> dict[str, Any]:
    return {
        "version": subject.version,
        "chain": subject.chain,
        "seq": subject.seq,
        "head": subject.head,
        "language": subject.language,
        "locks": list(subject.locks),
        "decided": {
            code: {
                "state": str(decided.state),
                "at": timestamp(decided.at),
                "entry": evidence_id(subject.chain or "", decided.seq),
                "valid_until": decided.valid_until,
            }
            for code, decided in sorted(subject.decided.items())
        },
        "requested": dict(subject.requested),
        "preferences": {
            key: {"paused_until": one.paused_until, "at_most_every": _period(one.at_most_every)}
            for key, one in subject.preferences.items()
        },
        "kept": keeping._asdict(),
    }


def _period(period: Period | None) -> str | None:
    return str(period) if period else None


def _pointer(chain: str, seq: int, shown: set[str]) -> dict[str, str]:
    return _pointer_to(evidence_id(chain, seq) if chain and seq else None, shown)


def _pointer_to(evidence: str | None, shown: set[str]) -> dict[str, str]:
    """The entry that a statement is traced to, and where it stands: on the page, or in the file."""
    if evidence is None:
        return {"evidence": "", "entry_url": ""}
    seq = evidence.rpartition(".")[2]
    return {"evidence": evidence, "entry_url": f"#event-{seq}" if evidence in shown else LEDGER}


def _asked(payload: Payload | None) -> list[str]:
    """What staff attested, where the person asked them: how and when, who attests it, and what shows it."""
    asked = payload.content.get("asked") if payload else None
    if not asked:
        return []
    proof = asked.get("proof")
    return [
        f"{asked['method']}, {timestamp(asked['collected_at'])}",
        str(asked["attested_by"]),
        *([str(asked["reference"])] if asked.get("reference") else []),
        *([f"{proof['media_type']}, SHA-256 {proof['sha256']}"] if proof else []),
    ]


def _wording(payload: Payload | None) -> list[str]:
    return [str(one) for one in payload.content.get("wording", ())] if payload else []


def _day_in(line: str | None) -> str | None:
    """The day of an exported entry; None where it says none."""
    try:
        at = json.loads(json.loads(line or "")["body"])["at"]
        return datetime.fromisoformat(at).astimezone(UTC).date().isoformat()
    except (ValueError, KeyError, TypeError):
        return None


def _is_plain(name: str) -> bool:
    """Whether a text from an entry may be part of a file's name."""
    return name.replace("-", "").replace(".", "").isalnum() and name.isascii() and ".." not in name


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(1 << 20):
        yield chunk


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


_README = """\
Evidence pack of Consent Center
===============================

index.html          what is held about one person, in words; each row names the entry that it is traced to
data.json           all that is stored: state, profile, requests, sends, personal details with their ends and rules
ledger.ndjson       the person's chain of evidence, exactly as stored
receipts/           a receipt for each event (ISO/IEC TS 27560); signed where it has "jws"
notices/            the editions of the privacy notice that the entries name
seals/              the seals of the days of these entries, and their lists
public-key.pem      the public half of the key that signs seals and receipts
verification.json   what the verifier found when the pack was made
manifest.json       the SHA-256 of every other file

To verify without a network, unpack the file and run in its folder:

  cli/consentctl ledger verify ledger.ndjson seals --key public-key.pem

Compare public-key.pem with a copy that was kept elsewhere since the first seal. The lists in seals/leaves also hold the
hashes of entries of others; nothing can be read from these about anybody.

To check a seal by openssl alone:

  python3 -c 'import base64, json, sys; file = json.load(open(sys.argv[1])); \\
    open("seal.bin", "w").write(json.dumps(file["seal"], sort_keys=True, separators=(",", ":"))); \\
    open("seal.sig", "wb").write(base64.b64decode(file["signature"]))' seals/seals/DAY.json
  openssl dgst -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64 -verify public-key.pem \\
    -signature seal.sig seal.bin

To check a file against the manifest:

  sha256sum FILE
"""
