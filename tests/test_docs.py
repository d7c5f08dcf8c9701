"""What the documents say can be done: every command in them is one that the program has."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
_CALL = re.compile(r"(?:^\$ (?:pip install uv && )?(?:uv run )?|`|^\| `)likewise (?P<rest>[a-z][^`#\n]*)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)#]+)")


def calls() -> list[str]:
    """The calls of `likewise` in the documents."""
    return sorted({found["rest"].strip() for path in DOCUMENTS for found in _CALL.finditer(path.read_text("utf-8"))})


@pytest.mark.parametrize("call", calls())
def test_a_documented_call_is_one_that_the_program_knows(call: str) -> None:
    """The command exists, and has every option that the document gives it."""
    words = shlex.split(re.sub(r"[\[\];].*", "", call))
    command = COMMANDS[words[0]]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link of a document leads to a file of the project."""
    for found in _LINK.finditer(path.read_text(encoding="utf-8")):
        assert (path.parent / found["target"]).exists()


def test_every_module_is_in_the_map() -> None:
    """The folders of the README's map are those of the project."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in ("cleaning", "crawler", "flows", "datasets", "seeds", "training", "benchmarks", "tests"):
        assert (ROOT / folder).is_dir()
        assert f"    {folder}/" in text


def test_the_readme_runs_what_ci_runs() -> None:
    """The README's test command is the last line of .ci/run."""
    last = (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()[-1]
    assert f"pip install uv && {last}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_hugging_face_is_not_hidden() -> None:
    """There is no Python under datasets/, which would shadow the package of that name."""
    import datasets

    assert not list((ROOT / "datasets").rglob("*.py"))
    assert "site-packages" in str(datasets.__file__)
