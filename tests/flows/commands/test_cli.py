import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from cleaning.verdict import MEANING, Verdict
from flows import errors
from flows.cli import PLACES, app
from flows.config import Dataset, Recipe

ROOT = Path(__file__).parents[3]
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]

ARTICLE = """Ministers of Arvenia and Belmark to meet in spring, spokesman says

The foreign ministers of Arvenia and Belmark will meet in the spring to talk about the river border, a
spokesman for the government in Arven said on Monday.
The two sides have not met since a dispute over fishing rights broke off their talks last autumn, and
officials in both capitals have warned against high hopes.
"There is a date, and there is a table, and that is more than we had a month ago," spokesman Oren Tal told
reporters after the weekly meeting of the cabinet.
Belmark's foreign ministry confirmed that it had received an invitation, but said that experts had to settle
the agenda before any minister would travel.
The river marks the border for two hundred kilometres, and both countries claim the islands that appear in it
when the water is low."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    (tmp_path / "seed.txt").write_text(ARTICLE, encoding="utf-8")
    return tmp_path


def likewise(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def made(home: Path) -> Path:
    assert likewise("new", "rivers", "--seeds", "seed.txt").exit_code == 0
    return home / "datasets" / "rivers" / "recipe.toml"


def test_new_makes_a_recipe_that_is_valid(home: Path) -> None:
    """`new` writes a recipe and copies the seeds, and `doctor` finds nothing to mend: it may grow by backfills."""
    recipe = made(home)
    assert recipe.exists()
    assert (home / "seeds" / "rivers" / "seed.txt").read_text(encoding="utf-8") == ARTICLE
    found = json.loads(likewise("doctor", "rivers", "--json").stdout)
    assert all(check["ok"] for check in found)
    assert [check["name"] for check in found if check["advice"]] == ["sources", "contact"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[schedule]\ninterval = "6h"\n', "none, but a schedule"),
        ('[sources]\nsites = ["http://127.0.0.1:8000/"]\n', "allow_loopback = true; ports = [80, 443, 8000]"),
    ],
)
def test_sources_that_cannot_be_crawled_are_to_be_mended(home: Path, more: str, said: str) -> None:
    """A schedule without sources, and sources that [network] does not let it reach, are faults."""
    recipe = made(home)
    before, _, rest = recipe.read_text(encoding="utf-8").partition("[sources]")
    recipe.write_text(before + more + rest[rest.index("[limits]") :], encoding="utf-8")
    result = likewise("doctor", "rivers")
    assert result.exit_code == 1
    assert said in result.stdout


def test_new_takes_many_seeds_and_sites(home: Path) -> None:
    """Seed files may follow the option, and sites are written into the recipe."""
    shutil.copy("seed.txt", "other.txt")
    result = likewise("new", "rivers", "--seeds", "seed.txt", "other.txt", "--site", "https://news.example/")
    assert result.exit_code == 0
    assert sorted(path.name for path in (home / "seeds" / "rivers").iterdir()) == ["other.txt", "seed.txt"]
    assert 'sites = ["https://news.example/"]' in (home / "datasets" / "rivers" / "recipe.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "Bad Name", "--seeds", "seed.txt"], "lower-case letters"),
        (["new", "rivers", "--seeds", "missing.txt"], "missing.txt: cannot be read: No such file"),
        (["new", "rivers", "--seeds", "."], "cannot be read: Is a directory"),
        (["new", "rivers", "--seeds", "binary.txt"], "binary.txt: is no UTF-8 text"),
        (["new", "rivers", "--seeds", "empty.txt"], "empty.txt"),
        (["run", "nowhere"], "There is no recipe"),
        (["backfill", "nowhere", "--html", "."], "There is no recipe"),
        (["doctor", "nowhere"], "There is no recipe"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(home: Path, arguments: list[str], said: str) -> None:
    """Bad input ends with exit code 2, names itself, and says what to do."""
    (home / "binary.txt").write_bytes(b"\x00\xff\xfe\x01")
    (home / "empty.txt").write_text("\n\n")
    result = likewise(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "What to do:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "one place"),
        (["--html", "nothing-here"], "no such file"),
        (["--warc", "seed.txt", "--html", "."], "one place"),
        (["--urls", "missing.txt"], "missing.txt"),
        (["--urls", "seed.txt"], "is no URL"),
        (["--html", "void"], "no HTML file"),
    ],
)
def test_a_backfill_without_usable_input_is_refused(home: Path, arguments: list[str], said: str) -> None:
    """A backfill says what is wrong with its input, and exits with 2."""
    made(home)
    (home / "void").mkdir()
    result = likewise("backfill", "rivers", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_run_without_sources_is_refused(home: Path) -> None:
    """`run` of a recipe that names no sources points at the recipe and at `backfill`."""
    made(home)
    result = likewise("run", "rivers")
    assert result.exit_code == 2
    assert "backfill" in result.stderr


def test_a_broken_recipe_names_the_key(home: Path) -> None:
    """An unknown key in a recipe ends every command with exit code 2 and the key's name."""
    recipe = made(home)
    recipe.write_text(recipe.read_text() + '\n[colour]\nred = "yes"\n')
    result = likewise("doctor", "rivers")
    assert result.exit_code == 2
    assert "colour: unknown key" in result.stderr


