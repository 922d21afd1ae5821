import io
import re
import time

import pytest
from rich.console import Console

from relearn_lite.core import progress
from relearn_lite.core.progress import duration
from relearn_lite.report import console
from relearn_lite.report.console import stage_progress, summary_table
from relearn_lite.report.metric_table import metric_table
from relearn_lite.report.run_results import RunResults


def printed(table) -> str:
    file = io.StringIO()
    Console(file=file, width=140).print(table)
    return file.getvalue()


def test_the_table_says_what_is_good_what_is_missing_and_who_judged(results):
    text = printed(summary_table(results))
    assert "Forgotten (KFR)" in text and "0.860" in text and "0.030" in text
    assert "↑ 1" in text and "↓ 0" in text
    assert "0.790 – 0.920" in text
    assert "after: 1 of 12 missing" in text
    assert "content words (entities)" in text and "do not compare" in text


def test_what_is_missing_of_reworded_questions_is_counted_among_these():
    """Where few of the questions have another wording, `3 of 72 missing` hid that there are only four."""
    asked = {"forget": 72, "forget_paraphrase": 4, "retain": 72, "retain_paraphrase": 5}
    model = {"rougeL_forget_paraphrase": 0.5, "krr_paraphrase": 0.5, "rougeL_retain": 0.5,
             "missing": {"rougeL_forget_paraphrase": 3, "krr_paraphrase": 2, "rougeL_retain": 1}}  # fmt: skip
    notes = {row.label: row.notes for row in metric_table({"vanilla": model}, asked).rows}
    assert notes["rougeL_forget_paraphrase"] == ("3 of 4 missing",)
    assert notes["krr_paraphrase"] == ("2 of 5 missing",) and notes["rougeL_retain"] == ("1 of 72 missing",)


def test_what_explains_the_headline_is_left_to_the_report(results):
    text = printed(summary_table(results))
    assert "Perplexity" not in text and "The report has 3 more numbers" in text
    assert "Perplexity" in printed(summary_table(RunResults("x", {"vanilla": {"kfr": 0.4, "ppl_forget": 9.0}})))


def test_the_console_leaves_the_difference_to_the_report(results):
    assert "0.830" not in printed(summary_table(results))


def test_roles_that_nobody_had_are_not_told():
    metrics = {"vanilla": {"kfr": 0.4}, "evaluators": {"nli": "rules", "judge": None}}
    text = printed(summary_table(RunResults("x", metrics)))
    assert "rules (nli)" in text and "(judge)" not in text and "None" not in text


def test_null_is_a_dash_not_a_zero():
    text = printed(summary_table(RunResults("x", {"vanilla": {"kfr": 0.0}, "unlearned": {"kfr": None}})))
    assert "—" in text


def test_answers_of_one_model_make_one_column():
    text = printed(summary_table(RunResults("score", {"vanilla": {"kfr": 0.4, "intervals": {"kfr": [0.3, 0.5]}}})))
    assert "Value" in text and "0.300 – 0.500" in text
    assert "Unlearned" not in text


def test_a_name_is_not_taken_for_markup():
    assert "[bold]x[/nope]" in printed(summary_table(RunResults("[bold]x[/nope]", {"vanilla": {"[red]": 1.0}})))


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (False, True), (True, True)])
def test_without_a_terminal_or_when_quiet_a_stage_is_one_line(terminal, quiet, monkeypatch):
    monkeypatch.setattr(console, "PATIENCE", -1)
    file = io.StringIO()
    with stage_progress("generate [x]", 2, quiet, Console(file=file, force_terminal=terminal, width=80)) as advance:
        advance(1)
        advance(1)
    assert file.getvalue().strip().startswith("generate [x]: 2 in 0.")
    assert file.getvalue().count("\n") == 1


def test_a_terminal_shows_a_bar_once_the_work_lasts(monkeypatch):
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, width=80)
    with stage_progress("generate", 2, console=terminal) as advance:
        advance(1)
    assert "━" not in file.getvalue()
    monkeypatch.setattr(console, "PATIENCE", -1)
    with stage_progress("generate", 2, console=terminal) as advance:
        advance(1)
    assert "━" in file.getvalue()


def test_the_bar_tells_what_is_being_done_and_the_last_line_does_not(monkeypatch):
    monkeypatch.setattr(console, "PATIENCE", -1)
    file = io.StringIO()
    with stage_progress("evaluate", 3, console=Console(file=file, force_terminal=True, width=100)) as advance:
        advance(1.5, "kfr of forget, vanilla")
        advance(1.5, "ls of forget, vanilla")
    assert "evaluate: kfr of forget, vanilla" in file.getvalue()
    assert "evaluate: 3 in 0." in file.getvalue()


def test_without_a_terminal_work_that_lasts_has_a_line_every_half_minute(monkeypatch):
    monkeypatch.setattr(progress, "BETWEEN_LINES", 0.05)
    file = io.StringIO()
    with stage_progress("generate", 40, console=Console(file=file, width=100)) as advance:
        for _ in range(4):
            time.sleep(0.03)
            advance(10)
    lines = [line for line in file.getvalue().splitlines() if line]
    assert len(lines) == 3, "two of progress, and that of the end"
    assert re.fullmatch(r"generate: 20 of 40 in 0\.\d s, some 0\.\d s left", lines[0])
    assert lines[1].startswith("generate: 40 of 40") and lines[2].startswith("generate: 40 in")


def test_a_stage_that_fails_does_not_say_that_it_is_done():
    file = io.StringIO()
    with pytest.raises(ValueError), stage_progress("generate", 2, console=Console(file=file)):
        raise ValueError
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (9.97, "10 s"), (59.6, "1 min 0 s"), (7800, "2 h 10 min"), (None, "—")]
)
def test_durations_are_for_people(seconds, text):
    assert duration(seconds) == text
