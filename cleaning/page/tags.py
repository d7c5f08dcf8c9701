"""Elements of HTML by what they do to the text around them; `br` aside, all that are not named here end a block."""

SKIPPED = frozenset(
    {
        "script", "style", "noscript", "svg", "math", "iframe", "object", "embed", "select", "option",
        "textarea", "head", "canvas", "audio", "video", "map", "meter", "progress", "input", "datalist",
        "source", "link", "meta",
    }
)  # fmt: skip
"""Elements whose content is no text of the page."""

INLINE = frozenset(
    {
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "dfn", "del", "em", "font",
        "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
        "time", "tt", "u", "var", "wbr", "rp", "rt", "ruby", "nobr", "blink", "center-inline", "o:p", "g",
        "amp-fit-text",
    }
)  # fmt: skip
"""Elements within a line, which end no block."""

CELLS = frozenset({"td", "th"})
"""Elements of which a row makes one block, unless they are long."""
