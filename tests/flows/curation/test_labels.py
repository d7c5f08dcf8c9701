"""Labels beside the recipe, which articles are asked about, and the commands `label` and `explain`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cleaning.schema import Extraction
from cleaning.verdict import Verdict
from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.copies.index import article_id
from flows.curation.labels import (
    LABELS_NAME,
    borderline,
    find_article,
    labels_path,
    near_threshold,
    read_labels,
    save_labels,
)
from flows.errors import InputError
from flows.runs import Run, start_run
from flows.stages import filter_articles, topic_profile
from flows.tables import extraction_table, write_table
from tests.cleaning.topic.test_feedback import BRIDGE, SAILING
from tests.cleaning.topic.test_profile import BEES, FERRY, LATER, RECIPE

TEXTS = {"later": LATER, "bridge": BRIDGE, "sailing": SAILING, "bees": BEES[0], "soup": RECIPE}


def url_of(name: str) -> str:
    return f"https://news.example/{name}.html"


def id_of(name: str) -> str:
    return article_id(url_of(name))


def record_of(name: str) -> Extraction:
    title, _, text = TEXTS[name].partition("\n\n")
    return Extraction(
        url=url_of(name), canonical_url=url_of(name), verdict=Verdict.KEPT, title=title, text=text, language="en"
    )


def filtered_run(dataset: Dataset, run_id: str, names: list[str]) -> Run:
    """A run that has extracted and judged these articles."""
    run = start_run(dataset, run_id)
    write_table(run.clean_folder / "00000.parquet", extraction_table(map(record_of, names)))
    run.finish("clean", {"pages": len(names), "verdicts": {}})
    filter_articles(run)
    return run


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A dataset on the ferry, with a run that found five articles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    folder = tmp_path / "datasets" / "ferry"
    (folder / "seeds").mkdir(parents=True)
    for number, text in enumerate(FERRY):
        (folder / "seeds" / f"ferry-{number}.txt").write_text(text, encoding="utf-8")
    (folder / "recipe.toml").write_text('[topic]\nseeds = ["seeds/*.txt"]\n[limits]\nwords = 20\n', encoding="utf-8")
    found = load_dataset_config(str(folder), {})
    filtered_run(found, "20260101T000000Z", list(TEXTS))
    return found


def likewise(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=answers)


def as_json(*arguments: str) -> Any:
    result = likewise(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_borderline_comes_first_and_labelled_articles_are_not_asked_about_again(dataset: Dataset) -> None:
    """The article between the topic and the rest comes first; once it is labelled another one does."""
    first = borderline(dataset, topic_profile(dataset), 2)
    assert first[0].id == id_of("bridge")
    save_labels(dataset, [(first[0], True)])
    assert id_of("bridge") not in {article.id for article in borderline(dataset, topic_profile(dataset), 5)}


def test_an_article_of_several_runs_is_asked_about_once(dataset: Dataset) -> None:
    """An article that two runs have is one article, of the latest run; `--run` asks about that run's only."""
    filtered_run(dataset, "20260102T000000Z", ["bridge"])
    found = borderline(dataset, topic_profile(dataset), 10)
    assert sorted(article.id for article in found) == sorted(map(id_of, TEXTS))
    assert {article.where for article in found if article.id == id_of("bridge")} == {"20260102T000000Z"}
    assert [it["id"] for it in as_json("label", "ferry", "--run", "20260102T000000Z")] == [id_of("bridge")]


def test_labels_are_data_beside_the_recipe(dataset: Dataset) -> None:
    """A label is a line of JSON with id, URL, title, answer, time and terms; no text is kept."""
    likewise("label", "ferry", "--yes", id_of("bridge"), "--no", url_of("sailing"))
    lines = (dataset.folder / LABELS_NAME).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [(record["id"], record["label"]) for record in records] == [
        (id_of("bridge"), "yes"),
        (id_of("sailing"), "no"),
    ]
    assert records[0].keys() == {"id", "url", "title", "label", "labelled_at", "terms"}
    assert "Engineers will drill" not in lines[0]
    assert labels_path(dataset) == dataset.folder / LABELS_NAME


