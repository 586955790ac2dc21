"""The unmodified openai SDK through the gateway: it takes what it gets, and what it bought is on the emulator's bill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.clients.client_environments import ClientReport, report
from tests.emulator_process import start_emulator
from tests.gateway_process import start_gateway

pytestmark = pytest.mark.xdist_group("openai")
SCRIPT = "openai_images.py"
RELEASE = "3.54.0"
styles = pytest.mark.parametrize("style", ["sync", "async"])
# Of one style: generate, two edits, a variation, two streams, four at once, a hint, a link, a block, a loss,
# and a stream of two.
BOUGHT_EACH = 1 + 2 + 1 + 2 + 4 + 1 + 1 + 1 + 1 + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the script told, and how many calls the upstream accepted meanwhile."""

    report: ClientReport
    accepted_calls: int

    def result(self, style: str, case: str) -> Mapping[str, object]:
        return self.report.results[f"{style} {case}"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("openai")
    with start_emulator(folder, "--draw", "fast") as emulator:
        emulator.fault("finish_reason", match={"prompt_contains": "please-block"}, reason="IMAGE_SAFETY")
        emulator.fault("drop_after_accept", match={"prompt_contains": "please-lose"})
        for once in ("block-one-of-sync", "block-one-of-async"):
            emulator.fault("finish_reason", times=1, match={"prompt_contains": once}, reason="IMAGE_SAFETY")
        with start_gateway(folder / "home", emulator.url) as gateway:
            told = report("openai", SCRIPT, f"{gateway.url}/v1")
        return Run(report=told, accepted_calls=emulator.bill_summary()["accepted_calls"])


def _pictures(told: Mapping[str, object]) -> Sequence[Mapping[str, str]]:
    pictures = told.get("pictures")
    assert isinstance(pictures, Sequence), told
    return pictures


def test_the_release_is_the_one_meant(run: Run) -> None:
    assert run.report.version == RELEASE


@styles
def test_a_picture_comes_in_the_shape_asked_for_with_its_usage(run: Run, style: str) -> None:
    told = run.result(style, "generate")
    assert [one["size"] for one in _pictures(told)] == ["1264x848"]
    assert told["size"] == "1264x848"
    assert told["output_format"] == _pictures(told)[0]["format"]
    assert int(str(told["total_tokens"])) > 0
    assert str(told["request_id"]).startswith("req_")


@styles
def test_edits_take_one_and_three_references_and_count_them(run: Run, style: str) -> None:
    one, three = run.result(style, "edit_one"), run.result(style, "edit_three")
    assert len(_pictures(one)) == len(_pictures(three)) == 1
    assert int(str(three["reference_tokens"])) == 3 * int(str(one["reference_tokens"])) > 0


@styles
def test_a_variation_comes(run: Run, style: str) -> None:
    assert len(_pictures(run.result(style, "variation"))) == 1


@styles
@pytest.mark.parametrize(
    ("case", "event", "name"),
    [
        ("stream", "image_generation.completed", "ImageGenCompletedEvent"),
        ("edit_stream", "image_edit.completed", "ImageEditCompletedEvent"),
    ],
)
def test_a_stream_ends_with_the_picture(run: Run, style: str, case: str, event: str, name: str) -> None:
    told = run.result(style, case)
    assert told.get("types") == [event], told
    assert told["classes"] == [name]
    assert len(_pictures(told)) == 1
    assert int(str(told["total_tokens"])) > 0


@styles
def test_four_at_once_come_in_the_format_asked_for(run: Run, style: str) -> None:
    assert [one["format"] for one in _pictures(run.result(style, "four"))] == ["webp"] * 4


@styles
def test_hints_go_in_the_extra_body_and_the_answer_tells_its_story(run: Run, style: str) -> None:
    told = run.result(style, "purpose")
    assert told.get("size") == "2752x1536", told
    headers = told["headers"]
    assert isinstance(headers, Mapping)
    assert headers["x-keeprate-adjusted"] == "size=2752x1536 (asked 1792x1024)"
    assert headers["x-keeprate-outcome"] == "image"
    assert float(headers["x-keeprate-cost-usd"]) > 0


@styles
def test_a_link_opens_without_a_key(run: Run, style: str) -> None:
    assert run.result(style, "link").get("sniff") == "nosniff", run.result(style, "link")


@styles
def test_models_are_listed(run: Run, style: str) -> None:
    told = run.result(style, "models")
    assert "auto" in str(told["ids"])
    assert told["one"] == "google"


@styles
def test_a_stream_of_which_some_came_ends_in_an_error_after_them(run: Run, style: str) -> None:
    told = run.result(style, "some_of_a_stream")
    assert told.get("events") == 1, told
    assert (told["error"], told["code"]) == ("APIError", "partial_failure")
    assert "1 of 2 images came" in str(told["message"])


@styles
@pytest.mark.parametrize(
    ("case", "error", "status", "code"),
    [
        ("mask", "BadRequestError", 400, "invalid_value"),
        ("transparent", "BadRequestError", 400, "invalid_value"),
        ("unknown_field", "BadRequestError", 400, "invalid_value"),
        ("unknown_model", "NotFoundError", 404, "unknown_model"),
        ("blocked", "BadRequestError", 400, "content_policy_violation"),
        ("lost", "InternalServerError", 504, "outcome_unknown"),
    ],
)
def test_an_error_is_one_the_sdk_understands(
    run: Run, style: str, case: str, error: str, status: int, code: str
) -> None:
    told = run.result(style, case)
    assert (told.get("error"), told.get("status"), told.get("code")) == (error, status, code), told
    assert told["retry"] == "false"
    assert str(told["request_id"]).startswith("req_")


def test_each_thing_was_bought_once(run: Run) -> None:
    assert run.accepted_calls == 2 * BOUGHT_EACH
