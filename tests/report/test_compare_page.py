"""The comparison as table, page and files: what is best, what failed, and that nothing a model wrote gets through."""

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
from conftest import HOSTILE
from relearn_lite.unlearn.terms import METHODS
from rich.console import Console

from relearn_lite.report.compare import COLUMNS, Compared, lines
from relearn_lite.report.compare_answers import same_questions
from relearn_lite.report.compare_files import as_csv, as_html, console_table
from relearn_lite.report.compare_scatter import HEIGHT, WIDTH, dots, place_x, place_y
from relearn_lite.report.compare_text import as_latex, as_markdown, latex


@pytest.fixture
def compared(results):
    """Three methods: one good, one that forgot more and babbles, one that failed."""
    added, intervals = {"ls_share": 0.9, "balance": 0.9}, {"unlearned": {"ls_forget": [0.1, 0.2]}}
    good = Compared("good", results, added=added, intervals=intervals)
    worse = results.metrics | {"unlearned": results.metrics["unlearned"] | {
        "kfr": 1.0, "krr": 0.1, "ls_forget": 0.001, "ppl_forget": 9000.0, "rougeL_forget": 0.31}}  # fmt: skip
    manifest = results.manifest | {"stages": {"unlearn": {
        "seconds": 5, "peak_memory_mb": 900, "steps": 40, "kept_step": 20, "stopped": "it babbles"}}}  # fmt: skip
    babble = replace(results, metrics=worse, manifest=manifest)
    return [
        good,
        Compared("babbles", babble, added={"ls_share": 0.01, "balance": 0.03}),
        Compared("broken <b>", failure="unlearn.lr: training diverged & <i>broke</i>"),
    ]


def line(compared, name):
    return next(each for each in lines(compared) if each.name == name)


def test_the_best_of_each_column_is_marked_whichever_way_is_good(compared):
    good, babbles = line(compared, "good").cells, line(compared, "babbles").cells
    assert babbles["kfr"].best and not good["kfr"].best
    assert good["krr"].best and good["ls_share"].best and good["balance"].best
    assert good["ppl_forget"].best and not babbles["ppl_forget"].best  # lower is better
    assert good["rougeL_forget"].best and babbles["rougeL_forget"].best  # what looks the same is equally good
    assert not any(cell.best for cell in line(compared, "vanilla").cells.values())


def test_training_that_was_stopped_says_that_its_time_is_not_all(compared):
    told = "Time and memory are those since training was last started: it had been stopped."
    babbles = compared[1].results
    stages = {"unlearn": babbles.manifest["stages"]["unlearn"] | {"resumed": True}}
    resumed = replace(compared[1], results=replace(babbles, manifest=babbles.manifest | {"stages": stages}))
    assert told in line([resumed], "babbles").notes and told not in line(compared, "babbles").notes


def test_a_failed_method_has_words_and_no_number(compared):
    broken = line(compared, "broken <b>")
    assert broken.cells == {} and "diverged" in broken.failure
    row = list(csv.DictReader(StringIO(as_csv(lines(compared)))))[-1]
    assert {key for key, value in row.items() if value} == {"method", "status", "notes"}
    assert len(dots(lines(compared))) == 3  # vanilla, good, babbles


def test_intervals_come_from_the_run_and_from_what_was_added(compared):
    cells = line(compared, "good").cells
    assert cells["kfr"].interval == [0.79, 0.92] and cells["ls_forget"].interval == [0.1, 0.2]


def test_why_training_ended_and_what_is_missing_stands_beside_the_numbers(compared):
    told = " ".join(line(compared, "babbles").notes)
    assert "Stopped early: it babbles." in told and "Adapter of step 20 of 40" in told
    assert "KFR: 1 of 12 missing." in told


def test_what_could_not_be_had_is_a_dash_and_empty_in_the_csv_never_zero(compared):
    compared[0].results.metrics["unlearned"]["krr"] = None
    assert line(compared, "good").cells["krr"].text == "—"
    assert list(csv.DictReader(StringIO(as_csv(lines(compared)))))[1]["krr"] == ""


