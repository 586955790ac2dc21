"""One picture for one answer: its flaws, its file type, its drawing, and the truth about it."""

import hashlib
from dataclasses import dataclass, replace

from keeprate_emulator.drawing.labels import labels_in
from keeprate_emulator.drawing.orders import Order, Picture
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.faults import Fault
from keeprate_emulator.flaws import Flaws, flaws_of
from keeprate_emulator.grids import Pixels, pixels_of
from keeprate_emulator.luck import Luck
from keeprate_emulator.models import Model
from keeprate_emulator.truths import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a picture is drawn from. `number` counts the pictures of one answer; `mime` empty leaves it to chance."""

    prompt: str
    model: Model
    size: str
    ratio: str
    references: tuple[bytes, ...]
    mime: str
    quality: int
    response_id: str
    number: int


async def depicted(emulator: Emulator, subject: Subject, luck: Luck, fault: Fault) -> Picture:
    """Draw a picture with the flaws that its dice give it, and keep the truth about it."""
    profile = emulator.profiles[subject.model.family.name]
    flaws = flaws_of(
        labels_in(subject.prompt),
        profile,
        luck.dice(f"flaws {subject.number}"),
        references=len(subject.references),
        size=subject.size,
    )
    chance = "image/jpeg" if luck.dice(f"type {subject.number}").random() < profile.jpeg else "image/png"
    lie = fault.kind == "mislabelled"
    order = Order(
        prompt=subject.prompt,
        flaws=flaws,
        pixels=_pixels(subject, fault),
        references=subject.references,
        mime="image/jpeg" if lie else subject.mime or chance,
        quality=subject.quality,
        response_id=subject.response_id + (f" picture {subject.number}" if subject.number else ""),
        seed=f"{luck.key} {subject.number}",
    )
    picture = await emulator.studio.draw(order)
    if lie:
        picture = replace(picture, label="image/png")
    emulator.truths.tell(_truth(emulator, subject, flaws, picture))
    return picture


def _pixels(subject: Subject, fault: Fault) -> Pixels:
    if fault.kind == "wrong_size":
        if fault.size:
            return pixels_of(subject.model.family.grid, fault.size, subject.ratio)
        return (fault.width, fault.height)
    return pixels_of(subject.model.family.grid, subject.size, subject.ratio)


def _truth(emulator: Emulator, subject: Subject, flaws: Flaws, picture: Picture) -> Truth:
    return Truth(
        response_id=subject.response_id,
        sha256=hashlib.sha256(picture.content).hexdigest(),
        model=subject.model.id,
        mime=picture.mime,
        label=picture.label,
        width=picture.width,
        height=picture.height,
        drawn=emulator.studio.mode == "full",
        wanted_labels=labels_in(subject.prompt),
        drawn_labels=flaws.labels,
        references=len(subject.references),
        flaws=flaws.found,
    )