def test_labels_count_when_the_state_is_gone(dataset: Dataset) -> None:
    """What was learnt does not depend on the state: the terms are in the file."""
    likewise("label", "ferry", "--yes", id_of("bridge"))
    learnt = topic_profile(dataset)
    (found,) = near_threshold(dataset, learnt)[:1]
    for path in sorted(dataset.state.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert topic_profile(dataset) == learnt
    assert learnt.score(found.to_score).probability > 0.5


def test_a_later_label_replaces_an_earlier_one(dataset: Dataset) -> None:
    """A change of mind leaves one label for the article, and the same topic as if it had been the first word."""
    likewise("label", "ferry", "--no", id_of("bridge"))
    likewise("label", "ferry", "--yes", id_of("bridge"))
    (stored,) = read_labels(dataset)
    assert stored.label == "yes"


def test_labels_change_what_the_next_run_keeps(dataset: Dataset) -> None:
    """An article that is called irrelevant no longer passes the filter of the next run, and its story still does."""
    assert topic_profile(dataset).score(BRIDGE).is_relevant
    effect = as_json("label", "ferry", "--no", id_of("bridge"))
    assert effect["now_out"] == 1
    assert effect["threshold"] > effect["threshold_before"]
    run = filtered_run(dataset, "20260103T000000Z", ["bridge", "later"])
    assert (run.summary("filter") or {})["verdicts"] == {"kept": 1, "off_topic": 1}


def test_answers_on_the_terminal(dataset: Dataset) -> None:
    """Each article is shown with its score and first lines; y and n are learnt from, s passes on, q ends it."""
    result = likewise("label", "ferry", answers="y\nwhat?\nn\ns\nq\n")
    assert result.exit_code == 0, result.output
    assert "Marvik council plans a bridge" in result.output
    assert "Engineers will drill" in result.output
    assert "similarity" in result.output
    assert [stored.label for stored in read_labels(dataset)] == ["yes", "no"]


def test_the_end_of_input_ends_the_questions(dataset: Dataset) -> None:
    """Answers given before the input ends are kept."""
    assert likewise("label", "ferry", answers="y\n").exit_code == 0
    assert len(read_labels(dataset)) == 1


def test_a_yes_far_from_the_seeds_is_kept_but_not_learnt_from(dataset: Dataset) -> None:
    """The user is told that such an article should be a seed."""
    result = likewise("label", "ferry", "--yes", id_of("soup"))
    assert "make it a seed" in result.output
    assert topic_profile(dataset).threshold == topic_profile(dataset).seed_threshold


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"id": "x"}', "url"),
        ('{"id": "x", "url": "u", "title": "t", "label": "maybe", "labelled_at": "", "terms": {}}', "label"),
        ('{"id": "x", "url": "u", "title": "t", "label": "yes", "labelled_at": "", "terms": {"a": -1}}', "not above 0"),
        ('{"id": "x", "url": "u", "title": "t", "label": "yes", "labelled_at": "", "terms": {"a": NaN}}', "line 2"),
    ],
)
def test_a_broken_line_is_named(dataset: Dataset, line: str, said: str) -> None:
    """A line that is no label ends a command with exit code 2, the file, the line and what is wrong."""
    likewise("label", "ferry", "--yes", id_of("bridge"))
    path = labels_path(dataset)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2") as caught:
        read_labels(dataset)
    assert said in str(caught.value)
    assert likewise("explain", "ferry", BRIDGE).exit_code == 2


@pytest.mark.parametrize("answers", ["q\n", "s\ns\ns\ns\ns\n", ""])
def test_without_an_answer_nothing_is_said_to_change(dataset: Dataset, answers: str) -> None:
    """Who skips or quits is told that the topic is as it was, not what labels changed; no file is written."""
    result = likewise("label", "ferry", answers=answers)
    assert result.exit_code == 0
    assert "No article was answered; the topic is as it was." in result.output
    assert "Threshold" not in result.output
    assert not labels_path(dataset).exists()


def test_nothing_left_to_ask_is_said(dataset: Dataset) -> None:
    """When every article has a label, the command says so."""
    save_labels(dataset, [(found, True) for found in borderline(dataset, topic_profile(dataset), 10)])
    assert "No article is left to ask about" in likewise("label", "ferry").output


def test_an_article_cannot_be_in_and_out(dataset: Dataset) -> None:
    """The same article with --yes and with --no, by id and by URL, is refused, and nothing is written."""
    result = likewise("label", "ferry", "--yes", id_of("bridge"), "--no", url_of("bridge"))
    assert result.exit_code == 2
    assert "with --yes and with --no" in result.stderr
    assert not labels_path(dataset).exists()


def test_unknown_articles_and_runs_are_refused(dataset: Dataset) -> None:
    """A label on an article that nobody knows, or a run that is not there, is bad input; nothing is written."""
    assert likewise("label", "ferry", "--yes", "https://nowhere.example/").exit_code == 2
    assert likewise("label", "ferry", "--run", "never").exit_code == 2
    assert not labels_path(dataset).exists()
    assert find_article(dataset, "nothing") is None


