"""The unmodified google-genai SDK, old and new: what it sends is served, what it gets it takes.

Each release talks to the emulator, and to the gateway with the emulator behind it; nothing may differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.clients.client_environments import ClientReport, report
from tests.emulator_process import start_emulator
from tests.gateway_process import start_gateway

SCRIPT = "google_genai.py"
# Pixels and tokens as the public pages print them: https://ai.google.dev/gemini-api/docs/image-generation
PRO_WIDE_2K = [2752, 1536]
SQUARE_1K = [1024, 1024]
TOKENS_OF_PRO_UP_TO_2K = 1120
IMAGEN_WIDE = [1408, 768]
# Imagen answered until 2026-08-17, the models without "preview" in their ids from 2026-05-28 on.
A_DAY_WITH_IMAGEN_AND_GA_MODELS = "2026-07-01"
GEMINI, VERTEX = "gemini", "vertex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of the SDK in its environment. From 2.20 on it no longer sends Imagen with an API key."""

    environment: str
    version: str
    imagen_by_key: bool


RELEASES = (
    Release(environment="google-genai-1.75", version="1.75.0", imagen_by_key=True),
    Release(environment="google-genai-2.19", version="2.19.0", imagen_by_key=True),
    Release(environment="google-genai-2.34", version="2.34.0", imagen_by_key=False),
    Release(environment="google-genai-3.4", version="3.4.0", imagen_by_key=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One release on one transport: its results by mode, style and case."""

    release: Release
    with_aiohttp: bool
    through_gateway: bool
    report: ClientReport
    accepted_calls: int

    def result(self, mode: str, style: str, case: str) -> Mapping[str, object]:
        return self.report.results[f"{mode} {style} {case}"]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (release, with_aiohttp, through_gateway),
            id=f"{release.environment}-{'aiohttp' if with_aiohttp else 'httpx'}"
            + ("-gateway" if through_gateway else ""),
            # One run of the script serves all tests of its release, so they belong on one worker.
            marks=pytest.mark.xdist_group(f"{release.environment}-{with_aiohttp}-{through_gateway}"),
        )
        for release in RELEASES
        for with_aiohttp in (True, False)
        for through_gateway in (False, True)
    ],
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    release, with_aiohttp, through_gateway = request.param
    flags = () if with_aiohttp else ("--without-aiohttp",)
    folder = tmp_path_factory.mktemp("client")
    with start_emulator(folder, "--as-of", A_DAY_WITH_IMAGEN_AND_GA_MODELS, "--draw", "fast") as emulator:
        if through_gateway:
            day = {"KEEPRATE_AS_OF": A_DAY_WITH_IMAGEN_AND_GA_MODELS}
            with start_gateway(folder / "home", emulator.url, day) as gateway:
                told = report(release.environment, SCRIPT, gateway.url, *flags)
        else:
            told = report(release.environment, SCRIPT, emulator.url, *flags)
        accepted = emulator.bill_summary()["accepted_calls"]
    return Run(
        release=release,
        with_aiohttp=with_aiohttp,
        through_gateway=through_gateway,
        report=told,
        accepted_calls=accepted,
    )


modes = pytest.mark.parametrize("mode", [GEMINI, VERTEX])
styles = pytest.mark.parametrize("style", ["sync", "async"])


def _one_picture(told: Mapping[str, object]) -> Mapping[str, object]:
    pictures = told.get("pictures")
    assert isinstance(pictures, Sequence), told
    assert len(pictures) == 1, told
    return pictures[0]


def test_the_release_and_the_transport_are_the_ones_meant(run: Run) -> None:
    assert run.report.version == run.release.version
    assert run.report.aiohttp is run.with_aiohttp


@modes
@styles
def test_generate_gives_the_picture_asked_for_and_its_usage(run: Run, mode: str, style: str) -> None:
    told = run.result(mode, style, "generate")
    assert _one_picture(told)["pixels"] == PRO_WIDE_2K
    assert told["finish"] == ["STOP"]
    assert told["image_tokens"] == TOKENS_OF_PRO_UP_TO_2K
    assert told["model_version"] == "gemini-3-pro-image"


@modes
@styles
def test_every_picture_is_what_its_label_says(run: Run, mode: str, style: str) -> None:
    picture = _one_picture(run.result(mode, style, "generate"))
    assert picture["mime_type"] == f"image/{str(picture['format']).lower()}"


@modes
@styles
def test_an_edit_takes_three_references_and_counts_them(run: Run, mode: str, style: str) -> None:
    edited = run.result(mode, style, "edit")
    plain = run.result(mode, style, "generate")
    assert _one_picture(edited)
    # A reference image is some hundreds of tokens; three of them dwarf the words.
    assert int(str(edited["prompt_tokens"])) > int(str(plain["prompt_tokens"])) + 3 * 200


@modes
@styles
def test_a_chat_echoes_what_it_was_signed_with(run: Run, mode: str, style: str) -> None:
    told = run.result(mode, style, "chat")
    turns = told.get("turns")
    assert isinstance(turns, Sequence), told
    for turn in turns:
        assert _one_picture(turn)["pixels"] == SQUARE_1K
    assert told["history"] == 4
    assert int(str(told["signed_parts"])) >= 2


@modes
@styles
def test_a_stream_ends_with_its_usage(run: Run, mode: str, style: str) -> None:
    told = run.result(mode, style, "stream")
    assert _one_picture(told)
    last = told["last"]
    assert isinstance(last, Mapping)
    assert last["finish"] == ["STOP"]
    assert int(str(last["total_tokens"])) > int(str(last["image_tokens"])) > 0


@styles
def test_an_uploaded_file_can_be_drawn_from(run: Run, style: str) -> None:
    told = run.result(GEMINI, style, "files")
    assert _one_picture(told)
    assert int(str(told["kept"])) == told["sent"]


@styles
def test_vertex_has_no_files_and_the_sdk_says_so_itself(run: Run, style: str) -> None:
    told = run.result(VERTEX, style, "files")
    assert told["error"] == "ValueError", told


@modes
@styles
def test_imagen_gives_two_pictures_where_the_release_can_ask(run: Run, mode: str, style: str) -> None:
    told = run.result(mode, style, "imagen")
    if mode == GEMINI and not run.release.imagen_by_key:
        assert told["error"] == "ValueError", told
        return
    pictures = told.get("pictures")
    assert isinstance(pictures, Sequence), told
    assert [picture["pixels"] for picture in pictures] == [IMAGEN_WIDE, IMAGEN_WIDE]


@modes
@styles
def test_tokens_can_be_counted_before_buying(run: Run, mode: str, style: str) -> None:
    assert int(str(run.result(mode, style, "count").get("total_tokens"))) > 0


@modes
@styles
def test_an_unknown_model_is_an_error_the_sdk_understands(run: Run, mode: str, style: str) -> None:
    told = run.result(mode, style, "unknown_model")
    assert (told.get("error"), told.get("code")) == ("ClientError", 404)


def test_the_sdk_bought_each_thing_once(run: Run) -> None:
    """Counted by the emulator: generate, edit, two turns of chat, stream; files with a key; Imagen where it can."""
    with_a_key = 6 + run.release.imagen_by_key
    on_vertex = 5 + 1
    assert run.accepted_calls == 2 * (with_a_key + on_vertex)
