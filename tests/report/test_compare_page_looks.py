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
from relearn_lite.report.compare import Compared, method_lines, models
from relearn_lite.report.compare_files import as_csv, as_html, write_comparison

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


def by_name(table):
    return {row.name: row for row in table.rows}


def labels(page, title):
    """Names in the legend of a picture of the page."""
    svg = page.partition(f"<figcaption>{title}")[2].partition("</figure>")[0]
    return re.findall(r"text-anchor: start; fill: var\(--soft\)[^>]*>([^<]*)<", svg)


def signs(page, title):
    """What stands at the ends of its lines."""
    svg = page.partition(f"<figcaption>{title}")[2].partition("</figure>")[0]
    return re.findall(r"font-weight: 700[^>]*>([^<]*)<", svg)


def section(page, name):
    return page.partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]


def test_without_attacks_and_analysis_there_is_nothing_of_them(results):
    shown = models([Compared("plain", results)])
    assert compare_attacks.section(shown) is None and compare_analysis.section(shown) is None
    assert compare_attacks.console_table(shown) is None
    page = as_html("demo", [Compared("plain", results)], 3, mask=False)
    assert "Under attack" not in page and "Inside the models" not in page
    assert not any("attack" in name or "analysis" in name for name in as_csv(shown).splitlines()[0].split(","))


def test_each_method_stands_beside_vanilla_and_the_best_is_marked(compared):
    table = compare_attacks.table(models(compared))
    assert list(by_name(table)) == ["vanilla", "strong", "weak", "broken", "later"]
    strong, weak, vanilla = (by_name(table)[name].cells for name in ("strong", "weak", "vanilla"))
    assert [(cell.text, cell.tone) for cell in strong["jailbreak: worst"]] == [("0.500", "best"), ("0.800", "")]
    assert [cell.tone for cell in weak["jailbreak: worst"]] == ["", ""], "a KRR that vanilla has too says nothing of it"
    assert not any(cell.tone for pair in vanilla.values() for cell in pair)
    assert not strong["plain: plain"][0].tone, "all alike: none is best"
    assert (strong["relearning_forget"][0].text, weak["relearning_forget"][0].text) == ("0.250", "0.000")
    assert table.columns["sampling: leak@k"] == "Sampling, leak@8 ↑"
    assert table.columns["relearning_forget"] == "Relearnt from forget, 10 steps ↑"
    assert "paraphrase: worst" not in table.columns, "nobody was asked so"
    assert list(table.columns).index("any: worst") < list(table.columns).index("relearning_forget")


def test_what_could_not_be_had_has_its_reason_and_no_number(compared):
    found = by_name(compare_attacks.table(models(compared)))
    assert found["strong"].cells["relearning_unrelated"][0].text == "—"
    assert "Relearnt from unrelated: data.generic holds no examples." in found["strong"].notes
    assert not found["broken"].cells and found["broken"].failure == "Not attacked: it failed"
    assert "no memory" in found["later"].failure
    nothing = compared[0].results.attacks["attacks"]
    nothing[:] = [row for row in nothing if row["way"] == "fp16"]
    nothing.append({**nothing[0], "way": "worst", "reason": None})
    strong = by_name(compare_attacks.table(models(compared)))["strong"]
    assert strong.cells["precision: worst"][0].text == "—"
    assert "Precision, worst: no <b>halves" in " ".join(strong.notes)


def test_the_csv_has_all_digits_and_nothing_where_nothing_could_be_had(compared):
    rows = {row["method"]: row for row in csv.DictReader(StringIO(as_csv(models(compared))))}
    assert rows["strong"]["attack_jailbreak_kfr"] == "0.5" and rows["strong"]["attack_jailbreak_kfr_low"] == "0.1"
    assert rows["strong"]["attack_relearning_forget_kfr"] == "0.25"
    assert rows["strong"]["attack_precision_kfr"] == rows["later"]["attack_plain_kfr"] == ""
    assert rows["strong"]["analysis_p_forget"] == "0.25" and rows["vanilla"]["analysis_p_forget"] == "0.9"
    assert rows["vanilla"]["analysis_cosine_forget"] == "" and rows["strong"]["analysis_cosine_forget"] == "0.2"
    assert {key for key, value in rows["broken"].items() if value} == {"method", "status", "notes"}