def test_state_that_cannot_be_written_is_an_error_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the state folder cannot be made, the exit code is 4 and the message says what to do."""
    made(home)
    (home / "file").write_text("")
    monkeypatch.setenv("LIKEWISE_HOME", str(home / "file"))
    (home / "page.html").write_text("<p>x</p>")
    result = likewise("backfill", "rivers", "--html", "page.html")
    assert result.exit_code == 4
    assert "What to do:" in result.stderr


def test_a_place_that_is_none_is_bad_input(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """`push --to` something that is no address ends with exit code 2, and says what an address looks like."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    result = likewise("push", str(small.folder), "--to", "/nonexistent")
    assert result.exit_code == 2
    assert "s3://BUCKET/PREFIX" in result.stderr


def test_without_the_s3_client_it_is_said_how_to_install_it(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a clone the extra comes by uv, elsewhere by pip; both are said."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "flows.destinations.s3", None)
    result = likewise("push", str(small.folder), "--to", "s3://bucket/prefix")
    assert result.exit_code == 5
    assert "uv sync --extra s3" in result.stderr
    assert "pip install 'likewise[s3]'" in result.stderr


def test_a_report_needs_a_run(home: Path) -> None:
    """`report` of a dataset without runs says how to make one."""
    made(home)
    result = likewise("report", "rivers")
    assert result.exit_code == 2
    assert "likewise run rivers" in result.stderr


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    """Every command, argument and option has a help text, and docs/cli.md names the command."""
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"
    assert f"likewise {name}" in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_the_list_of_commands_imports_none_of_them() -> None:
    """`likewise --help` shows every command without the libraries that they need."""
    heavy = ("pyarrow", "datasets", "duckdb", "scrapy", "trafilatura", "prefect", "pydantic")
    code = f"""
import sys
from typer.testing import CliRunner
from flows.cli import app
print(CliRunner().invoke(app, ["--help"]).stdout)
print("imported:", [name for name in {heavy} if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "imported: []" in shown
    assert all(f" {name} " in shown for name in PLACES)


def test_light_commands_import_no_heavy_libraries(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only reads what is there does so without the libraries of the crawl, of Prefect and of the readers."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    heavy = ("datasets", "pandas", "scrapy", "twisted", "trafilatura", "prefect", "huggingface_hub", "scipy")
    name = str(small.folder)
    calls = [["versions", name], ["diff", name, "1", "1"], ["status", name], ["gc", name], ["furniture", name]]
    code = f"""
import sys
from typer.testing import CliRunner
from flows.cli import app
for call in {calls}:
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0, result.stderr
    print(call[0], [name for name in {heavy} if name in sys.modules])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert shown.splitlines() == [f"{call[0]} []" for call in calls]


def test_every_exit_code_is_documented() -> None:
    """docs/cli.md has a line for the exit code of each kind of error."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for kind in (errors.LikewiseError, *errors.LikewiseError.__subclasses__()):
        assert f"\n| {kind.exit_code} |" in text, kind


def test_serving_needs_a_schedule(home: Path) -> None:
    """`serve` of a recipe without [schedule] says what to add."""
    made(home)
    result = likewise("serve", "rivers")
    assert result.exit_code == 2
    assert "cron" in result.stderr


def test_serving_needs_a_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` on a server that does not answer ends with exit code 6 and how to start one."""
    recipe = made(home)
    with_sites = recipe.read_text().replace("sites = []", 'sites = ["https://news.example/"]')
    recipe.write_text(with_sites + '\n[schedule]\ninterval = "6h"\n')
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    result = likewise_process("serve", "rivers")
    assert result.returncode == 6
    assert "prefect server start" in result.stderr
    assert "Traceback" not in result.stderr


def likewise_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, which takes its settings from the environment."""
    command = [sys.executable, "-m", "flows.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_status_needs_no_server(home: Path) -> None:
    """`status` of a dataset that never ran says how to begin."""
    made(home)
    assert "likewise run rivers" in likewise("status", "rivers").stdout
    assert json.loads(likewise("status", "rivers", "--json").stdout)["last_run"] is None


def test_every_key_of_a_recipe_is_documented() -> None:
    """docs/recipe.md has a line for every key that a recipe may have."""
    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    for name, field in Recipe.model_fields.items():
        keys = getattr(field.annotation, "model_fields", None)
        assert (f"**`[{name}]`**" if keys else f"| `{name}` |") in text
        for key in keys or ():
            assert f"| `{key}` |" in text, f"{name}.{key}"


def test_every_verdict_is_explained() -> None:
    """Each verdict has a sentence for the report and the card."""
    assert set(MEANING) == set(Verdict)
