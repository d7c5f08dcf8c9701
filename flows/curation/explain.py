"""Why a text is in or out of a topic, and asking people about those in between: as records, and on a terminal."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from cleaning.article.boilerplate import clean_seed
from cleaning.extract import ExtractOptions, extract
from cleaning.schema import Page
from cleaning.topic.profile import FEWEST_TERMS, Contribution, TopicProfile
from cleaning.topic.terms import weighted_terms
from flows.config import Dataset
from flows.curation.labels import Article, find_article
from flows.errors import InputError
from flows.inputs import HTML_SUFFIXES, MAX_PAGE_BYTES, html_pages

MOST_TERMS = 12
"""Terms that are shown of each kind; the strongest say it."""

_MOST_LABEL_TERMS = 6
_LONGEST_NAME = 4_096
_FIRST_CHARACTERS = 400

# What can only be meant as an address, a path, an id or a file's name. Anything else is a text, even without a space:
# Chinese and Japanese are written so.
_REFERENCE = re.compile(r"https?://\S+|[!-~]*[/\\][!-~]*|[0-9a-f]{32}|\S+\.\w{1,5}", re.ASCII)

Answer = Callable[[str], str]


def text_named(dataset: Dataset, given: str) -> Article:
    """The text that a user means: of a file (HTML or text), of a URL or id that the dataset knows, or the words given.

    Raises:
        InputError: the file holds no article, the URL is unknown, or there are no telling words.
    """
    path = _file(given)
    found = _from_file(path) if path else find_article(dataset, given.strip())
    if found is None and _REFERENCE.fullmatch(given.strip()):
        raise InputError(
            f"{dataset.name}: {given[:200]!r} is no file, and no URL or id of an article in the state or published.",
            "Check the path; save the page and give the file, or fetch it by `likewise backfill --urls`.",
        )
    found = found or Article("", "", "", given, "", "given")
    if not weighted_terms(found.to_score):
        raise InputError(f"{given[:80]!r} holds no words.", "Give an article's text, its file, or its URL.")
    return found


def _file(given: str) -> Path | None:
    if len(given) > _LONGEST_NAME or "\n" in given or "\0" in given:
        return None
    try:
        return Path(given) if Path(given).is_file() else None
    except OSError:  # a text that is too long for a file's name
        return None


def _from_file(path: Path) -> Article:
    if path.name.lower().endswith(HTML_SUFFIXES):
        return _from_html(path)
    try:
        with path.open("rb") as file:
            cleaned = clean_seed(file.read(MAX_PAGE_BYTES).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}.", "Give a text or an HTML file.") from error
    return Article("", "", cleaned.title, cleaned.text, "", str(path))


def _from_html(path: Path) -> Article:
    damage: list[str] = []
    pages: list[Page] = list(html_pages([path], damage.append))
    if not pages:
        raise InputError(f"{damage[0]}.", "Give a file that can be read.")
    record = extract(pages[0], ExtractOptions())
    if not record.text:
        raise InputError(
            f"{path}: no article was found in it: {record.reason or record.verdict}.", "Give its text instead."
        )
    return Article("", record.url, record.title, record.text, str(record.verdict), str(path))


def explanation(profile: TopicProfile, article: Article, most_terms: int = MOST_TERMS) -> dict[str, Any]:
    """Why `article` is in or out: score, threshold, nearest seed and the strongest terms, as a record."""
    found = profile.explain(article.to_score)
    return {
        "title": article.title,
        "url": article.url,
        "id": article.id,
        "where": article.where,
        "verdict_there": article.verdict,
        **asdict(found.score),
        "threshold": profile.threshold,
        "seed_similarity": found.seed_similarity,
        "seed_threshold": profile.seed_threshold,
        "nearest_seed_cosine": found.cosine,
        "title_score": _title_score(profile, article),
        "different_terms": _different_terms(article),
        "terms": [asdict(term) for term in found.terms[:most_terms]],
        "label_factor": found.lift,
        "label_terms": [asdict(term) for term in found.label_terms[:most_terms]],
    }


def show_explanation(profile: TopicProfile, article: Article, out: Console) -> None:
    """Prints why `article` is in or out."""
    found = profile.explain(article.to_score)
    score = found.score
    if article.title:
        _say(out, article.title, style="bold")
    if article.url:
        _say(out, article.url, style="dim")
    sign, verdict = (">=", "like the seeds") if score.is_relevant else ("<", "not like the seeds")
    _say(out, f"{verdict}: similarity {score.similarity:.3f} {sign} threshold {profile.threshold:.3f}")
    _say(out, f"probability {score.probability:.2f}")
    if (terms := _different_terms(article)) < FEWEST_TERMS:
        _say(out, f"This is about articles; a text of {terms} different words says little.", style="yellow")
    _say(out, f"nearest seed: {score.nearest_seed} (cosine {found.cosine:.3f}), because of {_listed(found.terms)}")
    if profile.word_weights:
        factor = f"{found.seed_similarity:.3f} times {found.lift:.2f}"
        _say(out, f"labels: {factor}, because of {_signed(found.label_terms)}")
    if (promise := _title_score(profile, article)) is not None:
        _say(out, f"before the fetch: title and address score {promise:.3f}, by which the crawl ranks")


def _title_score(profile: TopicProfile, article: Article) -> float | None:
    return profile.score_title(article.title, article.url) if article.title or article.url else None


def _different_terms(article: Article) -> int:
    return len(weighted_terms(article.to_score))


def _listed(terms: Sequence[Contribution]) -> str:
    return ", ".join(f"{term.term} {term.weight:.3f}" for term in terms[:MOST_TERMS]) or "no word that they share"


def _signed(terms: Sequence[Contribution]) -> str:
    return ", ".join(f"{term.term} {term.weight:+.3f}" for term in terms[:_MOST_LABEL_TERMS]) or "no word"


def _say(out: Console, line: str, style: str = "") -> None:
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in line)  # pages may hold terminal codes
    out.print(printable, style=style or None, markup=False, emoji=False, highlight=False, soft_wrap=True)


# Asking


def effect(before: TopicProfile, after: TopicProfile, articles: Sequence[Article]) -> dict[str, Any]:
    """What new labels changed: the threshold, the verdicts on `articles`, and which labels were refused."""
    texts = [article.to_score for article in articles]
    was, is_now = ([score.is_relevant for score in profile.score_many(texts)] for profile in (before, after))
    return {
        "threshold_before": before.threshold,
        "threshold": after.threshold,
        "looked_at": len(texts),
        "now_in": sum(new and not old for old, new in zip(was, is_now, strict=True)),
        "now_out": sum(old and not new for old, new in zip(was, is_now, strict=True)),
        "refused": list(after.refused),
    }


def show_effect(found: dict[str, Any], out: Console) -> None:
    """Prints what new labels changed."""
    _say(out, f"Threshold {found['threshold_before']:.3f} -> {found['threshold']:.3f}.")
    changes = f"{found['now_in']} would now be published and {found['now_out']} left out"
    if found["looked_at"]:
        _say(out, f"Of the {found['looked_at']} articles nearest to it, {changes}.")
    _say(out, "The next run judges by this; `likewise reclean` judges the pages that are stored by it, too.")
    for title in found["refused"]:
        _say(out, f"Not learnt from: {title!r} is unlike every seed. If the topic is to take it in, make it a seed.")


def show_no_answer(asked: Sequence[Article], out: Console) -> None:
    """Says that nothing was learnt, and why."""
    why = "No article was answered" if asked else "No article is left to ask about"
    _say(out, f"{why}; the topic is as it was.")


def ask(
    profile: TopicProfile, articles: Sequence[Article], out: Console, answer: Answer | None = None
) -> list[tuple[Article, bool]]:
    """Shows one article after another and asks whether it belongs to the topic; gives the answers.

    Args:
        profile: whose scores are shown.
        articles: what to ask about.
        out: where to show them.
        answer: gets a question and gives the reply; by default from the terminal. The end of input means quit.
    """
    answers: list[tuple[Article, bool]] = []
    for number, article in enumerate(articles, 1):
        out.rule(f"{number} of {len(articles)}")
        show_explanation(profile, article, out)
        _say(out, "\n" + _first_lines(article.text) + "\n")
        reply = _reply(answer or _from_terminal)
        if reply == "q":
            break
        if reply != "s":
            answers.append((article, reply == "y"))
    return answers


def _reply(answer: Answer) -> str:
    while True:
        try:
            given = answer("Does it belong to the topic? [y]es, [n]o, [s]kip, [q]uit").strip().lower()[:1]
        except (EOFError, typer.Abort):
            return "q"
        if given and given in "ynsq":
            return given


def _from_terminal(question: str) -> str:
    return str(typer.prompt(question, prompt_suffix=" ", err=True))


def _first_lines(text: str) -> str:
    if len(text) <= _FIRST_CHARACTERS:
        return text
    return text[:_FIRST_CHARACTERS].rsplit(" ", 1)[0] + " …"
