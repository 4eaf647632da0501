"""The local stack's own pages: an index and the mailbox. Everything shown is escaped; no script."""

from collections.abc import Sequence
from html import escape

from local.mailbox import Letter

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src 'self' data:; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of these pages; a letter shown in its frame inherits it, so it can load nothing."""

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid #767676; border-radius: .5rem; padding: 0 1rem 1rem; margin: 1.5rem 0; }
h2 { margin-bottom: .25rem; } dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
iframe { width: 100%; height: 32rem; border: 1px solid #767676; background: #fff; }
li { overflow-wrap: anywhere; } summary { cursor: pointer; padding: .25rem 0; }
.wide { max-width: none; }
.beside { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
.letter { height: 60rem; border: 1px solid #767676; padding: 0; margin: 0; } .letter.dark { background: #121212; }
pre.letter { font: .8125rem/1.5 ui-monospace, monospace; padding: 1rem; height: auto; white-space: pre; }
pre.letter { overflow-x: auto; }
"""


def page(title: str, content: str, *, is_wide: bool = False) -> bytes:
    """A page of the local stack; `content` is HTML, `title` is not."""
    kind = ' class="wide"' if is_wide else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body{kind}><main>{content}</main></body></html>"
    ).encode()


def index(subscribe_path: str | None) -> bytes:
    """The page that leads to everything a person may want to look at."""
    sign_up = f'<li><a href="{escape(subscribe_path)}">Sign up</a></li>' if subscribe_path else ""
    return page(
        "Local stack",
        f"<h1>Local stack</h1><ul>{sign_up}"
        '<li><a href="/_local/mailbox">Mailbox</a>: every letter that would have been sent '
        '(also as <a href="/_local/mailbox.json">JSON</a>)</li>'
        "<li><code>POST /_local/mail</code> lets a mail arrive at the stop address, "
        "<code>POST /_local/mailbox/report</code> lets a letter bounce or be complained about</li>"
        '<li><a href="/_local/components">Components and pages</a>, <a href="/_local/letters">letters</a>: '
        "each in every state, language, theme and direction</li>"
        '<li><a href="/_local/token">An access token</a> for the API; add <code>?scope=…</code></li>'
        "<li><code>POST /_local/jobs/seal</code> seals the ledger now, rather than at two o'clock at night</li>"
        "<li><code>POST /_local/jobs/review</code> looks for records in which something ended by itself</li>"
        '<li><a href="/_local/issuer/.well-known/openid-configuration">The token issuer</a></li></ul>',
    )


def mailbox(letters: Sequence[Letter]) -> bytes:
    """The letters, newest first."""
    if not letters:
        shown = "<p>No letter has been sent yet. Sign up, and the confirmation letter appears here.</p>"
    else:
        newest_first = list(reversed(letters))
        shown = "".join(_letter(letter, is_open=position == 0) for position, letter in enumerate(newest_first))
    count = f"{len(letters)} letter{'' if len(letters) == 1 else 's'}"
    return page(
        f"Mailbox ({count})",
        f"<h1>Mailbox</h1><p>{count}, newest first. Nothing leaves this computer. "
        '<a href="/_local/mailbox">Reload</a> · '
        f'<a href="/_local/">Local stack</a></p>{shown}',
    )


def _letter(letter: Letter, *, is_open: bool) -> str:
    links = "".join(f'<li><a href="{escape(link)}">{escape(link)}</a></li>' for link in letter.links)
    headers = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in letter.headers.items() if name != "From"
    )
    name = escape(letter.id)
    parts = [
        f'<article id="{name}" aria-labelledby="subject-{name}"><h2 id="subject-{name}">{escape(letter.subject)}</h2>',
        f"<dl><dt>To</dt><dd>{escape(letter.to)}</dd>",
        f"<dt>From</dt><dd>{escape(letter.headers.get('From', ''))}</dd>",
        f'<dt>Sent</dt><dd><time datetime="{escape(letter.sent_at)}">{escape(letter.sent_at)}</time></dd></dl>',
    ]
    state = " open" if is_open else ""
    if links:
        parts.append(f"<details{state}><summary>Links ({len(letter.links)})</summary><ul>{links}</ul></details>")
    if letter.text:
        parts.append(f"<details{state}><summary>Text</summary><pre>{escape(letter.text)}</pre></details>")
    if letter.html:
        # The frame may open links in a new window, and nothing else: no script, no form, no access to this page.
        framed = escape(f'<base target="_blank">{letter.html}')
        parts.append(
            "<details><summary>As the reader sees it</summary>"
            '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" loading="lazy" '
            f'title="HTML of {escape(letter.subject)}" srcdoc="{framed}"></iframe></details>'
        )
    if headers:
        parts.append(f"<details><summary>Headers</summary><dl>{headers}</dl></details>")
    return "".join([*parts, "</article>"])
