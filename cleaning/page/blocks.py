"""A page's visible text as blocks in reading order, each with where it stands in the markup."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree
from lxml.html import HtmlElement

from cleaning.language import extent
from cleaning.page.decode import tidy
from cleaning.page.families import bit_of, families
from cleaning.page.tags import CELLS, INLINE, SKIPPED

MAX_BLOCKS = 6_000
"""Blocks of a page that are looked at; the rest of a longer page is left out, so that its cost stays bounded."""
_MAX_DEPTH = 400
_LONG_CELL = 200
"""Characters of a cell that is no item of a row but a column of the page."""

REGIONS = (
    "article",
    "main",
    "aside",
    "header",
    "footer",
    "form",
    "figure",
    "table",
    "ul",
    "ol",
    "blockquote",
    "section",
    "nav",
    "button",
    "template",
    "details",
    "dl",
    "figcaption",
    "articleBody",
)
"""Ancestors that say what a block is part of, in the order of the bits of `Container.regions`."""
_HIDDEN = bit_of("hidden")
_REGION_BIT = {name: 1 << i for i, name in enumerate(REGIONS)}


@dataclass(slots=True)
class Container:
    """A block-level element.

    `parent` is an index, -1 for the root; `own` the mask of its class families, `far` and `regions` the masks of
    families and regions with those of its ancestors. `chars`, `link_chars`, `blocks` and `paragraph_chars` are sums
    over all that is inside, the characters in letters of an alphabet (`Block.extent`).
    """

    parent: int
    tag: str
    signature: str
    own: int
    far: int
    regions: int
    depth: int
    chars: int = 0
    link_chars: int = 0
    blocks: int = 0
    paragraph_chars: int = 0


@dataclass(slots=True)
class Block:
    """A run of text between two block boundaries. `container` is the index of its nearest block-level element.

    `extent` is its length in letters of an alphabet (`language.extent`), by which short and long are told.
    """

    text: str
    container: int
    link_chars: int
    links: int
    strong_chars: int = 0
    after_break: bool = False
    extent: int = field(default=-1, compare=False)

    def __post_init__(self) -> None:
        """Measures the text once; most are ASCII, whose extent is their length."""
        self.extent = extent(self.text)


@dataclass(slots=True)
class Segments:
    """The blocks of a page in reading order, and the containers they lie in, outer before inner."""

    blocks: list[Block] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)

    def tag(self, block: Block) -> str:
        """The name of the element that a block lies in."""
        return self.containers[block.container].tag

    def ancestors(self, block: Block) -> Iterator[Container]:
        """The containers of a block, inner before outer."""
        index = block.container
        while index >= 0:
            yield self.containers[index]
            index = self.containers[index].parent


class _Walk:
    """The state of one pass over a tree: the open containers, and the text of the block in the making."""

    def __init__(self) -> None:
        self.found = Segments()
        self.stack: list[int] = []
        self.names = [""]
        self.parts: list[str] = []
        self.link_depth = self.link_chars = self.links = self.strong_depth = self.strong_chars = 0
        self.breaks = 0
        self.after_break = False

    def text(self, text: str | None) -> None:
        if not text:
            return
        self.parts.append(text)
        if self.link_depth or self.strong_depth:
            length = len(text.strip())
            self.link_chars += length if self.link_depth else 0
            self.strong_chars += length if self.strong_depth else 0
        if self.breaks and not text.isspace():
            self.breaks = 0

    def line_break(self) -> None:
        """Two breaks in a row end a paragraph, one is a space."""
        self.breaks += 1
        if self.breaks > 1:
            self.flush()
            self.after_break = True
        else:
            self.parts.append("\n")

    def open(self, element: HtmlElement, tag: str) -> None:
        self.flush()
        self.after_break = False
        parent = self.found.containers[self.stack[-1]] if self.stack else None
        own, region, name = _said_by(dict(element.items()))
        region |= _REGION_BIT.get(tag, 0)
        signature = f"{self.names[-1]}/{tag}.{name}"
        self.stack.append(len(self.found.containers))
        self.names.append(signature.rpartition("/")[2])
        self.found.containers.append(
            Container(
                parent=self.stack[-2] if parent else -1,
                tag=tag,
                signature=signature,
                own=own,
                far=own | (parent.far if parent else 0),
                regions=region | (parent.regions if parent else 0),
                depth=len(self.stack),
            )
        )

    def cell(self) -> None:
        """Ends a table cell: short cells of a row make one block, long ones (tables that lay out a page) their own."""
        if sum(map(len, self.parts)) > _LONG_CELL:
            self.flush()
        elif self.parts:
            self.parts.append(" | ")

    def close(self) -> None:
        self.flush()
        self.after_break = False
        self.stack.pop()
        self.names.pop()

    def flush(self) -> None:
        """Ends the block in the making."""
        if self.parts:
            text = " ".join("".join(self.parts).split()).removesuffix(" |")
            if text and not text.isascii():
                text = tidy(text).strip()
            if text and self.stack and len(self.found.blocks) < MAX_BLOCKS:
                self.found.blocks.append(
                    Block(
                        text,
                        self.stack[-1],
                        min(self.link_chars, len(text)),
                        self.links,
                        min(self.strong_chars, len(text)),
                        self.after_break,
                    )
                )
            self.parts.clear()
        self.link_chars = self.links = self.strong_chars = self.breaks = 0


def _said_by(attributes: Mapping[str, str]) -> tuple[int, int, str]:
    """The families and the region that an element's attributes speak for, and its class names."""
    name = attributes.get("class", "")
    region = _REGION_BIT["articleBody"] if attributes.get("itemprop") == "articleBody" else 0
    style = attributes.get("style", "")
    is_hidden = "hidden" in attributes or ("display" in style and "none" in style)
    return families(f"{name} {attributes.get('id', '')}") | (_HIDDEN if is_hidden else 0), region, name


