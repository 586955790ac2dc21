import copy
import json
import pickle

import pytest

from keeprate.safety.secrets import Secret, redacted

KEY = "AIza-canary-5f2c"


def test_a_secret_shows_itself_to_nothing_that_prints() -> None:
    secret = Secret(KEY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        repr([secret]),
    ]
    assert not any("canary" in text for text in shown)
    assert len(str(Secret("a"))) == len(str(secret))


def test_a_secret_is_not_serialised() -> None:
    for serialise in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            serialise(Secret(KEY))


def test_a_secret_has_no_dictionary_to_look_into() -> None:
    assert not hasattr(Secret(KEY), "__dict__")


def test_a_secret_is_given_out_on_request() -> None:
    assert Secret(KEY).reveal() == KEY


def test_a_secret_is_compared_whole() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(KEY + "x")
    assert Secret(KEY) != KEY
    assert Secret(KEY).equals(KEY)
    assert not Secret(KEY).equals(KEY[:-1])
    assert hash(Secret(KEY)) == hash(Secret("other"))
    assert Secret(KEY)
    assert not Secret("")


@pytest.mark.parametrize(
    "header",
    [
        "Authorization",
        "x-goog-api-key",
        "X-Goog-Api-Key",
        "X-API-Key",
        "Cookie",
        "proxy_authorization",
        "Set-Cookie",
    ],
)
def test_headers_that_carry_a_key_are_hidden(header: str) -> None:
    shown = redacted({header: f"Bearer {KEY}", "content-type": "application/json"})
    assert KEY not in shown[header]
    assert shown["content-type"] == "application/json"
