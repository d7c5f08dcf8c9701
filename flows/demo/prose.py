"""The text generator: writes lines from rules with slots, so that no two articles say the same in the same words."""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

Rules = Mapping[str, tuple[str, ...]]
"""Rule name -> its templates. In a template `(a|b)` is a choice, `{3-9}` a number, `{name}` a slot or another rule."""

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{([^{}]+)\}")
_RANGE = re.compile(r"(-?\d+)-(\d+)")
_TRIES = 12


def parse_rules(text: str) -> dict[str, tuple[str, ...]]:
    """The rules of a grammar file: `== name` opens a rule, each further line is a template, `#` a comment."""
    rules: dict[str, list[str]] = {}
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    for line in lines:
        if line.startswith("== "):
            current = rules.setdefault(line[3:], [])
        else:
            current.append(line)
    return {name: tuple(templates) for name, templates in rules.items()}


@cache
def load_rules() -> Rules:
    """All rules of the `grammar` folder."""
    rules: dict[str, tuple[str, ...]] = {}
    for path in sorted((Path(__file__).parent / "grammar").glob("*.txt")):
        rules |= parse_rules(path.read_text("utf-8"))
    return rules


class Writer:
    """Writes sentences. Templates are dealt like cards, so that each is used before any is used twice."""

    def __init__(self, rules: Rules, rng: random.Random) -> None:
        self.rules = rules
        self.rng = rng
        self._decks: dict[str, list[str]] = {}
        self._written: set[str] = set()

    def deal(self, rule: str) -> str:
        """The next template of a rule; a used-up deck is shuffled anew."""
        deck = self._decks.setdefault(rule, [])
        if not deck:
            deck.extend(self.rules[rule])
            self.rng.shuffle(deck)
        return deck.pop()

    def hand(self, rule: str, count: int) -> list[str]:
        """Up to `count` different templates of a rule."""
        wanted = min(count, len(self.rules[rule]))
        cards: list[str] = []
        while len(cards) < wanted:
            card = self.deal(rule)
            if card not in cards:
                cards.append(card)
        return cards

    def fill(self, template: str, slots: Mapping[str, str]) -> str:
        """The template with its choices made and its slots filled, from `slots` first, then from rules."""
        chosen = _substitute(_CHOICE, lambda found: self.rng.choice(found.split("|")), template)
        return _substitute(_SLOT, lambda name: self._slot(name, slots), chosen)

    def _slot(self, name: str, slots: Mapping[str, str]) -> str:
        if span := _RANGE.fullmatch(name):
            return str(self.rng.randint(int(span[1]), int(span[2])))
        return slots[name] if name in slots else self.fill(self.deal(name), slots)

    def line(self, template: str, slots: Mapping[str, str]) -> str:
        """A line from the template, new as far as the template's choices allow."""
        return self._new_line(template, slots) or _capitalised(self.fill(template, slots))

    def _new_line(self, template: str, slots: Mapping[str, str]) -> str | None:
        """A line that no article has so far; None where the template seems to be used up."""
        for _ in range(_TRIES):
            text = _capitalised(self.fill(template, slots))
            if text not in self._written:
                self._written.add(text)
                return text
        return None

    def lines(self, rule: str, count: int, slots: Mapping[str, str]) -> list[str]:
        """Lines from `count` different templates of a rule; templates that have nothing new to say are passed over."""
        lines: dict[str, str] = {}
        for template in self.hand(rule, count):
            lines[template] = self._new_line(template, slots) or self._other_line(rule, lines, slots)
        return list(lines.values())

    def _other_line(self, rule: str, used: Mapping[str, str], slots: Mapping[str, str]) -> str:
        """A new line from another template of the rule, or, where all are used up, any line."""
        for _ in self.rules[rule]:
            template = self.deal(rule)
            if template not in used and (text := self._new_line(template, slots)):
                return text
        return self.line(self.deal(rule), slots)

    def common_lines(self, rule: str, count: int, slots: Mapping[str, str]) -> list[str]:
        """Lines from `count` different templates of a rule, whoever else has them."""
        return [_capitalised(self.fill(template, slots)) for template in self.hand(rule, count)]

    def sample(self, rule: str, count: int) -> list[str]:
        """Different templates of a rule, drawn at random and not dealt."""
        return self.rng.sample(self.rules[rule], min(count, len(self.rules[rule])))

    def paragraphs(self, lines: Iterable[str]) -> tuple[str, ...]:
        """The lines as paragraphs: most stand alone, some are joined in pairs."""
        joined: list[str] = []
        for line in lines:
            if len(joined) > 1 and len(joined[-1]) < 230 and self.rng.random() < 0.3:
                joined[-1] += " " + line
            else:
                joined.append(line)
        return tuple(joined)


def _substitute(pattern: re.Pattern[str], value: Callable[[str], str], text: str) -> str:
    return pattern.sub(lambda match: value(match[1]), text)


def _capitalised(text: str) -> str:
    """The text with its first letter in upper case, even behind an opening quotation mark."""
    return re.sub(r"^([“„]?)(\w)", lambda match: match[1] + match[2].upper(), text)
