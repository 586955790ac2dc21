"""How an accepted call ends: with how many pictures, which words, which reason, and which tokens."""

import math
from dataclasses import dataclass, replace

from keeprate_emulator.faults import Fault
from keeprate_emulator.flaws import Profile
from keeprate_emulator.luck import Luck
from keeprate_emulator.models import Family
from keeprate_emulator.prices import PriceList, Tokens
from keeprate_emulator.requests import Ask

NO_CHARGE = "You will not be charged for this request."
_VIDEO_TOKENS = 2_580  # ten seconds at 258 a second; the emulator does not measure films
_DOCUMENT_TOKENS = 258


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a call before it is drawn.

    `name` is what the bill calls it. `drafts` are pictures of the thinking, shown before the real ones and free.
    """

    name: str
    tokens: Tokens
    images: int = 0
    drafts: int = 0
    finish_reason: str = "STOP"
    finish_message: str = ""
    block_reason: str = ""
    text: str = ""
    thought: str = ""
    without_content: bool = False
    without_candidates: bool = False

    @property
    def free(self) -> bool:
        """Return whether the answer itself says that it costs nothing."""
        return NO_CHARGE in self.finish_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the size of an answer depends on: the model, its prices, its habits, the drawn size."""

    family: Family
    prices: PriceList
    profile: Profile
    size: str


def outcome_of(ask: Ask, terms: Terms, fault: Fault, luck: Luck) -> Outcome:
    """Return how the call ends, the fault taken into account."""
    outcome = _faulty(fault, ask, terms, luck) or _usual(ask, terms, luck)
    if fault.kind == "many_images":
        # Observed upstream: two pictures, billed as one.
        outcome = replace(outcome, images=fault.images or 2, name="image")
    if fault.kind == "draft_first":
        outcome = replace(outcome, drafts=1)
    if fault.usage is not None:
        outcome = replace(outcome, tokens=fault.usage.applied(outcome.tokens))
    return outcome


def input_tokens(ask: Ask, prices: PriceList) -> Tokens:
    """Return what is read: words at four characters a token, files at their flat count."""
    films = sum(_VIDEO_TOKENS for attachment in ask.attachments if attachment.kind in {"VIDEO", "AUDIO"})
    papers = sum(_DOCUMENT_TOKENS for attachment in ask.attachments if attachment.kind == "DOCUMENT")
    pictures = sum(1 for attachment in ask.attachments if attachment.kind == "IMAGE")
    return Tokens(
        prompt=math.ceil(len(ask.words) / 4) + films + papers,
        references=pictures * prices.reference_tokens,
    )


def _usual(ask: Ask, terms: Terms, luck: Luck) -> Outcome:
    tokens = _thinking(ask, terms, luck, input_tokens(ask, terms.prices))
    thought = _thought(ask) if ask.include_thoughts and tokens.thoughts else ""
    if ask.modalities == frozenset({"TEXT"}):
        text = f"Here is what I would draw: {ask.prompt[:160]}"
        return Outcome(
            name="text_only", tokens=replace(tokens, text=_length(text)), text=text, thought=thought
        )
    image = terms.prices.image_tokens[terms.size]
    room = math.inf if ask.max_output_tokens is None else ask.max_output_tokens
    if room < image:
        spent = replace(tokens, thoughts=min(tokens.thoughts, int(room)))
        return Outcome(
            name="finish:MAX_TOKENS", tokens=spent, finish_reason="MAX_TOKENS", without_content=True
        )
    # Thinking is cut short to leave room for the picture, and words are the first thing to go.
    thoughts = int(min(tokens.thoughts, room - image))
    text = "Here is your picture." if ask.modalities != frozenset({"IMAGE"}) else ""
    if room - image - thoughts < _length(text):
        text = ""
    tokens = replace(tokens, thoughts=thoughts, text=_length(text), image=image)
    return Outcome(name="image", tokens=tokens, images=1, text=text, thought=thought)


def _faulty(fault: Fault, ask: Ask, terms: Terms, luck: Luck) -> Outcome | None:
    """Return the end that a fault prescribes, None when it leaves the end alone."""
    tokens = input_tokens(ask, terms.prices)
    thinking = _thinking(ask, terms, luck, tokens)
    if fault.kind == "block_reason":
        return Outcome(
            name=f"block:{fault.reason}",
            tokens=tokens,
            block_reason=fault.reason,
            finish_message=fault.message,
        )
    if fault.kind == "finish_reason":
        return Outcome(
            name=f"finish:{fault.reason}",
            tokens=thinking,
            finish_reason=fault.reason,
            finish_message=fault.message,
            without_content=True,
        )
    if fault.kind == "text_only":
        text = fault.message or "I can describe this picture, but I cannot draw it."
        return Outcome(name="text_only", tokens=replace(thinking, text=_length(text)), text=text)
    if fault.kind == "thought_only":
        return Outcome(name="thought_only", tokens=thinking, thought=fault.message or _thought(ask))
    if fault.kind in {"no_candidates", "no_content"}:
        empty = fault.kind == "no_candidates"
        return Outcome(name=fault.kind, tokens=thinking, without_candidates=empty, without_content=not empty)
    return None


def _thinking(ask: Ask, terms: Terms, luck: Luck, tokens: Tokens) -> Tokens:
    if not terms.family.thinks:
        return tokens
    level = ask.thinking_level or terms.family.default_thinking
    least, most = terms.profile.thinking[level]
    return replace(tokens, thoughts=luck.dice("thinking").randint(least, most))


def _thought(ask: Ask) -> str:
    return f"**Composing the picture**\n\nI weigh ground, subject and lettering for: {ask.prompt[:120]}"


def _length(text: str) -> int:
    return math.ceil(len(text) / 4)
