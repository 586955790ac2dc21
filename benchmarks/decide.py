"""How long a decision takes: `python benchmarks/decide.py` prints one table.

Twenty distinct routes can serve the request (four living models on five upstreams, 2026-10-10); the
dead models of those upstreams are rejected besides. A decision is complete: each route priced for
this prompt, the policy's choice with its signals, quotes with their lines for every step of the
cascade, and a reason against each other route. Prompts differ from decision to decision.

"warm" is a market that has met the shape of the request (size, ratio, references, lane, ...) before,
as nearly all of a working day are; "cold" works the shape out anew. Two lines below give the scale:
the least that twenty rejections cost to write down, and a bare sort of twenty numbers.
"""

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from time import perf_counter_ns

from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.domain.decisions import Decision, Rejection
from keeprate.domain.needs import needs_of
from keeprate.domain.purposes import Purpose, ReferenceRole
from keeprate.domain.requests import ImageRequest, Reference
from keeprate.domain.routes import GEMINI_API, Upstream
from keeprate.routing.decide import decide
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES

DAY = date(2026, 10, 10)
OFFERS = 20
TARGET_US = 100
POLICIES_SHOWN = ("flash-first", "six-model", "quality-first", "cheapest")


def market() -> Market:
    folder = files("keeprate.catalogue") / "facts"
    book = book_of({name: (folder / name).read_text("utf-8") for name in FACT_FILES})
    upstreams = [
        Upstream(name=f"google-{number}", surface=GEMINI_API, base_url="http://localhost", simulated=True)
        for number in range(1, 6)
    ]
    return Market.of(book, upstreams, DAY)


def requests(count: int, *, references: int = 0) -> list[ImageRequest]:
    """Return `count` requests that differ in purpose and in the length and words of the prompt."""
    purposes = tuple(Purpose)
    given = tuple(
        Reference(sha256=f"{number:064x}", mime="image/png", width=64, height=64, bytes_count=1, role=role)
        for number, role in zip(range(references), [ReferenceRole.OBJECT] * references, strict=True)
    )
    return [
        ImageRequest(
            prompt=f"picture {number} " + "of a red fox on a hill " * (number % 40),
            purpose=purposes[number % len(purposes)],
            references=given,
        )
        for number in range(count)
    ]


def timings(work: Callable[[ImageRequest], object], over: list[ImageRequest]) -> list[float]:
    """Return how many microseconds each call of `work` took."""
    found: list[float] = []
    for request in over:
        started = perf_counter_ns()
        work(request)
        found.append((perf_counter_ns() - started) / 1000)
    return found


def check(decision: Decision) -> None:
    """Refuse to measure anything less than what is promised."""
    eligible = [one for one in decision.rejected if one.code in {"dearer", "equal", "preference"}]
    routes = {str(one.route) for one in eligible} | {str(decision.chosen.route)}
    if len(routes) != OFFERS or not all(one.reason for one in decision.rejected):
        raise SystemExit(f"not a decision over {OFFERS} distinct offers: {len(routes)}")
    if not all(step.offer.quote.lines for step in decision.steps):
        raise SystemExit("a step without quote lines")


def bare(request: ImageRequest) -> list[Rejection]:
    """Write down twenty rejections and nothing else."""
    return [
        Rejection(route=ROUTE, code="dearer", reason=f"dearer: {number} {request.size}")
        for number in range(20)
    ]


def sort_bare(request: ImageRequest) -> list[int]:
    return sorted([(number * 7919 + len(request.prompt)) % 997 for number in range(20)])


def record(rows: dict[str, list[float]], destination: str) -> None:
    with Path(destination).open("a", encoding="utf-8") as lines:
        for name in POLICIES_SHOWN:
            median = statistics.median(rows[f"{name}, warm"])
            row = {
                "figure": f"decision over {OFFERS} offers, {name}, warm, median",
                "value": f"{median:.1f} us",
                "target": f"<= {TARGET_US} us",
                "met": median <= TARGET_US,
            }
            lines.write(json.dumps(row) + "\n")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--count", type=int, default=5000, help="decisions per line")
    arguments.add_argument("--record", help="append the figures as JSON lines to this file")
    asked = arguments.parse_args()

    prepared = market()
    plain, edits = requests(asked.count), requests(asked.count, references=3)
    rows: dict[str, list[float]] = {}
    for name in POLICIES_SHOWN:
        policy = POLICIES[name]
        check(decide(plain[0], market=prepared, policy=policy))
        rows[f"{name}, warm"] = timings(lambda one, p=policy: decide(one, market=prepared, policy=p), plain)
    flash = POLICIES["flash-first"]
    rows["flash-first, warm, 3 references"] = timings(
        lambda one: decide(one, market=prepared, policy=flash), edits
    )
    cold = [(request, replace(prepared)) for request in plain[: max(20, asked.count // 50)]]
    rows["flash-first, cold (first of its shape)"] = [
        timings(lambda one, m=fresh: decide(one, market=m, policy=flash), [request])[0]
        for request, fresh in cold
    ]
    rows["scale: reading the request alone"] = timings(needs_of, plain)
    rows["scale: 20 rejections written, nothing decided"] = timings(bare, plain)
    rows["scale: 20 numbers sorted"] = timings(sort_bare, plain)

    met = all(statistics.median(rows[f"{name}, warm"]) <= TARGET_US for name in POLICIES_SHOWN)
    if asked.record:
        record(rows, asked.record)
    print(f"A complete decision over {OFFERS} distinct offers, microseconds ({asked.count} requests a line)")
    print(
        f"Python {platform.python_version()}, {platform.machine()}; target: median <= {TARGET_US} us warm\n"
    )
    print(f"{'':46}{'median':>9}{'p95':>9}{'p99':>9}")
    for name, row in rows.items():
        cuts = statistics.quantiles(row, n=100)
        print(f"{name:46}{statistics.median(row):9.1f}{cuts[94]:9.1f}{cuts[98]:9.1f}")
    print(f"\ntarget {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    ROUTE = market().listings[0]
    sys.exit(main())
