"""What recipes are told, in plain words, and how things are counted."""

from pathlib import Path

import pytest

from flows.config import read_recipe
from flows.errors import RecipeError
from flows.wording import count


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("threshold = 2", "topic.threshold: must be 'auto' or under 1; found 2"),
        ('threshold = "x"', "topic.threshold: must be 'auto' or a number; found \"x\""),
        ('languages = ["english"]', 'topic.languages[1]: must be a code of two or three letters, such as "en"'),
        ("my-key = 1", "topic.my-key: unknown key; allowed here: seeds, threshold"),
        ('[limits]\npages = "many"', 'limits.pages: must be a whole number; found "many"'),
        ("[limits]\npages = 0", "limits.pages: must be at least 1; found 0"),
        ('[sources]\nfeeds = ["ftp://x"]', "sources.feeds[1]: must be an address such as https://news.example/"),
        ('[network]\nallow_loopback = "yes"', 'network.allow_loopback: must be true or false; found "yes"'),
        ('[period]\nsince = "today"', "period.since: must be a date such as 2025-02-07, without quotes"),
        ('[schedule]\ncron = "6 am"', "schedule.cron: must have five fields"),
        ('[schedule]\ninterval = "6 hours"', "schedule.interval: must be a number of at least 1 with a unit, such as"),
        ('[schedule]\ntimezone = "Berlin"', 'schedule.timezone: must be a time zone such as "UTC" or "Europe/Berlin"'),
        ('[schedule]\ncron = "0 6 * * *"\ninterval = "6h"', "schedule: `cron` and `interval` cannot both be there"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wanted(tmp_path: Path, lines: str, said: str) -> None:
    """The message has the key as the recipe's author wrote it, what is wanted, and what was found."""
    path = tmp_path / "recipe.toml"
    path.write_text(f'[topic]\nseeds = ["*.txt"]\n{lines}\n', encoding="utf-8")
    with pytest.raises(RecipeError) as refused:
        read_recipe(path)
    assert said in refused.value.what
    assert "error" not in refused.value.what.lower()


def test_one_thing_is_no_plural() -> None:
    """A number has its noun in the right form, and thousands are set apart."""
    assert [count(1, "article"), count(0, "article"), count(1200, "copy", "copies")] == [
        "1 article",
        "0 articles",
        "1,200 copies",
    ]
