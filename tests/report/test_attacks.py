"""What the reports tell of attacks: every line, the curve, leaks escaped and, where asked for, masked."""

from __future__ import annotations

import dataclasses
import re

import pytest
from rich.console import Console

from relearn_lite.report.attacks import console_table, rows, section
from relearn_lite.report.render import render_html, render_markdown


@pytest.fixture
def attacked(results, attacks):
    return dataclasses.replace(results, attacks=attacks)


def test_without_attacks_there_is_no_section(results):
    assert section(None) is None
    assert "Under attack" not in render_html(results) + render_markdown(results)


def test_each_attack_stands_beside_no_attack(attacks):
    found = {row.name: row for row in rows(attacks).values()}
    kfr = {name: row.at("kfr")[0] for name, row in found.items()}
    assert [kfr[name].text for name in ("No attack", "Jailbreak, forced start", "Jailbreak, worst case")] == [
        "1.000", "0.750", "0.500",
    ]  # fmt: skip
    assert found["Jailbreak, forced start"].notes == ("1 forget answers not judged",)
    worse = {name for name, cell in kfr.items() if cell.tone == "bad"}
    assert "Jailbreak, worst case" in worse and not {"No attack", "Sampling, leak@8"} & worse
    assert found["Any of these, worst case"].at("krr")[0].text == "0.700"
    assert kfr["Precision, base in float16"].text == "—" and "halves" in found["Precision, base in float16"].notes[0]
    assert kfr["Relearning from forget, 10 steps"].text == "0.250"
    assert kfr["Relearning from unrelated"].text == "—"


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_what_a_model_wrote_stays_text(attacked, render):
    shown = render(attacked)
    section = shown[shown.index("Under attack") :]
    outside = re.sub(r"```.*?```", "", section, flags=re.DOTALL) if render is render_markdown else section
    assert "<img" not in outside and "<script>alert" not in outside and "<b>halves" not in outside
    assert "\x00" not in shown
    assert "jailbreak" in section.lower() and "2 sampled answers" in section and "0.875" in section


def test_the_curve_is_drawn_with_a_gap_where_a_value_is_missing(attacked):
    page = render_html(attacked)
    section = page.partition('<section aria-labelledby="attacks">')[2].partition("</section>")[0]
    assert "KFR, taught forget examples" in section
    paths = re.findall(r'<path d="([^"]+)"[^>]*style="fill: none;[^"]*stroke: var\(--line-2\)', section)
    assert [path.count("M") for path in paths[:2]] == [2, 1], "KRR, under KFR"
    for cell in ("forget, KRR", "10 steps", "0.250"):  # the same as a table
        assert cell in section
    for tag in ("svg", "table", "tr", "td", "th", "text", "article", "p"):
        assert len(re.findall(rf"<{tag}[ >]", section)) == section.count(f"</{tag}>"), tag


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_masked_report_covers_prompts_and_answers(attacked, render):
    shown = render(attacked, mask=True)
    section = shown[shown.rindex("Under attack") : shown.rindex("Training")]
    assert "Harrowby" not in section and "Kelp" not in section
    assert "▒▒▒ K▒▒▒ L▒▒▒ in H▒▒▒" in section, "the answer is there, its number and names covered"


def test_the_console_shows_worst_cases_only(attacks):
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(console_table(attacks))
    text = console.export_text()
    shown = " ".join(text.split())
    assert "Jailbreak, worst case" in shown and "forced start" not in shown and "8 bit" not in shown
    assert "1 of 4 forget questions leaked somehow" in shown and "1 way could not be tried here" in shown
    assert len(text.splitlines()) < 16
