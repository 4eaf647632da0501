"""Writes the notice that people read (GDPR Art. 13 and 14) from the policy and the wording of a language."""

import re
from typing import Any

from policy_compiler import build, periods

Document = dict[str, Any]
Block = dict[str, Any]


def render(data: Document, wording: Document, language: str, version: str) -> Document:
    """The notice of `version` in `language`: title and sections of paragraphs, lists and tables."""
    return Writer(data, wording, language, version).notice()


def tellers(data: Document) -> list[str | None]:
    """Who has a notice of their own: each controller where there are several, and else nobody needs to be named."""
    return list(data["controllers"]) if len(data["controllers"]) > 1 else [None]


def of_controller(data: Document, controller: str | None) -> Document:
    """The policy as one of several controllers tells it: its own purposes, and what they use; None for all of it.

    Authorities are those of all countries, because people complain where they live.
    """
    if controller is None:
        return data
    purposes = {key: row for key, row in data["purposes"].items() if row["controller"] == controller}
    living = [row for row in purposes.values() if not row.get("retired")]

    def used(kind: str) -> Document:
        named = {one for row in living for one in row[kind]}
        return {key: row for key, row in data[kind].items() if key in named}

    categories = used("categories")
    types = {one for row in (*living, *categories.values()) for one in row["data_types"]}
    mine = {rule for row in living for rule in named_rules(row)}
    others = {rule for row in data["purposes"].values() for rule in named_rules(row)} - mine
    return {
        **data,
        "controllers": {controller: data["controllers"][controller]},
        "brands": {key: row for key, row in data["brands"].items() if row["controller"] == controller},
        "purposes": purposes,
        "categories": categories,
        "data_types": {key: row for key, row in data["data_types"].items() if key in types},
        "sources": used("sources"),
        "recipients": used("recipients"),
        "retention_rules": {key: row for key, row in data["retention_rules"].items() if key not in others},
    }


def named_rules(purpose: Document) -> set[str]:
    """The ids of all retention rules that a purpose names."""
    default, by_jurisdiction = build.rules_of(purpose)
    return {default, *by_jurisdiction.values()}


def filled(phrase: str, words: dict[str, str]) -> str:
    """`phrase` with its {placeholders} replaced; a value is never searched for placeholders itself."""
    return re.sub(r"\{([a-z_]+)\}", lambda found: words[found.group(1)], phrase)


def paragraph(text: str) -> Block:
    return {"kind": "paragraph", "text": text}


def points(items: list[str]) -> Block:
    return {"kind": "list", "items": items}


def table(head: list[str], rows: list[list[str]]) -> Block:
    return {"kind": "table", "head": head, "rows": rows}