def segment(tree: HtmlElement) -> Segments:
    """Splits the body of a page into blocks; scripts, forms' controls, navigation and frames are passed over.

    At most `MAX_BLOCKS` blocks are returned. `tree` is not changed.
    """
    walk = _Walk()
    body = tree.find("body")
    walker = etree.iterwalk(body if body is not None else tree, events=("start", "end"))
    skipped: object = None
    for event, element in walker:
        tag = str(element.tag)
        if event == "start":
            if tag in SKIPPED or len(walk.stack) > _MAX_DEPTH:
                walker.skip_subtree()
                skipped = element
            else:
                _start(walk, element, tag)
        elif element is skipped:
            skipped = None
            walk.text(element.tail)
        else:
            _end(walk, element, tag)
    _sum_up(walk.found)
    return walk.found


def _start(walk: _Walk, element: HtmlElement, tag: str) -> None:
    if tag == "br":
        walk.line_break()
    elif tag == "a":
        walk.link_depth += 1
        walk.links += 1
    elif tag in ("b", "strong", "em", "i"):
        walk.strong_depth += 1
    elif tag not in INLINE and tag not in CELLS:
        walk.open(element, tag)
    walk.text(element.text)


def _end(walk: _Walk, element: HtmlElement, tag: str) -> None:
    if tag == "a":
        walk.link_depth -= 1
    elif tag in ("b", "strong", "em", "i"):
        walk.strong_depth -= 1
    elif tag in CELLS:
        walk.cell()
    elif tag not in INLINE and tag != "br":
        walk.close()
    walk.text(element.tail)


def _sum_up(found: Segments) -> None:
    for block in found.blocks:
        container = found.containers[block.container]
        container.chars += block.extent
        container.link_chars += block.link_chars * block.extent // len(block.text)
        container.blocks += 1
        if block.extent > 80 and block.link_chars < len(block.text) / 2:
            container.paragraph_chars += block.extent
    for container in reversed(found.containers):
        if container.parent >= 0:
            parent = found.containers[container.parent]
            parent.chars += container.chars
            parent.link_chars += container.link_chars
            parent.blocks += container.blocks
            parent.paragraph_chars += container.paragraph_chars
