"""The flags that say what a new key may do. A field's docstring is its line in `--help`."""

from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from keeprate.workflows.plans import TermsAsked

_TERMS = Group("What it may do", sort_key=10)
_RULES = Group("What stands where a request says nothing", sort_key=20)


@Parameter(name="*", group=_TERMS)
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFlags:
    """Limits of a key."""

    plan: str | None = None
    """Take what is left open from this plan; see: keeprate keys plans."""
    cap: str | None = None
    """US dollars it may spend."""
    per: str | None = None
    """For --cap: hour, day, month or total. Otherwise day."""
    scopes: str | None = None
    """Some of generate,edit,read,review,admin. Otherwise generate,edit."""
    models: str | None = None
    """Only these: ids, or lines such as flash,pro. Otherwise all."""
    largest_size: str | None = None
    """512, 1K, 2K or 4K. Otherwise any."""
    rate: Annotated[int | None, Parameter(help="Requests a minute. Otherwise any.")] = None
    expires: str | None = None
    """A span such as 90d, or its last day, such as 2027-01-31. Otherwise never."""


@Parameter(name="*", group=_RULES)
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFlags:
    """Defaults that a key brings along."""

    policy: str | None = None
    """The policy that chooses."""
    purpose: str | None = None
    """What its images are for."""
    user_cap: str | None = None
    """US dollars that each end user named in requests may spend."""
    user_per: str | None = None
    """For --user-cap: hour, day, month or total. Otherwise day."""
    cache: bool = False
    """Answer an equal request from what it bought before."""
    single_flight: bool = False
    """Let equal requests under way share one purchase."""


KEY_FLAGS: Final = KeyFlags()
RULE_FLAGS: Final = RuleFlags()


def asked_for(terms: KeyFlags, rules: RuleFlags) -> TermsAsked:
    """Return the terms that the flags ask for."""
    return TermsAsked(
        plan=terms.plan,
        scopes=_words(terms.scopes),
        models=_words(terms.models),
        expires=terms.expires,
        largest_size=terms.largest_size,
        per_minute=terms.rate,
        policy=rules.policy,
        purpose=rules.purpose,
        cap=terms.cap,
        per=terms.per,
        user_cap=rules.user_cap,
        user_per=rules.user_per,
        cache=rules.cache or None,
        single_flight=rules.single_flight or None,
    )


def _words(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(one.strip() for one in text.split(",") if one.strip())
