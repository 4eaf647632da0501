"""Every page in every state: complete, well formed, honest, and safe against whatever people type."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from consent_center.texts import Texts
from local import samples

TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}
VOID = {"input", "meta", "link", "br", "path", "rect", "circle", "img", "source"}
FAULTY = {
    "subscribe-errors",
    "address-errors",
    "lost-link-errors",
    "preferences-fault",
    "waiting-wrong",
    "rights-errors",
}
FAULTY |= {"rights-status-late"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&\r\nX: y"


class Tree(HTMLParser):
    """Reads a page strictly: every element that is opened is closed, in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice on {tag}"
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open, f"closed but never opened: {tag}"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append((tuple(self.open), data))

    def all(self, *tags):
        return [(tag, attributes) for tag, attributes, _ in self.elements if tag in tags]

    def text_of(self, tag):
        return " ".join("".join(data for inside, data in self.texts if tag in inside).split())

    @property
    def text(self):
        return " ".join(" ".join(data for _, data in self.texts).split())


def render(state, **changes):
    page, context = STATES[state]
    return TEXTS.page(page, "en", site=samples.a_site(TEXTS), **{**context, **changes})


def hostile(value):
    """The same context with every text replaced by an attack; addresses of pages, kinds and ids stay."""
    if isinstance(value, dict):
        kept = {"url", "kind", "reason", "scope", "style", "colour", "id"}
        ends = ("_on", "_url")
        return {key: inner if key in kept or key.endswith(ends) else hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.fixture(params=STATES)
def state(request):
    return request.param


def test_a_page_is_well_formed_and_has_one_heading_one_main_part_and_its_language(state):
    html = render(state)
    tree = Tree(html)

    assert html.startswith('<!doctype html>\n<html lang="en" dir="ltr">')
    assert len(tree.all("h1")) == len(tree.all("main")) == len(tree.all("header")) == len(tree.all("footer")) == 1
    levels = [int(tag[1]) for tag, _ in tree.all("h1", "h2", "h3") if tag]
    assert all(after - before <= 1 for before, after in zip([1, *levels], levels, strict=False))


def test_the_title_names_the_page_and_the_brand(state):
    title = Tree(render(state)).text_of("title")

    assert re.fullmatch(r"(Error: )?\S.* – Fjordmeter", title)
    assert title.startswith("Error: ") == (state in FAULTY)


def test_a_page_neither_runs_nor_loads_anything(state):
    tree = Tree(render(state))

    assert not tree.all("script", "img", "iframe", "object", "embed", "video", "audio", "base")
    assert len(tree.all("style")) == 1
    for tag, attributes, _ in tree.elements:
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") or name in {"src", "srcset", "srcdoc"} for name in attributes), tag
    icon = {"rel": "icon", "href": "/favicon.svg", "type": "image/svg+xml"}
    assert tree.all("link") == ([] if state.startswith(("evidence", "answer")) else [("link", icon)])


def test_a_page_leads_nowhere_outside_but_to_the_authority(state):
    addresses = [attributes["href"] for _, attributes in Tree(render(state)).all("a")]

    assert addresses
    assert {urlsplit(address).netloc for address in addresses} <= {"", "authority.example.org"}
    assert {urlsplit(address).scheme for address in addresses} <= {"", "https", "mailto"}


def test_a_page_asks_not_to_be_indexed_and_sends_no_referrer(state):
    named = {attributes.get("name"): attributes.get("content") for _, attributes in Tree(render(state)).all("meta")}

    assert named["robots"] == "noindex, nofollow"
    assert named["referrer"] == "no-referrer"


def test_every_page_says_who_is_responsible_and_where_to_ask_or_complain(state):
    footer = Tree(render(state)).text_of("footer")

    for told in ("Fjordmeter A/S", "Målervej 12, DK-8000 Aarhus C", "Astrid Holm", "dpo@example.com", "2026-11-01"):
        assert told in footer
    assert "Complain to Datatilsynet" in footer


def test_every_page_says_what_happened_and_what_to_do_next_in_one_sentence(state):
    if state.startswith("notice"):
        return
    leads = re.findall(r'<p class="lead">(.*?)</p>', render(state), re.DOTALL)

    assert len(leads) == 1
    assert len(re.findall(r"[.?!](?:\s|$)", re.sub("<[^>]+>", "", leads[0]).strip())) == 1
    assert leads[0].strip().endswith(".")


def test_no_page_shows_a_value_that_is_missing(state):
    assert not re.search(r"\b(None|undefined|True|False)\b|%\(|\{\{", Tree(render(state)).text)


def test_every_field_has_a_label_and_what_it_refers_to_exists(state):
    tree = Tree(render(state))
    ids = [attributes["id"] for _, attributes, _ in tree.elements if "id" in attributes]
    labelled = [attributes["for"] for _, attributes in tree.all("label")]

    assert len(ids) == len(set(ids))
    for _, field in tree.all("input"):
        if field["type"] != "hidden":
            assert labelled.count(field["id"]) == 1
    for _, attributes, _ in tree.elements:
        for name in ("aria-describedby", "aria-labelledby", "for"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
        if (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_the_main_action_is_the_first_form_and_it_posts_to_the_page_itself():
    for state in ("subscribe", "confirm", "not-me", "unsubscribe-topic"):
        forms = Tree(render(state)).all("form")
        assert len(forms) == 1
        assert forms[0][1]["method"] == "post"
        assert "action" not in forms[0][1]


def test_pages_that_only_tell_have_nothing_to_press():
    telling = {"confirmed", "confirm_gone", "not_me_done", "notice", "error", "home"}
    telling |= {"history", "link_sent", "reason_thanks", "why", "rights_asked", "rights_gone"}
    for state, (page, _) in STATES.items():
        if page in telling:
            assert not Tree(render(state)).all("form", "button", "input"), state


def test_the_page_that_waits_for_a_code_posts_it_to_an_address_that_can_be_opened_again():
    for state in ("check-mail", "waiting", "waiting-wrong"):
        tree = Tree(render(state))
        assert [form["action"] for _, form in tree.all("form")] == ["/waiting/v1.k1.token?lang=en"]
        (field,) = [field for _, field in tree.all("input")]
        assert (field["name"], field["type"], field["inputmode"]) == ("code", "text", "numeric")
        assert (field["autocomplete"], field["dir"]) == ("one-time-code", "ltr")
        assert "maxlength" not in field
        assert "pattern" not in field


def test_a_wrong_code_is_told_at_its_field_with_what_to_do_next():
    tree = Tree(render("waiting-wrong"))
    ((_, field),) = tree.all("input")

    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "code-hint code-error")
    assert field["value"] == "123 456"
    assert [attributes["href"] for _, attributes in tree.all("a") if attributes["href"].startswith("#")] == [
        "#main",
        "#code",
    ]
    assert "Compare it with the newest e-mail from us, or open the link in it." in tree.text


def test_after_too_many_codes_there_is_nothing_to_type_and_the_link_is_named():
    tree = Tree(render("waiting-too-many"))

    assert not tree.all("form", "input", "button")
    assert "only the link in the e-mail works now" in tree.text


def test_only_the_answer_to_a_sign_up_names_the_address():
    assert "ada@example.org" in render("check-mail")
    assert "ada@" not in render("waiting") + render("waiting-wrong") + render("waiting-too-many")


@pytest.mark.parametrize("state", ["check-mail", "waiting", "waiting-wrong", "waiting-too-many"])
def test_whoever_waits_is_told_what_to_do_without_an_e_mail(state):
    tree = Tree(render(state))

    assert "Look in the folder for unwanted mail" in tree.text
    assert "/subscribe" in [attributes["href"] for _, attributes in tree.all("a")]


def test_nothing_is_ticked_unless_the_person_ticked_it():
    assert not [field for _, field in Tree(render("subscribe")).all("input") if "checked" in field]
    ticked = [field["value"] for _, field in Tree(render("subscribe-kept")).all("input") if "checked" in field]
    assert ticked == ["events"]


def test_the_form_sends_the_fields_that_the_function_reads():
    names = {field["name"] for _, field in Tree(render("subscribe")).all("input")}
    assert names == {"form", "email", "topic", "name", "company", "interest"}
    assert {field["name"] for _, field in Tree(render("confirm")).all("input")} == {"shown"}
    assert {field["name"] for _, field in Tree(render("unsubscribe-topic")).all("input")} == {"by"}


def test_a_browser_can_fill_in_what_it_knows():
    fields = {field["name"]: field for _, field in Tree(render("subscribe")).all("input")}

    assert [fields[name].get("autocomplete") for name in ("email", "name", "company")] == [
        "email",
        "name",
        "organization",
    ]
    assert "required" in fields["email"]
    assert "required" not in fields["name"]


def test_fields_that_are_not_asked_for_are_not_shown():
    names = {field["name"] for _, field in Tree(render("subscribe-short")).all("input")}
    assert names == {"form", "email", "topic"}


def test_the_form_tells_who_what_for_how_to_stop_and_that_a_confirmation_comes_first():
    text = Tree(render("subscribe")).text

    for told in (
        "Fjordmeter A/S is responsible",
        "because you consent",
        "one e-mail that asks you to confirm",
        "within 7 days, we delete what you entered",
        "You can withdraw your consent at any time",
        "privacy notice",
        "Leave it out, and we write to you without your name.",
    ):
        assert told in text


def test_what_is_wrong_stands_first_and_leads_to_its_field():
    tree = Tree(render("subscribe-errors"))
    summary = [attributes["href"] for _, attributes in tree.all("a") if attributes["href"].startswith("#")]
    fields = {field["id"]: field for _, field in tree.all("input") if "id" in field}

    assert summary == ["#main", "#email", "#topic-1", "#interest-1", "#company"]
    assert next(tag for tag, attributes, inside in tree.elements if inside[-1:] == ("main",)) == "div"
    assert fields["email"]["aria-invalid"] == "true"
    assert fields["email"]["aria-describedby"] == "email-hint email-error"
    assert fields["email"]["value"] == "ada@"
    assert "aria-invalid" not in fields["name"]
    assert len([1 for _, attributes, _ in tree.elements if attributes.get("role") == "alert"]) == 1


def test_nothing_shouts_on_a_page_where_nothing_is_wrong():
    for state in STATES:
        alerts = [1 for _, attributes, _ in Tree(render(state)).elements if attributes.get("role") == "alert"]
        assert len(alerts) == (state in {*FAULTY, "confirm-changed"}), state


def test_the_wording_that_is_agreed_to_is_shown_word_for_word():
    html = render("confirm", wording=['First: "a" & <b>.', "Second  with   spaces."])
    block = html.split('<section class="box wording"')[1].split("</section>")[0]
    paragraphs = [data for inside, data in Tree("<section" + block + "</section>").texts if inside[-1:] == ("p",)]

    assert paragraphs == ['First: "a" & <b>.', "Second  with   spaces."]


def test_yes_and_no_are_equally_easy_to_find():
    tree = Tree(render("confirm"))
    both = [(tag, attributes) for tag, attributes, inside in tree.elements if inside[-2:] == ("form", "div")]

    assert [tag for tag, _ in both] == ["button", "a"]
    assert all("button" in attributes["class"].split() for _, attributes in both)


def test_unsubscribing_takes_one_press_and_no_typing():
    tree = Tree(render("unsubscribe-topic"))

    assert len(tree.all("button")) == 1
    assert all(field["type"] == "hidden" for _, field in tree.all("input"))


def test_one_who_is_gone_is_told_since_when():
    assert "You unsubscribed on 22 November 2026, 16:05 UTC" in Tree(render("confirm-gone-withdrawn")).text


def test_confirming_twice_shows_success_twice():
    assert Tree(render("confirmed")).text_of("h1") == Tree(render("confirmed-already")).text_of("h1")


def test_a_link_that_does_not_work_names_where_to_write_instead():
    assert "stop@example.com" in Tree(render("error-invalid")).text_of("main")


def test_an_earlier_notice_leads_to_the_one_in_force():
    assert "one in force is 2026-11-01" in Tree(render("notice-earlier")).text
    assert "one in force is" not in Tree(render("notice")).text


def test_a_field_may_share_its_name_with_a_method():
    html = render("subscribe-errors", errors={"items": "Odd.", "email": "Enter your e-mail address."})
    assert "Enter your e-mail address." in html


def test_whatever_people_or_policies_say_is_shown_as_text(state):
    page, context = STATES[state]
    site = {**hostile(samples.a_site(TEXTS)), "authority": {"name": HOSTILE, "url": "https://authority.example.org"}}
    tree = Tree(TEXTS.page(page, "en", site=site, **hostile(context)))

    assert not tree.all("script", "img")
    for tag, attributes, _ in tree.elements:
        assert not any(name.startswith("on") for name in attributes), tag
    assert "<script>alert(1)</script>" in tree.text


def test_a_page_is_small(state):
    # An answer is a file with a person's whole record, and no page that somebody waits for.
    assert len(render(state).encode()) < (60_000 if state == "answer" else 30_000)


REGRET = re.compile(
    r"\b(sorry|sad|regret|oops|unfortunately|miss you|sure you want|goodbye|please stay)\b", re.IGNORECASE
)
PICTURES = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


def test_no_page_pleads_or_jokes(state):
    text = Tree(render(state)).text

    assert not REGRET.search(text)
    assert not PICTURES.search(text)
    assert "!" not in text
