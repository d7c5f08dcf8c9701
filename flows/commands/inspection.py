"""One page under the glass: its blocks, kept and removed, each with its reason and score; its metadata and verdict."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cleaning.article.repeated import Host, line_hash, without_lines
from cleaning.extract import Examined, ExtractOptions, examine
from cleaning.schema import Page
from crawler import warc
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.config import RECIPE_NAME, Dataset, load_dataset_config
from flows.curation.labels import find_article
from flows.errors import InputError
from flows.inputs import html_pages
from flows.publishing.card import TEMPLATES
from flows.repeated import read_known, state_file
from flows.runs import write_text
from flows.stages import LEAST_ARTICLE

_URL = re.compile(r"https?://", re.I)
_UNSHOWN = frozenset({"text", "verdict", "reason", "rights", "extractor", "extractor_version", "content_sha256"})
"""Fields of a record that are shown elsewhere, or say nothing of the page."""


def inspect(
    page: Annotated[
        str,
        typer.Argument(help="An HTML file (.gz too), or the URL or id of a page in the state.", show_default=False),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset", metavar="NAME", help="The dataset whose WARC files hold the URL.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write it as a web page too, removals struck out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")] = False,
) -> None:
    """Show what cleaning makes of one page: its blocks, kept and removed, each with its reason and score."""
    with errors_for_people():
        owner = load_dataset_config(dataset) if dataset else None
        found = examined(page_named(page, owner), owner)
        if html:
            _write(html, as_html(found))
    if as_json:
        print_json(as_record(found))
        return
    show(found, OUT)
    if html:
        OUT.print(f"Wrote {html}.", markup=False, highlight=False, soft_wrap=True)


def examined(page: Page, dataset: Dataset | None) -> Examined:
    """What cleaning makes of a page; with a dataset, by its recipe and by what was learned of the page's host."""
    if dataset is None:
        return examine(page, ExtractOptions(least_article=LEAST_ARTICLE))
    recipe = dataset.recipe
    options = ExtractOptions(recipe.limits.words, least_article=LEAST_ARTICLE, lede=recipe.clean.lede)
    found = examine(page, options)
    if recipe.clean.repeated == "keep":
        return found
    known = read_known(state_file(dataset)).get(found.record.domain, Host())
    return _without_repeated(found, known, options.min_words)


def _without_repeated(found: Examined, host: Host, min_words: int) -> Examined:
    """The page without the lines that were learned to repeat on its host, each marked as such."""
    lines = {line.line: line for line in host.lines}
    record = without_lines(found.record, host.lines, min_words)
    if record is found.record:
        return found
    hits = (lines.get(line_hash(block.text)) for block in found.blocks)
    choices = tuple(
        replace(choice, kept=False, reason=f"repeats in {line.support} articles of the host ({line.share:.0%})")
        if line and choice.kept
        else choice
        for choice, line in zip(found.choices, hits, strict=True)
    )
    return replace(found, record=record, choices=choices)


def page_named(given: str, dataset: Dataset | None) -> Page:
    """The page that a user means: that of a file, else the latest record of a URL or article in a dataset's WARC files.

    Raises:
        InputError: there is no such file, or no such record.
    """
    path = Path(given)
    if dataset is None and _URL.match(given):
        here = sorted(recipe.parent.name for recipe in Path("datasets").glob(f"*/{RECIPE_NAME}"))
        raise InputError(
            f"{given}: a URL is looked up among the pages that a dataset has fetched, and no dataset is named.",
            f"Add --dataset NAME (here: {', '.join(here) or 'none'}), or save the page and give the file.",
        )
    if dataset is None or path.is_file():
        return _from_file(path)
    article = find_article(dataset, given)
    latest = _latest(dataset, {given, article.url} if article else {given})
    if latest is None:
        raise InputError(
            f"{given}: no record of it in {dataset.state / 'warc'}.",
            "Check the URL; a page of a backfill lies in the file that it was read from.",
        )
    return latest


def _from_file(path: Path) -> Page:
    if not path.is_file():
        raise InputError(
            f"{path}: there is no such file.", "Check the path; for the id of an article, name its --dataset."
        )
    damage: list[str] = []
    for page in html_pages([path], damage.append):
        return page
    raise InputError(f"{damage[0]}.", "Give a file that can be read.")


def _latest(dataset: Dataset, urls: set[str]) -> Page | None:
    """The last record of one of `urls`, from the files of the latest run backwards; what is damaged is passed over."""
    for path in sorted((dataset.state / "warc").glob("*.warc.gz"), reverse=True):
        found = [page for page in warc.pages([path], on_damage=lambda _damage: None) if page.url in urls]
        if found:
            return found[-1]
    return None


def as_record(found: Examined) -> dict[str, Any]:
    """The verdict, the metadata and the blocks of a page, for scripts."""
    record = found.record
    return {
        "verdict": str(record.verdict),
        "reason": record.reason,
        "metadata": metadata_of(found),
        "text": record.text,
        "blocks": [
            {"kept": choice.kept, "score": round(choice.score, 4), "reason": choice.reason, "text": block.text}
            for block, choice in zip(found.blocks, found.choices, strict=True)
        ],
    }


def metadata_of(found: Examined) -> dict[str, Any]:
    """The fields of a page's record that hold something, as text, numbers and lists."""
    values = {field.name: getattr(found.record, field.name) for field in fields(found.record)}
    shown = {name: value for name, value in values.items() if name not in _UNSHOWN and value not in ("", None, (), -1)}
    return {name: value if isinstance(value, int | float | tuple) else _text(value) for name, value in shown.items()}


def _text(value: object) -> str:
    """A field as text; a time in UTC, as the dataset has it."""
    return str(value.astimezone(UTC) if isinstance(value, datetime) else value)


def as_html(found: Examined) -> str:
    """The page's blocks as a web page of their own, what was removed struck through."""
    return TEMPLATES.get_template("inspect.html").render(found=as_record(found))


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}.", "Give a path that can be written to.") from error


def show(found: Examined, out: Console) -> None:
    """Prints the verdict, the metadata and every block of a page."""
    seen = as_record(found)
    _line(out, f"{seen['verdict']}{': ' if seen['reason'] else ''}{seen['reason']}", "bold")
    for name, value in seen["metadata"].items():
        _line(out, f"{name}: {', '.join(map(str, value)) if isinstance(value, tuple) else value}", "dim")
    if seen["blocks"]:
        kept = sum(block["kept"] for block in seen["blocks"])
        _line(out, f"{kept} of {len(seen['blocks'])} blocks kept (+), the others struck out (-), by score", "bold")
    for block in seen["blocks"]:
        why = "" if block["kept"] else f"[{block['reason']}] "
        style = "" if block["kept"] else "strike dim"
        _line(
            out, f"{'+' if block['kept'] else '-'} {block['score']:.2f} {why}", "" if block["kept"] else "dim", end=""
        )
        _line(out, block["text"], style)


def _line(out: Console, text: str, style: str, end: str = "\n") -> None:
    printable = "".join(c if c.isprintable() else " " for c in text)  # pages may hold terminal codes
    out.print(Text(printable, style=style), soft_wrap=True, end=end)
