"""Whatever an operator, a caller or a reader meets is documented, and what the documents point at exists."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from consent_center.domain.capability import Capability
from consent_center.domain.permission import Reason
from transformed import ROOT, of_type, source, transformed

CORE = ROOT / "layers/core/python/consent_center"
WEB = sorted((ROOT / "layers/core/python/consent_center/web").rglob("*.py"))
FUNCTIONS = [*sorted((ROOT / "functions").rglob("*.py")), *WEB]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


NAMED_PATH = (
    r"`((?:functions|layers|local|tests|events|docs)/[\w./-]*\w/?)`"
    r"|`((?:domain|usecases|adapters|web|texts)/[\w./]+\.py)`"
)
"""A path from the root, or a module as the documents shorten it: from the core's folder."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_a_row(names: Iterable[str], document: str) -> list[str]:
    """The names that have no row of their own in any table of a document."""
    rows = re.findall(r"^\| `([^`]+)`", text_of(document), re.MULTILINE)
    return sorted(set(names) - set(rows))


def unnamed(names: Iterable[str], *documents: str) -> list[str]:
    """The names that none of the documents writes as code, alone or first among other words."""
    written = set()
    for document in documents:
        for code in re.findall(r"`([^`\n]+)`", text_of(document)):
            written |= {code, *code.split()}
    return sorted(set(names) - written)


def calls_of(function: str, files: Iterable[Path]) -> Iterator[ast.Call]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                yield node


def texts_in(argument: ast.expr) -> set[str]:
    """Every text that an argument may be: a constant, or the branches of a condition."""
    if isinstance(argument, ast.IfExp):
        return texts_in(argument.body) | texts_in(argument.orelse)
    assert isinstance(argument, ast.Constant), f"line {argument.lineno}: a name that nobody can look up"
    return {str(argument.value)}


def test_every_parameter_of_the_template_has_a_row() -> None:
    assert without_a_row(source()["Parameters"], "docs/configuration.md") == []


def test_every_environment_variable_has_a_row() -> None:
    in_code = set(re.findall(r'"([A-Z][A-Z_]+)"', (CORE / "config.py").read_text(encoding="utf-8")))
    in_template = {
        name for function in of_type("AWS::Lambda::Function").values() for name in function["Environment"]["Variables"]
    }

    assert in_code
    assert without_a_row(in_code | in_template, "docs/configuration.md") == []


def test_no_row_describes_a_parameter_or_variable_that_is_gone() -> None:
    known = set(source()["Parameters"]) | set(re.findall(r"[A-Z_]{4,}", (CORE / "config.py").read_text()))
    known |= set(re.findall(r"POWERTOOLS_[A-Z_]+", text_of("template.yaml")))
    known |= {name for file in MAKEFILES for name in make_variables(file)}
    before_make = text_of("docs/configuration.md").partition("## Make")[0]

    assert set(re.findall(r"^\| `(\w+)`", before_make, re.MULTILINE)) <= known


def test_every_route_is_described() -> None:
    (api,) = of_type("AWS::ApiGatewayV2::Api").values()
    paths = {"$default" if path == "/$default" else path for path in api["Body"]["paths"]}

    assert "/subscribe" in paths
    assert unnamed(paths, "docs/api.md") == []
    assert unnamed(paths, "docs/architecture.md") == []


def test_every_metric_has_a_row() -> None:
    metrics = {name for call in calls_of("count", FUNCTIONS) for name in texts_in(call.args[0])}

    assert "ConsentGiven" in metrics
    assert without_a_row(metrics, "docs/operations.md") == []


