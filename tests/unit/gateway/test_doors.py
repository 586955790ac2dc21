"""Doors are found by dialect, method and path, and by nothing else."""

import pytest

from keeprate.domain.terms import Grant
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import Door, Doors


def door(name: str, method: str, path: str, dialect: Dialect = Dialect.GEMINI) -> Door:
    return Door(name=name, dialect=dialect, method=method, path=path, needs=Grant.GENERATE)


DOORS = Doors(
    [
        door("generate", "POST", "/v1/models/{model}:generateContent"),
        door("list", "GET", "/v1/models"),
        door("get", "GET", "/v1/models/{model}"),
        door("delete", "DELETE", "/v1/models/{model}"),
        door("rest", "GET", "/v1/files/{name*}"),
        door("theirs", "GET", "/v1/models", Dialect.OPENAI),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "name", "parts"),
    [
        ("POST", "/v1/models/gemini-3:generateContent", "generate", {"model": "gemini-3"}),
        ("GET", "/v1/models", "list", {}),
        ("HEAD", "/v1/models", "list", {}),
        ("GET", "/v1/models/tuned:one", "get", {"model": "tuned:one"}),
        ("GET", "/v1/files/a/b/c", "rest", {"name": "a/b/c"}),
    ],
)
def test_a_path_leads_to_its_door(method: str, path: str, name: str, parts: dict[str, str]) -> None:
    found = DOORS.find(Dialect.GEMINI, method, path)
    assert found.door is not None
    assert (found.door.name, dict(found.parts)) == (name, parts)


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/models/a/b", "/v1/modelsx", "/V1/models", "/v1/files/"])
def test_what_is_only_like_a_path_is_none(path: str) -> None:
    assert DOORS.find(Dialect.GEMINI, "GET", path) == (None, {}, ())


def test_the_wrong_method_is_told_the_right_ones() -> None:
    found = DOORS.find(Dialect.GEMINI, "PATCH", "/v1/models/x")
    assert (found.door, found.methods) == (None, ("GET", "DELETE"))


def test_dialects_do_not_see_each_others_doors() -> None:
    found = DOORS.find(Dialect.OPENAI, "GET", "/v1/models")
    assert found.door is not None
    assert found.door.name == "theirs"
    assert DOORS.find(Dialect.VERTEX, "GET", "/v1/models").door is None