class Writer:
    """A policy in the words of one language; `version` is the edition whose notice is written."""

    def __init__(self, data: Document, wording: Document, language: str, version: str) -> None:
        self._data = data
        self._wording = wording
        self._labels = wording["labels"]
        self._language = language
        self._version = version
        self._published_on = data["notices"][version]["published_on"]
        # What is retired is no longer done, so the notice no longer tells of it.
        self._purposes = {key: row for key, row in data["purposes"].items() if not row.get("retired")}
        self._words = self._global_words()

    def notice(self) -> Document:
        sections = [
            self._section("who", [points(self._identity(one)) for one in self._data["controllers"].values()]),
            self._section("officer"),
            self._section("categories", [self._categories()]),
            self._section("purposes", [self._overview()]),
            *(self._purpose(key, row) for key, row in self._purposes.items()),
            self._section("data", [self._data_types()]),
            self._section("sources", [self._sources()]),
            self._section("recipients", [self._recipients()] if self._data["recipients"] else []),
            self._section("retention", [self._retention()]),
            self._section("withdrawal"),
            *self._objection(),
            self._section("rights", [points([self._fill(one) for one in self._wording["sections"]["rights"]["list"]])]),
            *self._profiling(),
            self._section("complaint", [self._authorities()]),
            self._section("changes"),
            self._section("contact", [points(self._identity(one)) for one in self._data["controllers"].values()]),
        ]
        return {
            "version": self._version,
            "language": self._language,
            "title": self._fill(self._wording["title"]),
            "published_on": self._published_on,
            "sections": sections,
        }

    def _global_words(self) -> dict[str, str]:
        controllers = list(self._data["controllers"].values())
        brands = list(self._data["brands"].values())
        officers = {one["dpo"]["email"]: one["dpo"]["name"] for one in controllers}
        authorities = {one["authority"]: self._data["authorities"][one["authority"]] for one in controllers}
        count, numbers = len(self._data["categories"]), self._wording["numbers"]
        return {
            "controller": self._join([one["name"] for one in controllers]),
            "brand": self._join([one["name"] for one in brands]),
            "dpo_name": self._join(list(officers.values())),
            "dpo_email": self._join(list(officers)),
            "email": self._join(list(dict.fromkeys(one["email"] for one in controllers))),
            "stop_address": self._join(list(dict.fromkeys(one["stop_address"] for one in brands))),
            "authority": self._join([self._text(one["name"]) for one in authorities.values()]),
            "authority_url": self._join([one["url"] for one in authorities.values()]),
            "pending": self._period(self._data["periods"]["pending"]),
            "published_on": self._published_on,
            "categories": numbers[count] if count < len(numbers) else str(count),
        }

    def _join(self, names: list[str]) -> str:
        """Names as a sentence has them: "a, b and c"."""
        *others, last = names
        return f"{', '.join(others)}{self._wording['and']}{last}" if others else last

    def _fill(self, phrase: str, **words: str) -> str:
        return filled(phrase, {**self._words, **words})

    def _text(self, of: dict[str, str]) -> str:
        return build.text(of, self._language, self._data)

    def _section(self, key: str, blocks: list[Block] | None = None) -> Document:
        wording = self._wording["sections"][key]
        said = [paragraph(self._fill(one)) for one in wording["text"]]
        return {"id": key, "heading": self._fill(wording["heading"]), "blocks": said + (blocks or [])}

    def _identity(self, controller: Document) -> list[str]:
        name = [controller["name"], *controller["address"], self._country(controller["country"])]
        return [
            ", ".join(name),
            *(controller[key] for key in ("email", "phone", "registration") if controller.get(key)),
        ]

    def _country(self, code: str) -> str:
        name: str = self._wording["countries"][code]
        return name

    def _names(self, kind: str, keys: list[str]) -> str:
        rows = [self._data[kind][key]["name"] for key in keys]
        return "; ".join(self._text(one) if isinstance(one, dict) else one for one in rows) or self._labels["nobody"]

    def _head(self, *labels: str) -> list[str]:
        return [self._labels[one] for one in labels]

    def _categories(self) -> Block:
        rows = [
            [self._text(one["name"]), self._text(one["description"]), self._names("data_types", one["data_types"])]
            for one in self._data["categories"].values()
        ]
        return table(self._head("situation", "covers", "data"), rows)

    def _cited(self, source: str) -> str:
        """Articles and acts, which the policy names once for all languages, as this language cites them."""
        own = self._wording.get("citations", {})
        known = "|".join(re.escape(words) for words in sorted(own, key=len, reverse=True))
        return re.sub(known, lambda found: own[found.group()], source) if known else source

    def _overview(self) -> Block:
        rows = [
            [self._text(one["name"]), self._basis(one), self._wording["controls"][_control(one)]]
            for one in self._purposes.values()
        ]
        return table(self._head("purpose", "basis", "control"), rows)

    def _basis(self, purpose: Document) -> str:
        return f"{self._wording['bases'][purpose['legal_basis']]} ({self._cited(purpose['law'])})"

    def _purpose(self, key: str, purpose: Document) -> Document:
        said = {"basis": self._basis(purpose), "control": self._wording["controls"][_control(purpose)]}
        if "interest" in purpose:
            said["interest"] = self._text(purpose["interest"])
        if "balancing_test" in purpose:
            said["balancing"] = self._text(purpose["balancing_test"])
        topics = [self._text(one["name"]) for one in purpose.get("topics", {}).values() if not one.get("retired")]
        if topics:
            said["topics"] = "; ".join(topics)
        if "valid_for" in purpose:
            said["valid_for"] = self._period(purpose["valid_for"])
        said["categories"] = self._names("categories", purpose["categories"])
        said["data"] = self._names("data_types", purpose["data_types"])
        said["sources"] = self._names("sources", purpose["sources"])
        said["recipients"] = self._names("recipients", purpose["recipients"])
        default, by_jurisdiction = build.rules_of(purpose)
        rules = self._data["retention_rules"]
        kept = [self._kept(rules[default])]
        kept += [f"{self._country(country)}: {self._kept(rules[one])}" for country, one in by_jurisdiction.items()]
        said["retention"] = "; ".join(kept)
        lines = [f"{self._labels[label]}: {value}" for label, value in said.items()]
        told = [self._text(purpose["withdrawal_text"])] if "withdrawal_text" in purpose else []
        blocks = [paragraph(self._text(purpose["description"])), points(lines), *map(paragraph, told)]
        return {"id": f"purpose-{key}", "heading": self._text(purpose["name"]), "blocks": blocks}

    def _data_types(self) -> Block:
        rows = [
            [
                self._text(one["name"]),
                self._labels["yes" if one["required"] else "no"],
                self._text(one["consequence"]),
                self._wording["origins"][one["origin"]],
            ]
            for one in self._data["data_types"].values()
        ]
        return table(self._head("data", "needed", "consequence", "origin"), rows)

    def _sources(self) -> Block:
        from_others = self._labels["source_about_person"]
        named = [(self._text(one["name"]), one["from_person"]) for one in self._data["sources"].values()]
        return points([name if from_person else self._fill(from_others, source=name) for name, from_person in named])

    def _recipients(self) -> Block:
        rows = [
            [
                one["name"],
                self._wording["roles"][one["role"]],
                self._country(one["country"]),
                self._cited(one["transfer_tool"]) if "transfer_tool" in one else self._labels["not_needed"],
                self._text(one["purpose_of_sharing"]),
            ]
            for one in self._data["recipients"].values()
        ]
        return table(self._head("who", "role", "country", "safeguard", "sharing"), rows)

    def _retention(self) -> Block:
        rows = []
        for one in self._data["retention_rules"].values():
            reason = [self._cited(one["legal_source"])]
            if "justification" in one:
                reason.append(self._text(one["justification"]))
            rows.append([self._text(one["name"]), self._kept(one), ". ".join(reason)])
        return table(self._head("record", "kept", "reason"), rows)

    def _kept(self, rule: Document) -> str:
        period = self._period(rule["period"]) if "period" in rule else ""
        phrase = self._wording["hold"] if rule.get("hold") else self._wording["clocks"][rule["clock"]]
        kept = [self._fill(phrase, period=period)]
        if "never_sent" in rule:
            kept.append(self._fill(self._wording["never_sent"], period=self._period(rule["never_sent"])))
        return "; ".join(kept)

    def _period(self, text: str) -> str:
        period = periods.parse(text)
        years, months = divmod(period["months"], 12)
        # A span of under two years that is not whole years reads better in months.
        if years == 1 and months:
            years, months = 0, period["months"]
        named = [(years, "year"), (months, "month"), (period["days"], "day")]
        return self._join([self._count(number, unit) for number, unit in named if number])

    def _count(self, number: int, unit: str) -> str:
        one, many = self._wording["units"][unit]
        return filled(one if number == 1 else many, {"n": str(number)})

    def _objection(self) -> list[Document]:
        """A section of its own, as Art. 21(4) asks, if anything can be objected to."""
        lines = [
            f"{self._text(one['name'])}: {self._text(one['objection_text'])}"
            for one in self._purposes.values()
            if one["legal_basis"] in ("legitimate_interest", "soft_opt_in")
        ]
        is_marketing = any(one.get("marketing") for one in self._purposes.values())
        return [self._section("objection", [points(lines)] if lines else [])] if lines or is_marketing else []

    def _profiling(self) -> list[Document]:
        lines = [
            f"{self._text(one['name'])}: {self._text(one['description'])}"
            for one in self._purposes.values()
            if one.get("profiling")
        ]
        return [self._section("profiling", [points(lines)])] if lines else []

    def _authorities(self) -> Block:
        rows = [
            [self._country(key), self._text(one["name"]), ", ".join(one["address"]), one["url"]]
            for key, one in self._data["authorities"].items()
        ]
        return table(self._head("country", "authority", "address", "website"), rows)


def _control(purpose: Document) -> str:
    """What a person can do about a purpose: the key of the wording's `controls`."""
    basis: str = purpose["legal_basis"]
    return "marketing_interest" if basis == "legitimate_interest" and purpose.get("marketing") else basis
