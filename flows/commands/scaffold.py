"""Makes the folder and the recipe of a new dataset from seed files."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from cleaning.article.boilerplate import clean_seed
from flows.config import RECIPE_NAME, read_recipe
from flows.errors import InputError
from flows.runs import write_text

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_COMMENTS_AT = 31

_RECIPE = """\
# What this dataset is. docs/recipe.md explains every key; `likewise doctor {name}` checks this file.
title = "{name}"
description = "News articles like {count} seed article{plural}."

[topic]
seeds = ["../../seeds/{name}/*.txt"]
threshold = "auto"              # or the least similarity to a seed, 0..1
languages = []                  # for instance ["en"]; empty: any

[sources]
{sites} # bare site URLs; their feeds and sitemaps are found
feeds = []                      # RSS, Atom and JSON feeds
sitemaps = []                   # sitemaps and news sitemaps

[limits]
pages = 2000                    # a run
minutes = 60.0

[politeness]
contact = ""                    # a URL or e-mail address at which publishers reach you
delay = 1.0                     # seconds between requests to a host, at least 1
rights = "strict"               # honour opt-outs from text and data mining; "record" only notes them

[publish]
text = "full"                   # or "excerpt", or "none"
license = "other"
"""


def new_dataset(name: str, seeds: Sequence[Path], sites: Sequence[str], root: Path) -> Path:
    """Writes `datasets/<name>/recipe.toml` and copies the seeds to `seeds/<name>/`, below `root`.

    Returns:
        The recipe's path.

    Raises:
        InputError: the name is not usable or taken, a seed holds no article text, or a site is no address.
    """
    recipe = root / "datasets" / name / RECIPE_NAME
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be a dataset's name.", "Use lower-case letters, digits and dashes.")
    if recipe.exists():
        raise InputError(f"{recipe}: this dataset exists already.", "Edit its recipe, or choose another name.")
    for seed in seeds:
        check_seed(seed)
    for site in sites:
        if not re.match(r"https?://[^\s/]+", site):
            raise InputError(f"{site!r} is no address of a site.", "Give one such as https://news.example/.")
    shelf = root / "seeds" / name
    shelf.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        shutil.copyfile(seed, shelf / f"{seed.stem}.txt")
    quoted = ", ".join(f'"{site}"' for site in sites)
    named = {"name": name, "count": len(seeds), "plural": "" if len(seeds) == 1 else "s"}
    write_text(recipe, _RECIPE.format(**named, sites=f"sites = [{quoted}]".ljust(_COMMENTS_AT)))
    read_recipe(recipe)
    return recipe


def check_seed(path: Path) -> None:
    """Makes sure that a seed is a text file with an article in it.

    Raises:
        InputError: it cannot be read, is binary, not UTF-8, or empty once its furniture is gone.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}.", "Name text files with an article each."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text: {error}.", "Save the article as a plain text file.") from error
    if "\x00" in text or not clean_seed(text).text.strip():
        raise InputError(f"{path}: holds no article text.", "Put the text of one article into it.")
