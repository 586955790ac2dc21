"""Bill, truth, faults and luck: what survives, what repeats, what applies."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from keeprate_emulator.bill import Bill, BillRow
from keeprate_emulator.calls import Call
from keeprate_emulator.faults import NO_FAULT, FaultBook, rules_from
from keeprate_emulator.luck import Luck, LuckBook
from keeprate_emulator.paging import page_of
from keeprate_emulator.prices import Tokens
from keeprate_emulator.refusals import Refusal
from keeprate_emulator.truths import Truth, Truths
from keeprate_emulator.turned_away import refusal_for


def row(number: int, nano_usd: int = 100, accepted_at: str = "2026-11-21T10:00:00.000000Z") -> BillRow:
    return BillRow(
        response_id=f"r{number}",
        surface="gemini-api",
        model="m",
        served_model="m",
        method="generateContent",
        size="1K",
        lane="standard",
        outcome="image",
        fault="",
        images=1,
        nano_usd=nano_usd,
        usage=Tokens(image=1120),
        key_hash="k",
        client_request_id="",
        request_hash="h",
        accepted_at=accepted_at,
    )


def truth(name: str) -> Truth:
    return Truth(
        response_id=name,
        sha256=f"sha-{name}",
        model="m",
        mime="image/png",
        label="image/png",
        width=1,
        height=1,
        drawn=True,
        wanted_labels=("A",),
        drawn_labels=("A",),
        references=0,
        flaws=(),
    )


def call(model: str = "m", prompt: str = "") -> Call:
    return Call(
        surface="gemini-api",
        version="v1",
        method="generateContent",
        model_id=model,
        body=prompt.encode(),
        key_hash="k",
        client_request_id="",
        lane="",
        sse=False,
    )


def test_the_bill_is_taken_up_again(tmp_path: Path) -> None:
    bill = Bill(tmp_path)
    for number in (1, 2, 3):
        bill.record(row(number, nano_usd=number))
    again = Bill(tmp_path)
    assert again.rows() == bill.rows()
    assert again.summary()["total_nano_usd"] == 6


def test_emulators_on_one_folder_keep_one_bill(tmp_path: Path) -> None:
    one, other = Bill(tmp_path), Bill(tmp_path)
    one.record(row(1))
    other.record(row(2))
    one.record(row(3))
    assert (
        [entry.response_id for entry in other.rows()]
        == ["r1", "r2", "r3"]
        == [r.response_id for r in one.rows()]
    )
    other.clear()
    assert one.rows() == other.rows() == []
    one.record(row(4))
    assert [entry.response_id for entry in other.rows()] == ["r4"]


def test_a_line_torn_by_a_kill_does_not_spoil_the_next(tmp_path: Path) -> None:
    Bill(tmp_path).record(row(1))
    with (tmp_path / "bill.jsonl").open("ab") as file:
        file.write(b'{"call_no": 2, "resp')
    bill = Bill(tmp_path)
    bill.record(row(2))
    assert [entry.response_id for entry in Bill(tmp_path).rows()] == ["r1", "r2"]


def test_the_bill_is_read_in_pages(tmp_path: Path) -> None:
    bill = Bill(tmp_path)
    for number in range(1, 6):
        bill.record(row(number, accepted_at=f"2026-11-21T10:00:0{number}.000000Z"))
    assert [entry["call_no"] for entry in bill.page(offset=1, limit=2)] == [2, 3]
    assert [entry["call_no"] for entry in bill.page(since="2026-11-21T10:00:04.000000Z")] == [4, 5]


def test_truth_is_found_by_id_and_by_hash_also_after_a_restart(tmp_path: Path) -> None:
    truths = Truths(tmp_path)
    truths.tell(truth("a"))
    truths.tell(truth("bb"))
    with (tmp_path / "truth.jsonl").open("ab") as file:
        file.write(b'{"torn')
    again = Truths(tmp_path)
    again.tell(truth("ccc"))
    assert again.about("sha-bb") == truth("bb") == truths.about("bb")
    assert again.about("ccc") == truth("ccc")
    assert again.about("nobody") is None


def test_luck_repeats_for_the_same_request_the_same_time_round() -> None:
    one, other = LuckBook(7), LuckBook(7)
    firsts = [
        one.next("a").dice("x").random(),
        one.next("b").dice("x").random(),
        one.next("a").dice("x").random(),
    ]
    assert other.next("b").dice("x").random() == firsts[1]
    assert other.next("a").dice("x").random() == firsts[0]
    assert other.next("a").dice("x").random() == firsts[2] != firsts[0]
    assert LuckBook(8).next("a").dice("x").random() != firsts[0]


def test_the_first_rule_with_turns_left_applies() -> None:
    book = FaultBook()
    book.add(
        rules_from(
            b"""[{"fault": {"kind": "no_usage"}, "times": 1, "skip": 1},
                 {"fault": {"kind": "empty_body"}, "match": {"prompt_contains": "cat"}}]"""
        )
    )
    found = [book.fault_for(call(), prompt, Luck("l")).kind for prompt in ("dog", "a cat", "a cat", "dog")]
    assert found == ["latency", "no_usage", "empty_body", "latency"]
    assert [entry["applied"] for entry in book.listing()] == [1, 1]


def test_rules_are_for_the_calls_they_name() -> None:
    book = FaultBook()
    book.add(
        rules_from(
            b'{"fault": {"kind": "no_usage"}, "match": {"model": "m", "surface": "gemini-api", "method": "generateContent"}}'
        )
    )
    assert book.fault_for(call("m"), "", Luck("l")).kind == "no_usage"
    assert book.fault_for(call("n"), "", Luck("l")) is NO_FAULT


def test_chance_is_the_luck_of_the_call() -> None:
    book, luck = FaultBook(), LuckBook(7)
    book.add(rules_from(b'{"fault": {"kind": "no_usage"}, "probability": 0.3}'))
    hits = sum(book.fault_for(call(), "", luck.next(str(n))).kind == "no_usage" for n in range(1000))
    assert 250 < hits < 350


@pytest.mark.parametrize(
    "rules",
    [
        b'{"fault": {"kind": "nonsense"}}',
        b'{"fault": {"kind": "error"}}',
        b'{"fault": {"kind": "finish_reason"}}',
        b'{"fault": {"kind": "serve_model"}}',
        b'{"fault": {"kind": "wrong_size"}}',
        b'{"fault": {"kind": "no_usage"}, "often": 3}',
        b"{}",
        b"nothing",
    ],
)
def test_a_rule_that_says_nothing_is_refused(rules: bytes) -> None:
    with pytest.raises(Refusal):
        rules_from(rules)


@pytest.mark.parametrize(
    ("cause", "quota", "waits"),
    [
        ("limit_zero", "FreeTier", True),
        ("per_minute", "PerMinute", True),
        ("per_day", "PerDay", False),
        ("spend_window", "Spend", False),
    ],
)
def test_the_causes_of_a_429_differ_in_their_details(cause: str, quota: str, waits: bool) -> None:
    fault = rules_from(msgspec.json.encode({"fault": {"kind": "error", "code": 429, "cause": cause}}))[
        0
    ].fault
    body = msgspec.json.encode(refusal_for(fault, "gemini-3-pro-image").body()).decode()
    assert quota in body
    assert ("RetryInfo" in body) is waits
    plain = rules_from(b'{"fault": {"kind": "error", "code": 429}}')[0].fault
    assert "details" not in refusal_for(plain, "m").body()["error"]  # type: ignore[operator]


def test_no_page_is_empty() -> None:
    entries = list(range(5))
    pages, token = [], "0"
    while token:
        page = page_of(entries, {"pageSize": "2", "pageToken": token}, name="files")
        pages.append(page["files"])
        token = str(page.get("nextPageToken", ""))
    assert pages == [[0, 1], [2, 3], [4]]
    assert page_of([], {}, name="files") == {}


def test_searches_are_counted_by_the_month_on_disk(tmp_path: Path) -> None:
    bill = Bill(tmp_path)
    for number, day in enumerate(("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"), start=1):
        stamped = row(number, accepted_at=f"{day}T10:00:00.000000Z")
        bill.record(replace(stamped, searches=number))
    bill.close()
    again = Bill(tmp_path)
    assert [again.searches_in(month) for month in ("2026-10", "2026-11", "2026-12")] == [1, 5, 4]
    again.close()
