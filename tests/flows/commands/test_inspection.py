"""One page under the glass: from files and from the state's WARC files, on the terminal, as JSON and as a web page."""

import gzip
import io
import json
from pathlib import Path

import lxml.html
import pytest
from typer.testing import CliRunner, Result
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from cleaning.article.repeated import Host, HostLine, line_hash
from cleaning.extract import examine
from cleaning.schema import Page
from flows.cli import app
from flows.commands.inspection import as_html, as_record
from flows.repeated import write_known

PAGE = Path(__file__).parents[2] / "cleaning" / "pages" / "plain-article" / "page.html"
HOSTILE = (
    b"<html><title>a&lt;script>alert(1)&lt;/script></title><article><p>&lt;b>bold&lt;/b>\x1b[31m words &lt;img src=x>"
)


def likewise(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    (tmp_path / "seed.txt").write_text(" ".join(["The ministers met at the river."] * 30), encoding="utf-8")
    assert likewise("new", "rivers", "--seeds", "seed.txt").exit_code == 0
    return tmp_path


def store(home: Path, name: str, url: str, body: bytes) -> None:
    folder = home / "var" / "rivers" / "warc"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        with io.BytesIO(body) as payload:
            record = writer.create_warc_record(url, "response", payload=payload, http_headers=headers)
            writer.write_record(record)
            record.raw_stream.close()


def test_a_file_is_shown_block_by_block() -> None:
    """The terminal shows the verdict, the metadata, and each block with its sign and score; removed ones say why."""
    result = likewise("inspect", str(PAGE))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("kept")
    assert any(line.startswith("title: ") for line in lines)
    assert any(line.startswith("+ ") and "piles" in line for line in lines)
    assert any(line.startswith("- ") and "[" in line and "All rights reserved" in line for line in lines)


def test_json_holds_the_text_and_every_block(tmp_path: Path) -> None:
    """`--json` of a gzipped file is the record with its blocks, of which the kept ones make the text."""
    packed = tmp_path / "page.html.gz"
    packed.write_bytes(gzip.compress(PAGE.read_bytes()))
    found = json.loads(likewise("inspect", str(packed), "--json").stdout)
    assert found["verdict"] == "kept"
    kept = [block for block in found["blocks"] if block["kept"]]
    assert found["text"].split("\n\n") == [block["text"] for block in kept]
    assert all(block["reason"] for block in found["blocks"] if not block["kept"])
    assert all(0 <= block["score"] <= 1 for block in found["blocks"])


def test_a_web_page_strikes_through_what_was_removed(tmp_path: Path) -> None:
    """`--html` writes a page with the kept blocks plain and the removed ones struck out."""
    assert likewise("inspect", str(PAGE), "--html", str(tmp_path / "out.html")).exit_code == 0
    written = lxml.html.fromstring((tmp_path / "out.html").read_text(encoding="utf-8"))
    struck = [element.text_content() for element in written.iter("del")]
    choices = as_record(examine(Page("https://x.example/", PAGE.read_bytes())))["blocks"]
    assert struck == [block["text"] for block in choices if not block["kept"]]


def test_what_a_page_says_is_never_markup_nor_a_terminal_code(tmp_path: Path) -> None:
    """Tags in a page's text are escaped in the web page, and control characters do not reach the terminal."""
    examined = examine(Page("https://x.example/", HOSTILE))
    written = as_html(examined)
    assert "<script" not in written
    assert "<img" not in written
    (tmp_path / "page.html").write_bytes(HOSTILE)
    assert "\x1b" not in likewise("inspect", str(tmp_path / "page.html")).stdout


def test_a_url_is_found_in_the_state(home: Path) -> None:
    """A URL is looked up in the WARC files of the dataset, and the latest record of it is shown."""
    store(home, "20251118T100000Z-00000.warc.gz", "https://n.example/a", b"<html><p>an old edition of the page</p>")
    store(home, "20251119T100000Z-00000.warc.gz", "https://n.example/a", PAGE.read_bytes())
    store(home, "20251120T100000Z-00000.warc.gz", "https://n.example/b", b"<html><p>another page</p>")
    found = json.loads(likewise("inspect", "https://n.example/a", "--dataset", "rivers", "--json").stdout)
    assert found["verdict"] == "kept"
    assert found["metadata"]["url"] == "https://n.example/a"
    assert found["metadata"]["warc_file"].startswith("20251119")


def test_lines_that_were_learned_are_struck_out_with_their_support(home: Path) -> None:
    """With a dataset, what repeats on the page's host is shown as removed, with how many articles have it."""
    store(home, "20251120T100000Z-00000.warc.gz", "https://n.example/a", PAGE.read_bytes())
    shown = ("inspect", "https://n.example/a", "--dataset", "rivers", "--json")
    before = json.loads(likewise(*shown).stdout)
    last = before["text"].split("\n\n")[-1]
    host = Host(lines=(HostLine(line_hash(last), last, 12, 0.8, None, None),))
    write_known(home / "var" / "rivers" / "furniture.parquet", {"n.example": host})
    after = json.loads(likewise(*shown).stdout)
    assert after["text"].split("\n\n") == before["text"].split("\n\n")[:-1]
    (struck,) = [block for block in after["blocks"] if block["text"] == last]
    assert (struck["kept"], struck["reason"]) == (False, "repeats in 12 articles of the host (80%)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.html"], "no such file"),
        (["https://n.example/a"], "https://n.example/a: a URL is looked up"),
        (["https://n.example/a"], "--dataset NAME (here: rivers)"),
        (["https://n.example/a", "--dataset", "rivers"], "no record"),
        (["broken.html.gz"], "broken.html.gz"),
        (["seed.txt", "--html", "seed.txt/out.html"], "cannot be written"),
    ],
)
def test_what_is_not_there_is_told(home: Path, arguments: list[str], said: str) -> None:
    """A missing file, an unknown URL, a broken file and an impossible output end with exit code 2 and a remedy."""
    (home / "broken.html.gz").write_bytes(b"\x1f\x8bbroken")
    result = likewise("inspect", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "What to do:" in result.stderr


def test_a_page_that_is_turned_away_shows_its_verdict(tmp_path: Path) -> None:
    """A file that is no web page has a verdict and a reason, and no blocks."""
    (tmp_path / "page.html").write_bytes(b"%PDF-1.7")
    found = json.loads(likewise("inspect", str(tmp_path / "page.html"), "--json").stdout)
    assert (found["verdict"], found["blocks"]) == ("not_html", [])


def test_times_are_shown_as_the_dataset_has_them() -> None:
    """A time that the page gives in its own zone is shown in UTC."""
    page = b'<meta property="article:published_time" content="2025-06-03T09:00:00+02:00"><p>' + b"River talks. " * 40
    found = as_record(examine(Page("https://a.example/x", page)))
    assert found["metadata"]["published_at"] == "2025-06-03 07:00:00+00:00"