def test_every_alarm_has_a_row() -> None:
    alarms = {
        name for name, resource in transformed()["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"
    }

    assert alarms
    assert without_a_row(alarms, "docs/operations.md") == []


def test_no_row_describes_a_metric_or_alarm_that_is_gone() -> None:
    operations = text_of("docs/operations.md")
    of_metrics = operations.partition("## Metrics")[2].partition("## Alarms")[0]
    of_alarms = operations.partition("## Alarms")[2].partition("## Dead letters")[0]
    code = "".join(file.read_text(encoding="utf-8") for file in FUNCTIONS)

    assert all(f'"{name}"' in code for name in re.findall(r"^\| `(\w+)`", of_metrics, re.MULTILINE))
    assert set(re.findall(r"^\| `(\w+)`", of_alarms, re.MULTILINE)) <= set(of_type("AWS::CloudWatch::Alarm"))


def test_every_problem_code_has_a_row() -> None:
    codes = {code for call in calls_of("problem", FUNCTIONS) for code in texts_in(call.args[1])}

    assert "unavailable" in codes
    assert without_a_row(codes, "docs/api.md") == []


def test_every_reason_has_a_row() -> None:
    assert without_a_row((str(reason) for reason in Reason), "docs/api.md") == []


def test_every_capability_is_in_the_glossary() -> None:
    assert unnamed((str(capability) for capability in Capability), "docs/glossary.md") == []


def test_every_item_is_in_the_data_model() -> None:
    tree = ast.parse((CORE / "adapters/dynamodb/items.py").read_text(encoding="utf-8"))
    items = {node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")}

    assert "StateItem" in items
    assert unnamed(items, "docs/data-model.md") == []


def test_every_attribute_of_an_item_is_in_the_data_model() -> None:
    tree = ast.parse((CORE / "adapters/dynamodb/items.py").read_text(encoding="utf-8"))
    attributes = {
        target.id
        for item in tree.body
        if isinstance(item, ast.ClassDef)
        for line in item.body
        for target in (getattr(line, "targets", None) or [getattr(line, "target", None)])
        if isinstance(target, ast.Name)
    }

    assert {"pk", "head", "normalised"} <= attributes
    assert unnamed(attributes, "docs/data-model.md") == []


MAKEFILES = [ROOT / "Makefile", ROOT / "layers/Makefile"]


def make_variables(file: Path) -> set[str]:
    """What a caller may set: variables with a default, and those that the first comment names."""
    text = file.read_text(encoding="utf-8")
    return set(re.findall(r"^([A-Z_]+) \?=", text, re.MULTILINE)) | set(re.findall(r"\b(ARTIFACTS_DIR)\b", text))


def make_targets(file: Path) -> set[str]:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return set(phony.split())


def test_every_make_variable_has_a_row() -> None:
    assert without_a_row({name for file in MAKEFILES for name in make_variables(file)}, "docs/configuration.md") == []


def test_every_make_target_is_described() -> None:
    assert without_a_row({f"make {target}" for target in make_targets(MAKEFILES[0])}, "docs/configuration.md") == []
    assert unnamed(make_targets(MAKEFILES[1]), "docs/configuration.md") == []


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_folder_that_is_named_exists(document: Path) -> None:
    named = re.findall(NAMED_PATH, document.read_text(encoding="utf-8"))

    assert [path for path, _ in named if path and not (ROOT / path).exists()] == []
    assert [path for _, path in named if path and not (CORE / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_is_named_exists(document: Path) -> None:
    known = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8"))

    assert [name for name in named if f"def {name}(" not in known] == []


def test_every_decision_is_listed_and_numbered_once() -> None:
    folder = ROOT / "docs/decisions"
    files = sorted(file.name for file in folder.glob("*.md") if file.name != "README.md")
    listed = re.findall(r"^\| \[(\d{4})\]\((\d{4})([^)]*)\)", (folder / "README.md").read_text(), re.MULTILINE)

    assert [number + rest for _, number, rest in listed] == files
    assert all(shown == number for shown, number, _ in listed)
    assert len({file[:4] for file in files}) == len(files)


def test_every_document_is_reached_from_the_readme() -> None:
    readme = text_of("README.md")
    documents = [file.name for file in (ROOT / "docs").glob("*.md")]

    assert [name for name in documents if f"](docs/{name})" not in readme] == []


def test_every_picture_is_small_and_shown() -> None:
    shown = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)

    for picture in (ROOT / "docs/images").iterdir():
        assert picture.name in shown
        assert picture.stat().st_size < 120_000