@pytest.mark.parametrize("given", [url_of("later"), id_of("later"), LATER, "later.txt", "later.html"])
def test_any_text_is_explained(dataset: Dataset, given: str) -> None:
    """A URL or id of a known article, a text, a text file and an HTML file are explained alike."""
    Path("later.txt").write_text(LATER, encoding="utf-8")
    page_of("later")
    found = as_json("explain", "ferry", given)
    assert found["is_relevant"]
    assert found["similarity"] >= found["threshold"]
    assert found["nearest_seed"].startswith("ferry-")
    assert {"ferry", "ostrel"} <= {term["term"] for term in found["terms"]}


def test_a_published_article_is_found_without_the_state(dataset: Dataset) -> None:
    """When the state is deleted, an article is still known by its id and URL, from the published version."""
    assert likewise("backfill", "ferry", "--html", str(page_of("later"))).exit_code == 0

    shutil.rmtree(dataset.state)
    for name in (id_of("later"), url_of("later")):
        found = find_article(dataset, name)
        assert found is not None
        assert (found.id, found.where) == (id_of("later"), "published")
    assert as_json("explain", "ferry", url_of("later"))["is_relevant"]
    assert likewise("label", "ferry", "--yes", id_of("later")).exit_code == 0


def page_of(name: str) -> Path:
    """An HTML file with one of the texts; what the seeds say follows it, so that it is as long as an article."""
    title, _, text = TEXTS[name].partition("\n\n")
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in (text, *(seed.partition("\n\n")[2] for seed in FERRY)))
    body = f"<body><article><h1>{title}</h1>{paragraphs}</article></body>"
    head = f'<head><title>{title}</title><link rel="canonical" href="{url_of(name)}"></head>'
    path = Path(f"{name}.html")
    path.write_text(f"<html>{head}{body}</html>", encoding="utf-8")
    return path


def test_an_explanation_for_people(dataset: Dataset) -> None:
    """The terminal shows verdict, score, threshold, seed and terms, and after labels what they did."""
    result = likewise("explain", "ferry", url_of("soup"))
    assert "not like the seeds: similarity 0.0" in result.output
    likewise("label", "ferry", "--yes", id_of("bridge"), "--no", id_of("sailing"))
    result = likewise("explain", "ferry", url_of("later"))
    assert "like the seeds: similarity" in result.output
    assert "nearest seed: ferry-" in result.output
    assert "labels: " in result.output


@pytest.mark.parametrize(("given", "words"), [("Ostrel", 1), ("harbour fees", 2), ("渡轮停航引发抗议", 7)])
def test_a_few_words_are_a_text_too(dataset: Dataset, given: str, words: int) -> None:
    """A word, or a text in a script without spaces, is explained, with a warning that it is no article."""
    assert as_json("explain", "ferry", given)["different_terms"] == words
    assert f"a text of {words} different words says little" in likewise("explain", "ferry", given).output


def test_an_explanation_says_how_the_crawl_saw_it(dataset: Dataset) -> None:
    """Title and address have their own score, which ranks a page before the fetch; a bare text has none."""
    assert as_json("explain", "ferry", url_of("later"))["title_score"] > 0.1
    assert as_json("explain", "ferry", "harbour fees in Ostrel")["title_score"] is None
    assert "before the fetch" in likewise("explain", "ferry", url_of("later")).output


def test_a_page_cannot_send_codes_to_the_terminal(dataset: Dataset) -> None:
    """Control characters in a text are not printed."""
    Path("evil.txt").write_text("\x1b[2JFerry \x1b]0;owned\x07stops\n\n" + LATER, encoding="utf-8")
    result = likewise("explain", "ferry", "evil.txt")
    assert result.exit_code == 0
    assert "\x1b[2J" not in result.output
    assert "\x07" not in result.output


@pytest.mark.parametrize(
    "given",
    ["missing.txt", "a/b", "0" * 32, "https://nowhere.example/", "binary.txt", "empty.html", "!? ...", "", "\0", "!"],
)
def test_what_cannot_be_explained_is_refused(dataset: Dataset, given: str) -> None:
    """A file, URL or text without words ends with exit code 2 and says what to give."""
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    Path("empty.html").write_text("<html></html>", encoding="utf-8")
    result = likewise("explain", "ferry", given)
    assert result.exit_code == 2
    assert "What to do:" in result.stderr
