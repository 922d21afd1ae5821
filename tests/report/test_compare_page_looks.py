"""Attacks and analyses of several methods: each number in its line, what is missing with its reason, pictures whole."""

from __future__ import annotations

import copy
import csv
import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from relearn_lite.report import compare_analysis, compare_attacks
from relearn_lite.report.compare import Compared, lines
from relearn_lite.report.compare_chart import marks, picture
from relearn_lite.report.compare_files import as_csv, as_html
from relearn_lite.report.compare_text import as_latex, as_markdown

ASKED = "attacks: {questions: 4}\nanalyze: {questions: 1}\n"


@pytest.fixture
def weak(attacks):
    """Forgets less under every attack, but keeps all."""
    found = copy.deepcopy(attacks)
    for row in found["attacks"]:
        if row["kfr"] is not None:
            row.update(kfr=0.0, krr=1.0)
    found["relearning"]["forget"].update(kfr=[1.0, 0.5, 0.0], krr=[1.0, 1.0, 1.0])
    return found


@pytest.fixture
def compared(results, attacks, analysis, weak):
    base = replace(results, recipe=ASKED)
    vanilla = Compared("vanilla", replace(base, attacks=weak))
    return [
        Compared("strong", replace(base, attacks=attacks, analysis=analysis), vanilla=vanilla),
        Compared("weak", replace(base, attacks=weak, analysis=analysis), vanilla=vanilla),
        Compared("broken", failure="it <b>diverged</b>", vanilla=vanilla),
        Compared("later", base, failure="attack broke off: <i>no memory</i>.", vanilla=vanilla),
    ]


def by_name(view):
    return {line.name: line for line in view.lines}


def section(page, name):
    return page.partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]


def test_without_attacks_and_analysis_there_is_nothing_of_them(results):
    table = lines([Compared("plain", results)])
    assert compare_attacks.view(table) is None and compare_analysis.view(table) is None
    assert compare_attacks.console_table(table) is None
    page = as_html("demo", [Compared("plain", results)], 3, mask=False)
    assert "Under attack" not in page and "Inside the models" not in page
    assert not any("attack" in name or "analysis" in name for name in as_csv(table).splitlines()[0].split(","))


def test_each_method_stands_beside_vanilla_and_the_best_is_marked(compared):
    view = compare_attacks.view(lines(compared))
    assert list(by_name(view)) == ["vanilla", "strong", "weak", "broken", "later"]
    strong, weak, vanilla = (by_name(view)[name].pairs for name in ("strong", "weak", "vanilla"))
    assert strong["jailbreak"].kfr.text == "0.500" and strong["jailbreak"].kfr.best and not strong["jailbreak"].krr.best
    assert weak["jailbreak"].krr.best and not weak["jailbreak"].kfr.best
    assert not any(pair.kfr.best or pair.krr.best for pair in vanilla.values())
    assert not strong["plain"].kfr.best, "all alike: none is best"
    assert (strong["relearning_forget"].kfr.text, weak["relearning_forget"].kfr.text) == ("0.250", "0.000")
    assert view.headings["sampling"] == "Sampling, leak@8"
    assert view.headings["relearning_forget"] == "Relearnt from forget, 10 steps"
    assert "paraphrase" not in view.headings, "nobody was asked so"
    assert list(view.headings).index("any") < list(view.headings).index("relearning_forget")


def test_what_could_not_be_had_has_its_reason_and_no_number(compared):
    found = by_name(compare_attacks.view(lines(compared)))
    assert found["strong"].pairs["relearning_unrelated"].kfr.text == "—"
    assert "Relearnt from unrelated: data.generic holds no examples." in found["strong"].notes
    assert not found["broken"].pairs and found["broken"].reason == "it failed"
    assert "no memory" in found["later"].reason
    nothing = compared[0].results.attacks["attacks"]
    nothing[:] = [row for row in nothing if row["way"] == "fp16"]
    nothing.append({**nothing[0], "way": "worst", "reason": None})
    strong = by_name(compare_attacks.view(lines(compared)))["strong"]
    assert strong.pairs["precision"].kfr.text == "—" and "halves" in strong.pairs["precision"].note


def test_the_csv_has_all_digits_and_nothing_where_nothing_could_be_had(compared):
    rows = {row["method"]: row for row in csv.DictReader(StringIO(as_csv(lines(compared))))}
    assert rows["strong"]["attack_jailbreak_kfr"] == "0.5" and rows["strong"]["attack_jailbreak_kfr_low"] == "0.1"
    assert rows["strong"]["attack_relearning_forget_kfr"] == "0.25"
    assert rows["strong"]["attack_precision_kfr"] == rows["later"]["attack_plain_kfr"] == ""
    assert rows["strong"]["analysis_p_forget"] == "0.25" and rows["vanilla"]["analysis_p_forget"] == "0.9"
    assert rows["vanilla"]["analysis_cosine_forget"] == "" and rows["strong"]["analysis_cosine_forget"] == "0.2"
    assert {key for key, value in rows["broken"].items() if value} == {"method", "status", "notes"}


