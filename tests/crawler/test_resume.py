"""A crawl that is killed or stopped at any moment goes on where it was."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from crawler.outcomes import outcomes
from crawler.process import FAILED, UNREACHABLE, main
from crawler.state import locked
from crawler.warc import pages
from tests.crawler.conftest import crawl, make_options, start
from tests.crawler.web import OFF_TOPIC, SEED, Web, article, feed

DATE = "Tue, 18 Nov 2025 10:00:00 GMT"
HOSTS, EACH = 4, 30


def build(web: Web, seconds: float = 0.0) -> set[str]:
    """Some papers with a feed; the URLs of their articles."""
    urls = set()
    for h in range(HOSTS):
        host = f"paper{h}.test"
        items = []
        for i in range(EACH):
            title = f"Velmar crossing talks part {i}" if i % 3 else f"Pruning apple trees part {i}"
            path = f"/2025/11/18/{title.lower().replace(' ', '-')}"
            text = f"{SEED if i % 3 else OFF_TOPIC}\n\n{host} {i}"
            web.add(host, path, article(title, text), seconds=seconds)
            items.append((web.url(host, path), title, DATE))
            urls.add(web.url(host, path))
        web.add(host, "/feed", feed(items), type="application/rss+xml")
    return urls


def feeds(web: Web) -> tuple[str, ...]:
    """The feeds of the papers."""
    return tuple(web.url(f"paper{h}.test", "/feed") for h in range(HOSTS))


def wait_for(process: "subprocess.Popen[str]", web: Web, count: int) -> None:
    """Waits until the web had some requests, or the process is over."""
    deadline = time.monotonic() + 30
    while len(web.hits) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_killed_crawl_loses_and_repeats_nothing(web: Web, tmp_path: Path) -> None:
    """After SIGKILLs at random moments every page is there once, in whole files, and hardly one was asked for twice."""
    urls = build(web)
    options = make_options(web, tmp_path / "state", feeds=feeds(web), politeness={"delay": 0.05})
    chance = random.Random(5)
    for _ in range(2):
        process = start(options)
        wait_for(process, web, len(web.hits) + chance.randint(15, 40))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    run = crawl(options)
    assert run.code == 0, run.log
    stored = [page.url for page in pages(sorted((options.state / "warc").iterdir()))]
    assert sorted(stored) == sorted(urls)
    asked = Counter(hit.path + hit.host for hit in web.hits if "/2025/" in hit.path)
    assert sum(asked.values()) - len(asked) <= 2 * HOSTS
    assert not list((options.state / "warc").glob("*.open"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_close_in_good_order(web: Web, tmp_path: Path, number: int, code: int) -> None:
    """The process ends soon with the signal's code, its file is whole, and the run can be resumed."""
    urls = build(web)
    options = make_options(web, tmp_path / "state", feeds=feeds(web), politeness={"delay": 0.1})
    process = start(options)
    wait_for(process, web, 30)
    process.send_signal(number)
    began = time.monotonic()
    process.communicate(timeout=20)
    assert process.returncode == code
    assert time.monotonic() - began < 10
    stored = [page.url for page in pages(sorted((options.state / "warc").iterdir()))]
    assert 0 < len(stored) < len(urls)
    if number is signal.SIGTERM:
        run = crawl(options)
        assert run.code == 0, run.log
        assert {outcome.url for outcome in outcomes(options.state, "r1") if outcome.verdict == "kept"} == urls


def test_one_crawl_at_a_time(
    web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process on the same state is refused with a clear message."""
    options = make_options(web, tmp_path / "state", feeds=feeds(web))
    (tmp_path / "o.json").write_text(options.to_json(), encoding="utf-8")
    monkeypatch.setattr("crawler.state.LOCK_SECONDS", 0.0)
    with locked(options.state):
        assert main([str(tmp_path / "o.json")]) == FAILED
    assert "in use by another crawl" in caplog.text


def test_budgets_end_a_run_in_good_order(web: Web, tmp_path: Path) -> None:
    """A run of ten pages fetches ten, and says of the others that the budget was over; the next run goes on."""
    urls = build(web)
    first = crawl(make_options(web, tmp_path / "state", "r1", feeds=feeds(web), limits={"pages": 10}))
    assert first.code == 0
    assert first.stats["fetched"] == 10
    assert first.stats["skipped"]["over_budget"] == len(urls) - 10
    assert all("velmar" in o.url for o in first.outcomes.values() if o.verdict == "kept"), "best first"
    second = crawl(make_options(web, tmp_path / "state", "r2", feeds=feeds(web)))
    assert second.stats["fetched"] == len(urls) - 10


def test_unreachable_sources_are_told(web: Web, tmp_path: Path) -> None:
    """Where no source could be read the exit code says so."""
    web.add("down.test", "/feed", "error", status=500)
    options = make_options(web, tmp_path / "state", feeds=(web.url("down.test", "/feed"), "http://none.invalid/feed"))
    run = crawl(options)
    assert run.code == UNREACHABLE, run.log
    assert run.stats["unreachable"] is True
    web.add("down.test", "/feed", feed([]), type="application/rss+xml")
    assert crawl(options).code == 0, "the same run asks again"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": ["too short"]}, "whole text"),
        ({"feeds": ["ftp://example.com/feed"]}, "no http(s) URL"),
        ({"feeds": []}, "no sources"),
        ({"politeness": {"rights": "none"}}, "rights"),
        ({"limits": {"page": 5}}, "unexpected keyword argument"),
        ({"colour": "red"}, "unknown options colour"),
        ({"since": "yesterday"}, "Invalid isoformat"),
    ],
)
def test_bad_options_are_refused(
    web: Web, tmp_path: Path, change: dict[str, object], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each mistake has its message and the exit code 1."""
    options = json.loads(make_options(web, tmp_path / "state", feeds=(web.url("a.test", "/feed"),)).to_json())
    (tmp_path / "o.json").write_text(json.dumps(options | change), encoding="utf-8")
    assert main([str(tmp_path / "o.json")]) == FAILED
    assert words in caplog.text


def test_a_full_disk_is_told_and_nothing_is_lost(web: Web, tmp_path: Path) -> None:
    """A folder that cannot be written ends the crawl with a clear message."""
    build(web)
    options = make_options(web, tmp_path / "state", feeds=feeds(web))
    options.state.mkdir()
    (options.state / "warc").write_text("not a folder", encoding="utf-8")
    run = crawl(options)
    assert run.code == FAILED
    assert "start again: the crawl resumes" in run.log
