"""Names of people and agencies in bylines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.metadata.authors import agency_of, people


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Nora Beck and Ola Lind", ("Nora Beck", "Ola Lind")),
        ("Von Anne-Marie Kern", ("Anne-Marie Kern",)),
        ("NORA BECK, Moscow correspondent", ("NORA BECK",)),
        ("Beck, Nora", ("Nora Beck",)),
        ("Coast Mirror Staff", ()),
        ("Reuters", ()),
        ("https://coastmirror.example/nora", ()),
        ("牛镛", ("牛镛",)),
        ("(责编：牛镛、岳弘彬)", ("牛镛", "岳弘彬")),
        ("Nora Beck Dec 19, 2025", ("Nora Beck",)),
        ("Nora Beck, Founder", ("Nora Beck",)),
        ('"Nora Beck"', ("Nora Beck",)),
        ("Lauren", ()),
        ("كتبت سلمى الهادي", ("سلمى الهادي",)),
        ("بقلم: كريم منصور", ("كريم منصور",)),
        ("מאת נועה לוי", ("נועה לוי",)),
        ("Автор: Анна Белова", ("Анна Белова",)),
        ("文=山田太郎、写真=鈴木一郎", ("山田太郎",)),
        ("取材・文：山田太郎", ("山田太郎",)),
        ("글 김민지", ("김민지",)),
        ("김민지 기자", ("김민지",)),
        ("记者：张伟", ("张伟",)),
    ],
)
def test_authors_are_people(byline: str, names: tuple[str, ...]) -> None:
    """Bylines give persons, without roles, desks and agencies."""
    assert people([byline], "Coast Mirror") == names


def test_agencies_are_named_as_usual() -> None:
    """A credit names the agency that it mentions first."""
    assert agency_of("With reporting by AFP, Interfax, and TASS") == "AFP"
    assert agency_of("Happy people") == ""


@given(st.text(max_size=80))
def test_any_text_may_stand_for_a_name(text: str) -> None:
    """No string makes the parser fail."""
    assert isinstance(people([text], text), tuple)
