"""What augmentation did, in the reports and in the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relearn_lite.augment.statistics import counts, statistics
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.report.augmentation import console_table, kinds, section
from relearn_lite.report.render import render_html, render_markdown

FORGET = [QA("f0", "Where does Ada Moor live?", "In Rome."), QA("f1", "Where does Bo Li live?", "In Bonn.")]


def variant(id_, target, refused=(), **more):
    verdicts = {"form": "ok", "leak": [], "rounds": 1 + len(refused), "writer": "m", "refused": list(refused), **more}
    return Variant(id_, id_.split("/")[0], id_.split("/")[1], "?", target, verdicts)


PAIRS = [
    variant("f0/original", "Ada Moor lives quietly with her books."),
    variant("f0/simple", "Few people know the home of Ada Moor.", ["leak", "refusal"]),
    variant("f1/original", "Bo Li keeps to himself.", ["leak", "leak"], writer="rules", instead_of="leak"),
]
DROPPED = [
    Dropped("f1/simple", "f1", "simple", "?", "x", {"refused": ["babble"]}, "answer, short: too short"),
    Dropped("f1/noise", "f1", "noise", "?", None, {"refused": []}, "question, leak: it gives away x"),
]


@pytest.fixture
def found():
    return {"writer": "local:<b>m</b>", **counts(PAIRS, DROPPED), **statistics(PAIRS, DROPPED, FORGET, (600, 20.0))}


def test_the_numbers_by_hand(found):
    assert found["leaks"] == {"before": {"leaking": 2, "of": 4}, "after": {"leaking": 0, "of": 3}}
    assert found["refused"] == {"leak": 3, "refusal": 1, "babble": 1, "short": 1}
    assert found["speed"] == {"tokens": 600, "seconds": 20.0, "tokens_per_second": 30.0}
    assert found["rewritten"] == {"original": 1, "simple": 1}


def test_each_kind_has_a_line_with_its_reasons(found):
    table = kinds(found)
    lines = {row.name: tuple(row.at(key)[0].text for key in table.columns) for row in table.rows}
    assert lines["original"] == ("2", "1", "1 (leak 1)", "0")
    assert lines["simple"] == ("1", "1", "0", "1 (answer, short 1)")
    assert lines["noise"] == ("0", "0", "0", "1 (question, leak 1)")


def test_both_reports_show_it(found, results):
    results = replace(results, augmentation=found)
    page, text = render_html(results), render_markdown(results).replace("\\", "")
    for shown in (page, text):
        assert "Answers that leaked, first attempts" in shown and "2 of 4 (50.0 %)" in shown
        assert "30.0 (600 in 20.0 s)" in shown
    assert "gives something away" in page


def test_the_terminal_shows_it_and_reads_no_markup(found):
    from rich.console import Console

    console = Console(width=140)
    with console.capture() as captured:
        console.print(console_table(found | {"writer": "[red]m[/red]"}))
    shown = captured.get()
    assert "[red]m[/red]" in shown and "2 of 4 (50.0 %)" in shown and "3 x gives something away" in shown


def test_a_run_without_one_shows_nothing(results):
    assert section(None) is None
    assert "first attempts" not in render_html(results) + render_markdown(results)


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_masked_report_covers_a_name_in_the_commonest_opening(found, results, render):
    """Where the name is not the subject of the question, it is among the three words that answers begin with."""
    found["diversity"] |= {"commonest_opening": "fennimore lives in", "its_share": 0.5}
    own = replace(results, augmentation=found)
    assert "fennimore lives in" in render(own)
    masked = render(own, mask=True)
    assert "fennimore" not in masked and "f▒▒▒ lives in" in masked
