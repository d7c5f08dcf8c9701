from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.config import crawl_options, load_dataset_config, read_recipe
from flows.errors import RecipeError

ARTICLE = (
    "The ministers met on Monday.\n\n"
    + "They spoke about the harvest and the roads of the northern province for an hour. " * 6
)


def write_recipe(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[topic]\nseeds = ["a.txt"]\ncolour = 1\n', "topic.colour: unknown key; allowed here: seeds, threshold"),
        ('[topic]\nseeds = "a.txt"\n', "topic.seeds"),
        ("[topic]\nseeds = []\n", "topic.seeds"),
        ('[topic]\nseeds = ["a"]\nthreshold = 7.0\n', "topic.threshold"),
        ('[topic]\nseeds = ["a"]\n[sources]\nfeeds = ["ftp://x"]\n', "sources.feeds"),
        (
            '[topic]\nseeds = ["a"]\n[sources]\nsites = ["https://a.example:99999/"]\n',
            "is no http(s) URL that can be asked for",
        ),
        (
            '[topic]\nseeds = ["a"]\n[period]\nsince = 2025-02-01\nuntil = 2025-01-01\n',
            "`since` must be before `until`",
        ),
        ('[topic]\nseeds = ["a"]\n[sources]\ngdelt = "http://a:b/"\n', "sources.gdelt: is no http(s) URL"),
        ('[topic]\nseeds = ["a"]\n[limits]\npages = 0\n', "limits.pages"),
        ('[topic]\nseeds = ["a"]\n[run]\nrunner = "spark"\n', "run.runner"),
        ('[topic]\nseeds = ["a"]\n[run]\nrunner = "ray"\nwork = "bucket"\n', "run.work"),
        ('[topic]\nseeds = ["a"]\n[run]\nrunner = "ray"\nwork = "sftp://me:secret@a/b"\n', "run.work"),
        (
            '[topic]\nseeds = ["a"]\n[run]\nrunner = "processes"\naddress = "a:1"\n',
            "`run.address` is that of a cluster",
        ),
        ('[topic]\nseeds = ["a"]\n[run]\nwork = "s3://a/b"\n', "`run.work` is where workers meet"),
        ('[topic]\nseeds = ["a"]\n[limits]\npages = "many"\n', 'found "many"'),
        ('[topic]\nseeds = ["a"]\n[politeness]\ndelay = 0.1\n', "under 1 second only with"),
        ('[topic]\nseeds = ["a"]\n[politeness]\nrights = "ignore"\n', "politeness.rights"),
        ('title = "x"\n', "topic: missing"),
        ("[topic\n", "not valid TOML"),
    ],
)
def test_a_bad_recipe_is_refused_with_file_key_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    """A recipe that cannot be used is refused with its file, the key, what was found or what is allowed."""
    path = write_recipe(tmp_path, text)
    with pytest.raises(RecipeError) as refused:
        read_recipe(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_a_recipe_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A binary file in the recipe's place is an error with a remedy, not a trace."""
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(path)


def test_dates_alone_mean_midnight_utc(tmp_path: Path) -> None:
    """`since = 2025-02-01` means the first moment of that day in UTC."""
    recipe = read_recipe(write_recipe(tmp_path, '[topic]\nseeds = ["a"]\n[period]\nsince = 2025-02-01\n'))
    assert recipe.period.since == datetime(2025, 2, 1, tzinfo=UTC)


def test_a_dataset_is_found_by_name_folder_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name below datasets/, the folder and the recipe's path all lead to the same dataset, with its state in var/."""
    path = write_recipe(tmp_path / "datasets" / "roads", '[topic]\nseeds = ["a"]\n')
    monkeypatch.chdir(tmp_path)
    found = [load_dataset_config(given, {}) for given in ("roads", str(path.parent), str(path))]
    assert {dataset.recipe_path for dataset in found} == {path}
    assert {dataset.state for dataset in found} == {tmp_path / "var" / "roads"}


def test_the_home_variable_moves_the_state(tmp_path: Path) -> None:
    """LIKEWISE_HOME decides where the state lies."""
    path = write_recipe(tmp_path / "datasets" / "roads", '[topic]\nseeds = ["a"]\n')
    assert (
        load_dataset_config(str(path), {"LIKEWISE_HOME": str(tmp_path / "elsewhere")}).state
        == tmp_path / "elsewhere" / "roads"
    )


def test_an_unknown_dataset_names_the_known_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for an unknown name lists the datasets that there are."""
    write_recipe(tmp_path / "datasets" / "roads", '[topic]\nseeds = ["a"]\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="Known here: roads"):
        load_dataset_config("rivers", {})


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\x00\x01\x02\xff\xfe", b"Share\n\nMost Popular\n"])
def test_an_empty_or_binary_seed_is_named(tmp_path: Path, content: bytes) -> None:
    """A seed without article text is refused by its name."""
    path = write_recipe(tmp_path, '[topic]\nseeds = ["*.txt"]\n')
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(RecipeError, match=r"bad\.txt"):
        load_dataset_config(str(path), {}).seeds()


def test_seeds_that_match_nothing_are_an_error(tmp_path: Path) -> None:
    """A pattern without a match says where it looked."""
    path = write_recipe(tmp_path, '[topic]\nseeds = ["seeds/*.txt"]\n')
    with pytest.raises(RecipeError, match="no file matches"):
        load_dataset_config(str(path), {}).seeds()


def test_crawl_options_survive_json(tmp_path: Path) -> None:
    """What the crawl's process reads is what the recipe said."""
    path = write_recipe(
        tmp_path,
        '[topic]\nseeds = ["*.txt"]\n[sources]\nsites = ["https://a.example/"]\n[period]\nsince = 2025-02-01\n',
    )
    (tmp_path / "one.txt").write_text(ARTICLE, encoding="utf-8")
    options = crawl_options(load_dataset_config(str(path), {}), "r1")
    assert type(options).from_json(options.to_json()) == options
    assert options.sites == ("https://a.example/",)
    assert options.since == datetime(2025, 2, 1, tzinfo=UTC)