def test_key_numbers_stand_by_model_and_side(compared):
    table = compare_analysis.table(models(compared))
    found = by_name(table)
    assert list(found) == ["vanilla", "strong", "weak", "broken", "later"]
    shown = [[cell.text for cell in found[name].cells[key]] for name, key in (
        ("vanilla", "p"), ("strong", "p"), ("vanilla", "cosine")
    )]  # fmt: skip
    assert shown == [["0.900", "0.950"], ["0.250", "0.940"], ["—", "—"]]
    assert "agreement" not in table.columns, "nothing known: no column"
    assert found["broken"].failure == "Not analysed: it failed"


def test_one_picture_has_a_line_for_each_model(compared):
    page = as_html("demo", compared, 2, mask=False)
    assert labels(page, "Logit lens") == ["V vanilla", "1 strong", "2 weak"]
    for side in ("forget", "retain"):
        assert labels(page, f"Distance from vanilla, {side}") == ["1 strong", "2 weak"]
        assert signs(page, f"Distance from vanilla, {side}") == ["1, 2"], "their ends lie on each other"
    assert set(signs(page, "Relearnt from forget")) == {"1", "V, 2"}
    assert labels(page, "Relearnt from forget") == [
        "V vanilla: 1.00 → 0.00", "1 strong: 1.00 → 0.25", "2 weak: 1.00 → 0.00"
    ]  # fmt: skip


def test_many_methods_are_told_apart(compared):
    shown = models([replace(compared[0], name=f"m{n}") for n in range(27)])
    drawn = method_lines(shown, {model.name: [(0, 0.0), (1, 0.5)] for model in shown})
    assert len({(line.colour, line.dashes) for line in drawn}) == 28
    assert {line.sign for line in drawn} == {"V", *map(str, range(1, 28))}


def test_curves_with_other_steps_are_drawn_without_gaps(compared):
    other = compared[1].results.attacks["relearning"]["forget"]
    other["steps"] = [0, 3, 9]
    page = as_html("demo", compared, 2, mask=False)
    svg = page.partition("<figcaption>Relearnt from forget")[2].partition("</svg>")[0]
    paths = re.findall(r'<path d="([^"]*)"[^>]*style="fill: none;[^"]*stroke: var\(--(?:mark|ink)', svg)
    assert len(paths) == 6 and all(path.count("M") == 1 for path in paths), "three lines, also in the legend"
    headings = compare_attacks.table(models(compared)).columns
    assert headings["relearning_forget"] == "Relearnt from forget, 9 steps or 10 steps ↑"


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
        for tag in ("svg", "table", "tr", "td", "th", "text", "p", "dl", "figure"):
            assert len(re.findall(rf"<{tag}[ >]", part)) == part.count(f"</{tag}>"), tag
        assert not re.search(r"\bnan\b", part.lower())
    assert "unless these are the ReLearn paper&#39;s" in section(page, "attacks")
    for text in ("<b>diverged", "<i>no memory", "<b>halves", "<script>alert"):
        assert text not in page


def test_markdown_and_latex_have_both_tables(compared, tmp_path):
    write_comparison(tmp_path, "demo", compared, 2, mask=False)
    text, tex = ((tmp_path / name).read_text() for name in ("compare.md", "compare.tex"))
    assert "## Under attack, KFR / KRR" in text and "**0.500** (0.100 – 0.900) / 0.800" in text
    assert "## Inside the models, forget / retain" in text and "0.250 / 0.940" in text
    assert "<b>" not in text and "<i>" not in text and "no memory" in text
    for grid in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in grid.splitlines()}) == 1
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 3
    assert r"\textbf{0.500} / 0.800" in tex and r"\textbf{0.500} (0.1" not in tex


def test_the_console_has_one_line_a_method(compared):
    console = Console(width=80, record=True, file=StringIO())
    console.print(compare_attacks.console_table(models(compared)))
    shown = console.export_text()
    (strong,) = [row.split() for row in shown.splitlines() if "strong" in row]
    assert [part for part in strong if part != "│"] == ["strong", "1.000", "0.000", "0.250"]
    assert "broken" in shown and "…" not in shown
