"""`keeprate demo`: one image from the wish to the file, bought from the stand-in."""

from dataclasses import replace
from pathlib import Path

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from keeprate.cli.drawing import decision_drawn, result_drawn
from keeprate.cli.failures import OUTCOME_CODES
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.layout import unbroken
from keeprate.cli.output import Facts, Screen, money, program
from keeprate.cli.running import run_in, settings_for
from keeprate.cli.whence import origin_as_json, origin_drawn
from keeprate.library.front import Keeprate
from keeprate.settings import Settings
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result

PROMPT = "A poster that says 'GRAND OPENING' in red"
OPENING = (
    "One image, from the wish to the file. A stand-in for Google's API runs on this machine and draws it: "
    "nothing is spent, and no key of yours is used."
)


def demo(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """See one image routed with its reasons, bought from the stand-in, settled and kept. Costs nothing.

    It has a home of its own, a folder `demo` in yours, unless --home names one.
    """
    settings = settings_for(everywhere)
    home = settings.home if everywhere.home is not None else settings.home / "demo"
    poster = home / "poster.png"
    real = next((one.name for one in settings.upstreams if not one.simulated), None)

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        if not screen.as_json:
            screen.show(OPENING)
        options = Options(purpose="text_board", size="2K", output=poster, overwrite=True)
        view = await keeprate.route(PROMPT, options=options)
        result = await keeprate.generate(PROMPT, options=options)
        origin = await keeprate.whence(result.files[0])
        screen.answer(
            {
                "prompt": PROMPT,
                "home": home,
                "route": view.as_json(),
                "result": result.as_json(),
                "whence": origin_as_json(origin),
            },
            *_chapter("1  The wish", _wish(options)),
            *_chapter("2  The decision", decision_drawn(view.decision, simulated=False, explain=None)),
            *_chapter("3  The purchase", result_drawn(result), _settled(result)),
            *_chapter("4  The file tells where it comes from", origin_drawn(origin)),
            *_chapter("Now you", _next_steps(home, real)),
        )
        return OUTCOME_CODES[result.outcome.kind]

    return run_in(_of_its_own(settings, home), everywhere, work)


def _of_its_own(settings: Settings, home: Path) -> Settings:
    """Return settings that can spend nothing and write nowhere else."""
    return replace(
        settings.simulated_only(), home=home, database_url=f"sqlite:///{home / 'keeprate.sqlite3'}"
    )


def _chapter(title: str, *shown: RenderableType) -> tuple[RenderableType, ...]:
    return ("", Rule(Text(title, style="bold"), align="left"), *shown)


def _wish(options: Options) -> RenderableType:
    return Facts(("prompt", PROMPT), ("purpose", f"{options.purpose}, {options.size}"))


def _settled(result: Result) -> RenderableType:
    held = result.attempts[0].new.hold
    lines = [
        f"{money(held)} was held before the call, the worst it could cost.",
        f"{money(result.charge)} was charged, by the tokens the reply reports; the rest was released.",
    ]
    return Group("", *lines)


def _next_steps(home: Path, real: str | None) -> RenderableType:
    keeprate = program()
    steps = (
        ("See the route of another wish; this spends nothing", f"{keeprate} route --purpose hero --size 4K"),
        (
            "Make an image of your own"
            + (f", for real money: {real} has a key" if real else ", still simulated"),
            f'{keeprate} generate "…" -o picture.png',
        ),
        ("See what the ledger holds of this demo", f"{keeprate} attempts --home {home}"),
        ("Find out what is missing to buy the real thing", f"{keeprate} doctor"),
    )
    return Group(
        *(part for say, command in steps for part in (Text(say), unbroken(f"    {command}", "bold")))
    )
