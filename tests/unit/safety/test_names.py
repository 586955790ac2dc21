import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeprate.domain.errors import InvalidValue
from keeprate.safety.names import LONGEST_NAME, NameSet, checked_name, folder_name, slug

HOSTILE = (
    "",
    ".",
    "..",
    " ",
    "../etc/passwd",
    "/etc/passwd",
    "a/b",
    "..\\windows",
    "C:\\x",
    "C:x",
    "\\\\server\\share",
    "name\0.png",
    "line\nbreak",
    "bell\x07",
    "ends in dot.",
    "ends in space ",
    "con",
    "CON.png",
    "Aux.txt",
    "nul",
    "COM1",
    "lpt9.webp",
    "com¹",
    "what?.png",
    "star*.png",
    "pipe|.png",
    '"quoted".png',
    "<tag>.png",
    "x" * 256,
    "é" * 128,
    "\ud800.png",
    "．．／etc",  # full-width forms that fold to ../
    "a／b",
    "․․",
    "del\x7f",
)


@given(st.text())
def test_a_slug_is_a_plain_name_whatever_it_stands_for(text: str) -> None:
    found = slug(text)
    assert checked_name(found, field="name") == found
    assert 1 <= len(found) <= 80
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(found) == found


@given(st.text(), st.text())
def test_folder_names_of_different_texts_differ(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one == other)


@pytest.mark.parametrize(("one", "other"), [("a b", "a-b"), ("A", "a"), ("ä", "a"), ("日本", "中国")])
def test_workspaces_that_share_a_slug_do_not_share_a_folder(one: str, other: str) -> None:
    assert folder_name(one) != folder_name(other)


def test_a_plain_name_is_its_own_folder() -> None:
    assert folder_name("client-7") == "client-7"


@given(st.text())
def test_a_folder_name_is_a_plain_name(text: str) -> None:
    checked_name(folder_name(text), field="name")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        checked_name(name, field="output")
    assert (raised.value.field, raised.value.value) == ("output", name)
    assert raised.value.remedy


@pytest.mark.parametrize(
    "name", ["poster.png", "Ölbild 2.webp", "日本.png", "a" * LONGEST_NAME, "console.png", ".x"]
)
def test_an_ordinary_name_is_taken(name: str) -> None:
    assert checked_name(name, field="output") == name


@pytest.mark.parametrize("twin", ["HERO.png", "Hero.PNG", "hero.png", "ｈｅｒｏ.png"])
def test_twins_by_case_or_width_are_refused(twin: str) -> None:
    names = NameSet()
    names.claim("hero.png", field="row 1")
    with pytest.raises(InvalidValue, match=r"would overwrite 'hero\.png'"):
        names.claim(twin, field="row 2")


def test_twins_by_composition_are_refused() -> None:
    names = NameSet()
    names.claim(unicodedata.normalize("NFC", "é.png"), field="row 1")
    with pytest.raises(InvalidValue, match="would overwrite"):
        names.claim(unicodedata.normalize("NFD", "é.png"), field="row 2")