def test_runs_with_other_vanillas_get_a_line_for_each(compared):
    other = compared[1].results
    other = replace(other, metrics=other.metrics | {"vanilla": other.metrics["vanilla"] | {"kfr": 0.5}})
    names = [each.name for each in lines([compared[0], replace(compared[1], results=other)])]
    assert names == ["vanilla of good", "vanilla of babbles", "good", "babbles"]


def test_dots_lie_where_their_numbers_say_and_no_two_labels_on_each_other(compared):
    many = [replace(compared[0], name=f"m{n}") for n in range(20)]
    found = dots(lines(many))
    assert {(dot.x, dot.y) for dot in found if not dot.hollow} == {(place_x(0.86), place_y(0.94))}
    places = [(dot.label_x, dot.label_y) for dot in found]
    assert len(set(places)) == 21 and all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    large, small = (next(d for d in dots(lines(compared)) if d.label == n) for n in ("1", "2"))
    assert (large.r / small.r) ** 2 == pytest.approx(0.9 / 0.0193, rel=0.2)  # areas; the small one at its least radius


def test_the_page_escapes_all_that_a_model_or_a_user_wrote(compared):
    page = as_html("demo </title><script>", compared, 20, mask=False)
    for text in ("<script>", "<img src=x", "<b>", "<i>broke", "\x00", "\u202e", "demo </title>"):
        assert text not in page, text
    assert "Failed: unlearn.lr: training diverged &amp; &lt;i&gt;broke" in page
    assert page.count("<article") == len(same_questions(compared, 20))


def test_the_same_questions_are_answered_by_all_and_masked_where_asked(compared):
    questions = same_questions(compared, 5)
    assert [q.split for q in questions] == ["forget"] * 3 + ["retain"] * 2
    assert all([said.who for said in q.answers] == ["vanilla", "good", "babbles"] for q in questions)
    page = as_html("demo", compared, 5, mask=True)
    assert "Kelp Lane" in as_html("demo", compared, 5, mask=False) and "Kelp Lane" not in page
    assert "Masked:" in page and "Paris" in page  # what is kept is not secret


def test_markdown_and_latex_carry_the_best_in_bold_and_nothing_that_runs(compared):
    text = as_markdown("demo", lines(compared), "Judged by <x>.")
    assert "|**1.000** (0.790 – 0.920)|" in text and "<b>" not in text and "failed: unlearn.lr" in text
    tex = as_latex(lines(compared))
    assert r"\textbf{1.000}" in tex and tex.count(r"\\") == 5 and r"\multicolumn{10}{l}{failed}" in tex
    assert latex(r"50% of_a\b & {c}") == r"50\% of\_a\textbackslash{}b \& \{c\}"


def test_a_narrow_terminal_gets_fewer_columns_none_of_them_cut(compared):
    for width in (80, 200):
        console = Console(width=width, record=True, file=StringIO())
        console.print(console_table("demo", lines(compared), width))
        shown = console.export_text()
        assert "…" not in shown and "0.860" in shown and "failed" in shown
        assert ("0.790 – 0.920" in shown) == (width == 200)


def test_the_longest_name_of_a_method_stands_in_one_piece_in_a_narrow_terminal(compared):
    longest = max(METHODS, key=len)
    table = [replace(line, name=longest, seconds=3599.0, memory_mb=99_999.0) for line in lines(compared)]
    console = Console(width=80, record=True, file=StringIO())
    console.print(console_table("demo", table, 80))
    assert console.export_text().count(longest) == len(table)


def test_hostile_answers_are_among_those_that_are_shown(compared):
    shown = json.dumps([said.text for q in same_questions(compared, 20) for said in q.answers])
    assert "alert(1)" in shown and len(HOSTILE) > 5
    assert len(COLUMNS) == 10