def test_key_numbers_stand_by_model_and_side(compared):
    view = compare_analysis.view(lines(compared))
    found = by_name(view)
    assert list(found) == ["vanilla", "strong", "weak", "broken", "later"]
    assert found["vanilla"].pairs["p"] == ("0.900", "0.950") and found["strong"].pairs["p"] == ("0.250", "0.940")
    assert found["vanilla"].pairs["cosine"] == ("—", "—")
    assert "agreement" not in view.headings, "nothing known: no column"
    assert found["broken"].reason == "it failed"


def test_one_picture_has_a_line_for_each_model(compared):
    lens, forget, retain = compare_analysis.view(lines(compared)).pictures
    assert [line.label for line in lens.chart.lines] == ["vanilla", "strong", "weak"]
    assert [line.label for line in forget.chart.lines] == [line.label for line in retain.chart.lines] == [
        "strong", "weak",
    ]  # fmt: skip
    assert [text for _, _, text in forget.ends] == ["1, 2"], "their ends lie on each other"
    relearning = compare_attacks.view(lines(compared)).relearning
    assert {text for _, _, text in relearning.ends} == {"1", "V, 2"}


def test_many_methods_are_told_apart(compared):
    table = lines([replace(compared[0], name=f"m{n}") for n in range(27)])
    drawn = marks(table)
    assert len({(mark.colour, mark.dash) for mark in drawn.values()}) == 28
    ends = {f"m{n}": [(0, 0.0), (1, 0.5 if n < 20 else n / 27)] for n in range(27)}
    shown = picture("t", ("x", "y"), ends, drawn, 1.0)
    assert shown.ends[-1][2] == "1–20" and all(len(text) <= 11 for _, _, text in shown.ends)
    places = [y for _, y, _ in shown.ends]
    assert all(b - a >= 12 for a, b in zip(places, places[1:], strict=False))


def test_curves_with_other_steps_are_drawn_without_gaps(compared):
    other = compared[1].results.attacks["relearning"]["forget"]
    other["steps"] = [0, 3, 9]
    view = compare_attacks.view(lines(compared))
    assert all(line.path.count("M") == 1 for line in view.relearning.chart.lines)
    assert view.headings["relearning_forget"] == "Relearnt from forget, 9 or 10 steps"


def test_runs_that_were_not_asked_alike_are_told(compared):
    assert "not attacked alike" not in as_html("demo", compared, 2, mask=False)
    other = replace(compared[1].results, recipe="attacks: {questions: 2}\nanalyze: {top: 1}")
    less = replace(compared[1], results=other)
    page = as_html("demo", [compared[0], less], 2, mask=False)
    assert "not attacked alike" in page and "not analysed alike" in page


def test_the_page_is_whole_and_escaped(compared):
    page = as_html("demo", compared, 2, mask=False)
    for name in ("attacks", "inside"):
        part = section(page, name)
        for tag in ("svg", "table", "tr", "td", "th", "ul", "li", "p", "dl", "figure"):
            assert len(re.findall(rf"<{tag}[ >]", part)) == part.count(f"</{tag}>"), tag
        assert not re.search(r"\bnan\b", part.lower())
    assert "unless these are the ReLearn paper&#39;s" in section(page, "attacks")
    for text in ("<b>diverged", "<i>no memory", "<b>halves", "<script>alert"):
        assert text not in page
    paths = "".join(re.findall(r'<path d="([^"]+)"', section(page, "inside")))
    for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", paths):
        assert 0 <= float(x) <= 720 and 0 <= float(y) <= 240


def test_markdown_and_latex_have_both_tables(compared):
    table = lines(compared)
    sheets = [compare_attacks.sheet(table, True), compare_analysis.sheet(table)]
    text = as_markdown("demo", table, "Judged by <x>.", sheets)
    assert "## Under attack, KFR / KRR" in text and "**0.500** (0.100 – 0.900) / 0.800" in text
    assert "## Inside the models, forget / retain" in text and "0.250 / 0.940" in text
    assert "<b>" not in text and "<i>" not in text and "no memory" in text
    for grid in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in grid.splitlines()}) == 1
    tex = as_latex(table, [compare_attacks.sheet(table, False), compare_analysis.sheet(table)])
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 3
    assert r"\textbf{0.500} / 0.800" in tex and r"\textbf{0.500} (0.1" not in tex


def test_the_console_has_one_line_a_method(compared):
    console = Console(width=80, record=True, file=StringIO())
    console.print(compare_attacks.console_table(lines(compared)))
    shown = console.export_text()
    (strong,) = [row.split() for row in shown.splitlines() if "strong" in row]
    assert [part for part in strong if part != "│"] == ["strong", "1.000", "0.000", "0.250"]
    assert "broken" in shown and "…" not in shown
