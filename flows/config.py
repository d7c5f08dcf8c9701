"""Reads recipe.toml and the environment, once, into frozen options that are passed down; nothing else reads them."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from glob import glob
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from cleaning.article.boilerplate import CleanSeed, clean_seed
from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions
from cleaning.urls import canonical
from crawler.apis import GDELT
from crawler.options import CrawlOptions, Limits, Network, Politeness
from flows.destinations.addresses import ADDRESS
from flows.errors import RecipeError
from flows.scheduling.timetable import check_cron, parse_interval
from flows.wording import sentences

HOME_VARIABLE = "LIKEWISE_HOME"
RECIPE_NAME = "recipe.toml"


def _fetchable(url: str) -> str:
    if canonical(url) is None:
        raise ValueError("is no http(s) URL that can be asked for: look at its host and its port")
    return url


HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+"), AfterValidator(_fetchable)]
FolderUrl = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+]*://([^\s/@]+(/\S*)?|/\S+)$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
ReplicaAddress = Annotated[str, StringConstraints(pattern=ADDRESS)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TopicSection(_Section):
    """Which texts the dataset grows from, and how near to them an article must be."""

    seeds: Annotated[list[str], Field(min_length=1)]
    threshold: Literal["auto"] | Annotated[float, Field(gt=0, lt=1)] = "auto"
    width: Literal["auto", "narrow", "wide"] = "auto"
    languages: list[Language] = []


class SourcesSection(_Section):
    """Where articles are looked for; a bare site is searched for feeds and sitemaps of its own."""

    sites: list[HttpUrl] = []
    feeds: list[HttpUrl] = []
    sitemaps: list[HttpUrl] = []
    sections: list[HttpUrl] = []
    archives: list[HttpUrl] = []
    gdelt: bool | HttpUrl = False

    def __len__(self) -> int:
        return sum(len(found) for found in self.lists().values()) + bool(self.gdelt)

    def lists(self) -> dict[str, tuple[str, ...]]:
        """The addresses by the kind of source."""
        return {key: tuple(getattr(self, key)) for key in type(self).model_fields if key != "gdelt"}

    @property
    def gdelt_endpoint(self) -> str:
        """The GDELT interface to ask: the public one, or the recipe's; "" for none."""
        return GDELT if self.gdelt is True else self.gdelt or ""


class PeriodSection(_Section):
    """The publication dates that are wanted; a date alone means its midnight in UTC, `until` is not included."""

    since: datetime | None = None
    until: datetime | None = None

    @field_validator("since", "until", mode="before")
    @classmethod
    def _aware(cls, value: Any) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("`since` must be before `until`")
        return self


class LimitsSection(_Section):
    """How much a run may fetch, and the shortest article that counts."""

    pages: Annotated[int, Field(ge=1)] = 2_000
    pages_per_host: Annotated[int, Field(ge=1)] = 500
    minutes: Annotated[float, Field(gt=0)] = 60.0
    depth: Annotated[int, Field(ge=0, le=20)] = 3
    exploration: Annotated[float, Field(ge=0, le=1)] = 0.05
    words: Annotated[int, Field(ge=1)] = 60


class CleanSection(_Section):
    """What the text of an article is: with its lede or not, with the lines that its host repeats or not."""

    lede: bool = True
    repeated: Literal["remove", "keep"] = "remove"


class PolitenessSection(_Section):
    """How the crawl asks: a contact for its user agent, seconds between requests, and what opt-outs mean."""

    contact: str = ""
    delay: Annotated[float, Field(ge=0, le=3600)] = 1.0
    rights: Literal["strict", "record"] = "strict"


class NetworkSection(_Section):
    """Where the crawl may connect; for tests and intranets."""

    allow_loopback: bool = False
    ports: list[Annotated[int, Field(ge=1, le=65535)]] = [80, 443]
    resolve: dict[str, str] = {}


class CopiesSection(_Section):
    """For which of these reasons a later copy takes the place of the article that stands for its cluster."""

    representative: list[Literal["agency", "earliest", "complete"]] = ["agency", "earliest", "complete"]


class PublishSection(_Section):
    """What readers get: how much of the text, paywalled articles or not, the licence named on the card, and where."""

    text: Literal["full", "excerpt", "none"] = "full"
    paywalled: bool = False
    license: str = "other"
    splits: Literal["none", "year", "month"] = "none"
    to: list[ReplicaAddress] = []


