"""Bodies of OpenAI's image calls: what is understood, and what is refused by name."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeprate.domain.errors import InvalidValue, KeeprateError
from keeprate.gateway.exchange import ClientLeft, Message, Request
from keeprate.gateway.openai.asked import VARIATION, edit, generation, variation
from keeprate.gateway.openai.forms import MOST_PARTS, Part, form_of, form_sha256

BOUNDARY = b"a-line"


def body(**members: object) -> bytes:
    return json.dumps({"prompt": "a lamp", **members}).encode()


def text(name: str, value: str) -> Part:
    return Part(name=name, content=value.encode(), is_file=False)


def file(name: str, content: bytes = b"picture") -> Part:
    return Part(name=name, content=content, is_file=True)


def form(*parts: bytes, end: bytes = b"--") -> bytes:
    return b"".join(b"--" + BOUNDARY + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + BOUNDARY + end


def raw(name: str, content: bytes, *, filename: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return f'Content-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content


def request_with(content: bytes, *, pieces: int = 1, kind: bytes | None = None) -> Request:
    step = max(1, -(-len(content) // pieces))
    cut = [content[start : start + step] for start in range(0, len(content), step)] or [b""]
    messages: list[Message] = [{"type": "http.request", "body": one, "more_body": True} for one in cut]
    messages[-1]["more_body"] = False

    async def receive() -> Message:
        return messages.pop(0)

    told = b"multipart/form-data; boundary=" + BOUNDARY if kind is None else kind
    scope = {"method": "POST", "path": "/v1/images/edits", "headers": [(b"content-type", told)]}
    return Request(scope, receive, request_id="req_1")


def outcome_of(content: bytes) -> str | None:
    """Return the field that is refused, or that there is none."""
    try:
        generation(content)
    except KeeprateError as error:
        return error.field
    return "understood"


@pytest.mark.parametrize("name", [None, "auto", "gpt-image-1", "gpt-image-2.5-flare", "dall-e-3", "DALL-E-2"])
def test_a_name_that_only_openai_has_leaves_the_choice_to_the_policy(name: str | None) -> None:
    assert generation(body(model=name)).model is None


def test_any_other_name_is_the_model_meant() -> None:
    assert generation(body(model="gemini-3-pro-image")).model == "gemini-3-pro-image"


def test_null_is_as_good_as_absent() -> None:
    asked = generation(body(n=None, size=None, stream=None, user=None, quality=None))
    assert (asked.count, asked.streams, asked.user, asked.model) == (1, False, None, None)


def test_hints_are_told_apart_from_the_dialect() -> None:
    assert generation(body(keeprate={"purpose": "hero"})).hints == {"purpose": "hero"}
    asked = edit([text("prompt", "x"), file("image"), text("keeprate[purpose]", "hero")])
    assert asked.hints == {"purpose": "hero"}
    asked = edit([text("prompt", "x"), file("image"), text("keeprate", '{"purpose":"hero"}')])
    assert asked.hints == {"purpose": "hero"}


def test_the_newer_name_of_the_end_user_wins() -> None:
    assert generation(body(user="a", safety_identifier="b")).user == "b"
    assert generation(body(user="a", safety_identifier="")).user == "a"


def test_equal_requests_have_equal_hashes_however_they_are_written() -> None:
    assert generation(b'{"prompt":"x","n":1}').sha256 == generation(b'{ "n": 1, "prompt": "x" }').sha256
    assert generation(body(n=1)).sha256 != generation(body(n=2)).sha256
    one = [text("prompt", "x"), file("image[]", b"1"), file("image[]", b"2")]
    assert form_sha256(one) == form_sha256([one[1], one[0], one[2]])
    assert form_sha256(one) != form_sha256([one[0], one[2], one[1]])


def test_words_of_a_form_become_numbers_and_truth() -> None:
    asked = edit(
        [text("prompt", "x"), text("n", "3"), text("stream", "true"), file("image[]"), file("image[]")]
    )
    assert (asked.count, asked.streams, len(asked.references)) == (3, True, 2)


def test_a_variation_brings_its_own_words() -> None:
    assert variation([file("image")]).prompt == VARIATION


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([text("prompt", "x")], "image"),
        ([text("prompt", "x"), *[file("image[]")] * 15], "image"),
        ([text("prompt", "x"), file("image"), file("mask")], "mask"),
        ([text("prompt", "x"), file("image"), file("sketch")], "sketch"),
        ([text("prompt", "x"), file("image"), text("seed", "1")], "seed"),
        ([text("prompt", "x"), text("prompt", "y"), file("image")], "prompt"),
        ([file("image")], "prompt"),
        ([text("prompt", "x"), file("image"), text("n", "many")], "n"),
        ([text("prompt", "x"), file("image"), text("keeprate", "[]")], "keeprate"),
    ],
)
def test_a_form_that_cannot_be_served_names_the_field(parts: Sequence[Part], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        edit(parts)
    assert refused.value.field == field


def test_a_variation_takes_one_image_and_few_words() -> None:
    for parts in ([file("image"), file("image")], [file("image"), text("quality", "high")]):
        with pytest.raises(InvalidValue):
            variation(parts)


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_a_body_of_any_bytes_is_understood_or_refused(content: bytes) -> None:
    assert outcome_of(content)


@given(
    st.dictionaries(
        st.sampled_from(["prompt", "n", "size", "model", "stream", "quality", "keeprate", "x", "user"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
            max_leaves=4,
        ),
    )
)
def test_a_body_of_any_members_is_understood_or_refused_by_name(members: dict[str, object]) -> None:
    assert outcome_of(json.dumps(members).encode())


@pytest.mark.anyio
@pytest.mark.parametrize("pieces", [1, 2, 7, 400])
async def test_a_form_is_the_same_however_it_is_cut(pieces: int) -> None:
    content = form(
        raw("prompt", "ein Flöz".encode()),
        raw("image[]", b"\x89PNG\r\n--a-lin\r\n", filename="upload"),
        raw("image[]", b"", filename="empty.png"),
    )
    parts = await form_of(request_with(content, pieces=pieces))
    assert [(part.name, part.is_file) for part in parts] == [
        ("prompt", False),
        ("image[]", True),
        ("image[]", True),
    ]
    assert parts[0].text() == "ein Flöz"
    assert parts[1].content == b"\x89PNG\r\n--a-lin\r\n"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no form at all",
        form(raw("prompt", b"x"), end=b"\r\n"),
        form(b"Content-Disposition: form-data\r\n\r\nnameless"),
        form(*[raw("n", b"1")] * (MOST_PARTS + 1)),
    ],
)
async def test_a_broken_form_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue) as refused:
        await form_of(request_with(content))
    assert refused.value.field == "body"


@pytest.mark.anyio
async def test_a_body_of_another_type_is_refused() -> None:
    for kind in (b"application/json", b"multipart/form-data", b""):
        with pytest.raises(InvalidValue) as refused:
            await form_of(request_with(b"{}", kind=kind))
        assert refused.value.field == "content-type"


@pytest.mark.anyio
async def test_a_client_that_leaves_in_the_middle_is_no_broken_form() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    request = request_with(b"")
    left = Request({**request.scope}, receive, request_id="req_2")
    with pytest.raises(ClientLeft):
        await form_of(left)
