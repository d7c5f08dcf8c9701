import random

from hypothesis import given
from hypothesis import strategies as st

from flows.demo.forms import introduce
from flows.demo.prose import Writer, load_rules, parse_rules

RULES = parse_rules(
    """\
# a comment
== greeting
(Good|Fine) {time}, {name}.
Hello {2-5} times.

== time
day
== word
a
b
c
"""
)


def test_rules_are_read_by_name():
    """A line with == opens a rule; comments and empty lines are no templates."""
    assert RULES["word"] == ("a", "b", "c")
    assert RULES["greeting"][0] == "(Good|Fine) {time}, {name}."


@given(st.integers())
def test_templates_are_filled_completely(seed):
    """Choices, numbers, slots and rules leave no bracket behind."""
    writer = Writer(RULES, random.Random(seed))
    assert writer.fill(RULES["greeting"][0], {"name": "Ada"}) in ("Good day, Ada.", "Fine day, Ada.")
    assert writer.fill("{3-3}", {}) == "3"


def test_templates_are_dealt_like_cards():
    """Each template of a rule is dealt once before any comes again."""
    writer = Writer(RULES, random.Random(1))
    assert sorted(writer.deal("word") for _ in range(3)) == ["a", "b", "c"]
    assert sorted(writer.hand("word", 9)) == ["a", "b", "c"]


def test_lines_start_with_a_capital():
    """A line's first letter is a capital, also behind a quotation mark."""
    writer = Writer(RULES, random.Random(1))
    assert writer.line("{name} spoke.", {"name": "the palace"}) == "The palace spoke."
    assert writer.line("“yes,” he said.", {}) == "“Yes,” he said."


def test_every_slot_of_the_grammar_can_be_filled(newsroom):
    """No article of several newsrooms has an unknown slot, which would have raised KeyError when it was written."""
    assert all(template.count("(") == template.count(")") for rule in load_rules().values() for template in rule)
    assert len(newsroom.articles) >= 220


def test_people_are_introduced_by_their_full_name():
    """The first mention by surname alone becomes the full name, later ones stay."""
    roles = ("spokesB", "fmA", "fmB", "envoyB", "analyst", "expert", "local")
    slots = {role + suffix: role + suffix for role in roles for suffix in ("", "_last")}
    slots |= {"spokesA": "Ilja Dorsan", "spokesA_last": "Dorsan", "PalA": "Citadel", "A_adj": "Ardovian", "B_adj": ""}
    lines = introduce(["Dorsan said no.", "Dorsan said yes."], slots)
    assert lines == ["Citadel spokesman Ilja Dorsan said no.", "Dorsan said yes."]