class ExpectSection(_Section):
    """What a version must have before readers get it: so many articles, and no larger a drop in their number."""

    articles: Annotated[int, Field(ge=0)] = 0
    drop: Annotated[float, Field(ge=0, le=1)] = 0.2


class ScheduleSection(_Section):
    """When runs are due, for `likewise serve`: a cron expression in a time zone, or an interval."""

    cron: str = ""
    interval: str = ""
    timezone: str = "UTC"

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        return check_cron(value) if value else value

    @field_validator("interval")
    @classmethod
    def _with_unit(cls, value: str) -> str:
        if value:
            parse_interval(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError('must be a time zone such as "UTC" or "Europe/Berlin"')
        return value

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.cron and self.interval:
            raise ValueError("`cron` and `interval` cannot both be there: take one out")
        return self


class RunSection(_Section):
    """What a run's parts are spread over, where that is found, and where the run and its workers meet."""

    runner: Literal["threads", "processes", "ray", "dask"] = "threads"
    address: str = ""
    work: FolderUrl = ""

    @model_validator(mode="after")
    def _of_a_cluster(self) -> Self:
        if self.address and self.runner not in ("ray", "dask"):
            raise ValueError('`run.address` is that of a cluster: take it out, or set `run.runner` to "ray" or "dask"')
        if self.work and self.runner == "threads":
            raise ValueError("`run.work` is where workers meet, and threads have none: take it out")
        return self


class Recipe(_Section):
    """What a dataset is; the tables of recipe.toml."""

    title: str = ""
    description: str = ""
    topic: TopicSection
    sources: SourcesSection = SourcesSection()
    period: PeriodSection = PeriodSection()
    limits: LimitsSection = LimitsSection()
    clean: CleanSection = CleanSection()
    politeness: PolitenessSection = PolitenessSection()
    network: NetworkSection = NetworkSection()
    copies: CopiesSection = CopiesSection()
    publish: PublishSection = PublishSection()
    expect: ExpectSection = ExpectSection()
    schedule: ScheduleSection = ScheduleSection()
    run: RunSection = RunSection()

    @model_validator(mode="after")
    def _polite_to_others(self) -> Self:
        if self.politeness.delay < 1 and not self.network.allow_loopback:
            raise ValueError("`politeness.delay` may be under 1 second only with `network.allow_loopback = true`")
        return self


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed as cleaned: its file's stem as `name`, and its article text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A recipe with its place on disk: `folder` holds it and what is published, `state` what runs leave behind."""

    name: str
    folder: Path
    state: Path
    recipe: Recipe

    @property
    def recipe_path(self) -> Path:
        """The recipe's file."""
        return self.folder / RECIPE_NAME

    def with_expectations(self, **expect: float) -> "Dataset":
        """The same dataset with other expectations of a version, for changes that people ask for."""
        recipe = self.recipe.model_copy(update={"expect": self.recipe.expect.model_copy(update=expect)})
        return replace(self, recipe=recipe)

    def seeds(self) -> tuple[Seed, ...]:
        """The seeds, cleaned of their furniture, in the order of their names.

        Raises:
            RecipeError: no file matches, or one is empty, binary or no text.
        """
        return tuple(_read_seed(path) for path in self._seed_paths())

    def seed_names(self) -> list[str]:
        """The names of the seeds, whether or not they can be read."""
        return sorted({Path(match).stem for pattern in self.recipe.topic.seeds for match in self._matches(pattern)})

    def _matches(self, pattern: str) -> list[str]:
        return glob(str(self.folder / pattern), recursive=True)  # noqa: PTH207 - Path.glob knows no ".."

    def _seed_paths(self) -> list[Path]:
        found: set[Path] = set()
        for pattern in self.recipe.topic.seeds:
            matches = self._matches(pattern)
            if not matches:
                raise RecipeError(
                    f"{self.recipe_path}: topic.seeds: no file matches {pattern!r} (looked in {self.folder}).",
                    "Name text files that exist, one article each; paths are relative to the recipe.",
                )
            found.update(Path(match) for match in matches)
        return sorted(found, key=lambda path: (path.name, path))


def called_as(environ: Mapping[str, str] | None = None) -> str:
    """How the user starts likewise, for advice on what to type next: below `uv run` it is not on their path."""
    found = os.environ if environ is None else environ
    return "uv run likewise" if "UV_RUN_RECURSION_DEPTH" in found else "likewise"


def python_as(environ: Mapping[str, str] | None = None) -> str:
    """How the user starts the Python that has likewise's packages."""
    return called_as(environ).replace("likewise", "python")


def load_dataset_config(name_or_path: str, environ: Mapping[str, str] | None = None) -> Dataset:
    """The dataset that a user names: `kremlin-meetings`, its folder, or its recipe file.

    Args:
        name_or_path: a name is looked up as `datasets/<name>/recipe.toml` below the current folder.
        environ: the environment; `LIKEWISE_HOME` moves the state away from `var/` beside `datasets/`.

    Raises:
        RecipeError: there is no such recipe, or it is not a valid one.
    """
    path = _recipe_path(name_or_path)
    folder = path.parent
    home = (os.environ if environ is None else environ).get(HOME_VARIABLE)
    beside = folder.parent.parent if folder.parent.name == "datasets" else folder
    state = (Path(home) if home else beside / "var") / folder.name
    return Dataset(folder.name, folder, state.absolute(), read_recipe(path))


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file.

    Raises:
        RecipeError: the file cannot be read, is not TOML, or has a key or a value that is not allowed; the message
            gives the file, the key, what was found and what is allowed.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"{path}: cannot be read: {error}.", "Check the path, the permissions and that it is UTF-8 text."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(
            f"{path}: not valid TOML: {error}.", "Mend that line; docs/recipe.md shows every key."
        ) from error
    except ValidationError as error:
        raise RecipeError(
            f"{path}: " + "; ".join(sentences(error.errors(), _allowed_keys)) + ".",
            "docs/recipe.md lists the keys and their values.",
        ) from error


def crawl_options(
    dataset: Dataset, run_id: str, urls: tuple[str, ...] = (), labels: tuple[Label, ...] = ()
) -> CrawlOptions:
    """What the crawl of a run is told. With `urls`, it fetches exactly these and looks for no others."""
    recipe = dataset.recipe
    limits, sources = recipe.limits, recipe.sources
    found: dict[str, Any] = {"urls": urls} if urls else sources.lists() | {"gdelt": sources.gdelt_endpoint}
    return CrawlOptions(
        run_id=run_id,
        state=dataset.state,
        seeds=tuple(seed.text for seed in dataset.seeds()),
        topic=TopicOptions(recipe.topic.threshold, recipe.topic.width),
        labels=labels,
        since=recipe.period.since,
        until=recipe.period.until,
        limits=Limits(
            pages=limits.pages,
            pages_per_host=limits.pages_per_host,
            seconds=limits.minutes * 60,
            depth=limits.depth,
            exploration=limits.exploration,
        ),
        politeness=Politeness(**recipe.politeness.model_dump()),
        network=Network(recipe.network.allow_loopback, tuple(recipe.network.ports), dict(recipe.network.resolve)),
        **found,
    )


def _recipe_path(name_or_path: str) -> Path:
    given = Path(name_or_path)
    candidates = [given, given / RECIPE_NAME, Path("datasets") / name_or_path / RECIPE_NAME]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    known = sorted(path.parent.name for path in Path("datasets").glob(f"*/{RECIPE_NAME}"))
    raise RecipeError(
        f"There is no recipe for {name_or_path!r} (looked for {candidates[-1]}).",
        f"Known here: {', '.join(known) or 'none'}. `likewise new NAME --seeds FILES` makes one.",
    )


def _allowed_keys(loc: Sequence[Any]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in loc:
        model = model.model_fields[part].annotation  # type: ignore[assignment]
    return list(model.model_fields)


def _read_seed(path: Path) -> Seed:
    try:
        cleaned: CleanSeed = clean_seed(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise RecipeError(
            f"{path}: this seed cannot be read: {error.strerror}.", "Mend it, or take it out of topic.seeds."
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path}: this seed is no UTF-8 text: {error}.", "Save the article as a plain text file."
        ) from error
    if "\x00" in cleaned.text or not cleaned.text.strip():
        raise RecipeError(
            f"{path}: this seed holds no article text.",
            "Put one article's text into it, or take it out of topic.seeds.",
        )
    title = f"{cleaned.title}\n\n" if cleaned.title else ""
    return Seed(path.stem, title + cleaned.text)
