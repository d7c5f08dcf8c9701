"""The table of docs/crawler.md that names a test for each thing that users of other crawlers ask for."""

import re

from tests.crawler.conftest import REPOSITORY

_NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_each_complaint_names_tests_that_exist() -> None:
    """Every row of the table has one, in the file that it names."""
    text = (REPOSITORY / "docs/crawler.md").read_text(encoding="utf-8")
    rows = text.partition("## What users of other crawlers ask for")[2].strip().splitlines()[2:]
    assert len(rows) >= 15
    for row in rows:
        found = _NAMED.findall(row)
        assert found, row
        for file, name in found:
            source = (REPOSITORY / "tests/crawler" / file).read_text(encoding="utf-8")
            assert f"def {name}(" in source, f"{file}::{name}"
