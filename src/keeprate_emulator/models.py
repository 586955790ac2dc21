"""Which model ids exist on which surface and day, and what each can be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal, cast

from keeprate_emulator import facts
from keeprate_emulator.refusals import Refusal

Surface = Literal["gemini-api", "vertex"]
SURFACES: tuple[Surface, ...] = ("gemini-api", "vertex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """The days on which an id answers: from `begins`, up to but without `ends`."""

    begins: date
    ends: date | None

    def covers(self, day: date) -> bool:
        """Return whether the id answers on `day`."""
        return self.begins <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the ids of one model have in common."""

    name: str
    method: str
    grid: str
    sizes: tuple[str, ...]
    ratios: tuple[str, ...]
    vertex_ratios: tuple[str, ...]
    references: int
    input_tokens: int
    output_tokens: int
    thinks: bool
    thinking_levels: tuple[str, ...]
    default_thinking: str
    signatures: bool
    grounding: bool
    video: bool
    sampling: bool

    def ratios_on(self, surface: Surface) -> tuple[str, ...]:
        """Return the aspect ratios that this surface takes."""
        return self.ratios + self.vertex_ratios if surface == "vertex" else self.ratios


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One published id."""

    id: str
    display_name: str
    family: Family
    lifetimes: Mapping[Surface, Lifetime]

    def lives(self, surface: Surface, day: date) -> bool:
        """Return whether the id answers on this surface and day."""
        return self.lifetimes[surface].covers(day)


@cache
def all_models() -> Mapping[str, Model]:
    """Return every id that ever was, in the order of the file."""
    book = facts.table("models")
    families = {name: _family(name, row) for name, row in book["family"].items()}
    return {row["id"]: _model(row, families) for row in book["model"]}


def living_model(model_id: str, surface: Surface, day: date, *, method: str, version: str) -> Model:
    """Return the model that serves `method` under this id.

    Raises:
        Refusal: 404, for an id that is unknown, retired, not yet released, or of the other method.
    """
    model = all_models().get(model_id)
    if model is None or not model.lives(surface, day) or method not in methods_of(model):
        raise _not_found(model_id, surface, method=method, version=version)
    return model


def methods_of(model: Model) -> tuple[str, ...]:
    """Return the verbs an id answers to: Imagen never draws by generateContent, Gemini never by predict."""
    if model.family.method == "predict":
        return ("predict",)
    return ("generateContent", "streamGenerateContent", "countTokens")


def _not_found(model_id: str, surface: Surface, *, method: str, version: str) -> Refusal:
    if surface == "vertex":
        return Refusal(
            404,
            f"Publisher Model `publishers/google/models/{model_id}` was not found or your project does not "
            "have access to it. Ensure you are using a valid model version.",
        )
    return Refusal(
        404,
        f"models/{model_id} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def _family(name: str, row: Mapping[str, Any]) -> Family:
    return Family(
        name=name,
        method=row["method"],
        grid=row["grid"],
        sizes=tuple(row["sizes"]),
        ratios=tuple(row["ratios"]),
        vertex_ratios=tuple(row.get("vertex_ratios", ())),
        references=row["references"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        thinks=row.get("thinks", True),
        thinking_levels=tuple(row.get("thinking_levels", ())),
        default_thinking=row.get("default_thinking", "always"),
        signatures=row.get("signatures", False),
        grounding=row.get("grounding", False),
        video=row.get("video", False),
        sampling=row.get("sampling", True),
    )


def _model(row: Mapping[str, Any], families: Mapping[str, Family]) -> Model:
    days = cast("Mapping[Surface, Mapping[str, date]]", row)
    return Model(
        id=row["id"],
        display_name=row["display_name"],
        family=families[row["family"]],
        lifetimes={
            surface: Lifetime(begins=days[surface]["from"], ends=days[surface].get("until"))
            for surface in SURFACES
        },
    )
