"""Lines that repeat on a host, through the stage `clean` and the state: same texts however it ran; listed and reset."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config import load_dataset_config
from flows.errors import StateError
from flows.repeated import read_known, state_file
from flows.runs import Run, start_run
from flows.stages import Input, clean
from flows.workers import WorkerOptions
from tests.cleaning.article.test_repeated import article

LINE = "Readers of the Courier support its work with three crowns a month"


def likewise(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def page(number: int) -> str:
    body = "".join(f"<p>{line}</p>" for line in article(number).text.split("\n\n"))
    return (
        f"<html><head><title>Story {number} of the harbour town</title>"
        f'<link rel="canonical" href="https://www.courier.example/2025/story-{number}">'
        f'<meta property="og:type" content="article"></head><body><article><h1>Story {number} of the harbour town</h1>'
        f"{body}<p>{LINE}</p></article></body></html>"
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    (tmp_path / "seed.txt").write_text(" ".join(["The ministers met at the river."] * 30), encoding="utf-8")
    assert likewise("new", "rivers", "--seeds", "seed.txt").exit_code == 0
    (tmp_path / "pages").mkdir()
    for number in range(8):
        (tmp_path / "pages" / f"{number}.html").write_text(page(number), encoding="utf-8")
    return tmp_path


def cleaned(home: Path, run_id: str, processes: int = 1) -> Run:
    run = start_run(load_dataset_config("rivers"), run_id, "backfill")
    clean(run, Input("html", (home / "pages",)), WorkerOptions(processes=processes))
    return run


def part(run: Run) -> bytes:
    return (run.clean_folder / "00000.parquet").read_bytes()


def texts(run: Run) -> list[str]:
    return [text or "" for text in pq.read_table(run.clean_folder / "00000.parquet")["text"].to_pylist()]


def test_the_lines_go_and_the_texts_are_the_same_however_the_run_went(home: Path) -> None:
    """The line is removed from all articles of the run; two processes, a kill, and the same again change nothing."""
    run = cleaned(home, "first")
    assert [LINE in text for text in texts(run)] == [False] * 8
    known = read_known(state_file(run.dataset))
    assert [line.text for line in known["courier.example"].lines] == [LINE]
    whole, state = part(run), state_file(run.dataset).read_bytes()

    run.marker("clean").unlink()  # as a run that was killed at its end, which makes its last part again
    assert part(cleaned(home, "first", processes=2)) == whole
    assert state_file(run.dataset).read_bytes() == state

    state_file(run.dataset).unlink()
    assert part(cleaned(home, "second", processes=2)) == whole
    assert state_file(run.dataset).read_bytes() == state

    cleaned(home, "third")
    assert state_file(run.dataset).read_bytes() == state


def test_a_later_run_knows_what_an_earlier_one_learned(home: Path) -> None:
    """One new page of the host loses the line that four were needed to learn; a recipe may keep it."""
    cleaned(home, "first")
    for path in sorted((home / "pages").iterdir())[1:]:
        path.unlink()
    assert LINE not in texts(cleaned(home, "second"))[0]
    recipe = home / "datasets" / "rivers" / "recipe.toml"
    recipe.write_text(f'{recipe.read_text(encoding="utf-8")}\n[clean]\nrepeated = "keep"\n', encoding="utf-8")
    assert LINE in texts(cleaned(home, "third"))[0]


def test_what_was_learned_is_listed_and_forgotten(home: Path) -> None:
    """`likewise furniture` shows host, line, support, share and days; `--reset` forgets a host, or all."""
    assert "No line was learned yet" in likewise("furniture", "rivers").stdout
    cleaned(home, "first")
    assert "courier.example" in likewise("furniture", "rivers").stdout
    (found,) = json.loads(likewise("furniture", "rivers", "--host", "courier.example", "--json").stdout)
    assert (found["host"], found["text"], found["support"], found["share"]) == ("courier.example", LINE, 8, 1.0)
    unknown = likewise("furniture", "rivers", "--host", "other.example")
    assert (unknown.exit_code, "nothing was learned" in unknown.stderr) == (2, True)
    assert likewise("furniture", "rivers", "--host", "courier.example", "--reset").exit_code == 0
    assert json.loads(likewise("furniture", "rivers", "--json").stdout) == []


def test_a_broken_state_says_what_to_do(home: Path) -> None:
    """A file that is no Parquet ends with the path and the remedy."""
    dataset = load_dataset_config("rivers")
    path = state_file(replace(dataset, state=home / "var" / "rivers"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no parquet")
    with pytest.raises(StateError, match=r"furniture\.parquet"):
        read_known(path)
