"""What the reports tell of an analysis: every number in its column, no token where it could tell a secret."""

from __future__ import annotations

import copy
import dataclasses
import re

import pytest

from relearn_lite.report.analysis import numbers, section
from relearn_lite.report.render import render_html, render_markdown


@pytest.fixture
def analysed(results, analysis):
    return dataclasses.replace(results, analysis=analysis)


def test_without_an_analysis_there_is_no_section(results):
    assert section(None) is None
    assert "Inside the model" not in render_html(results) + render_markdown(results)


def test_numbers_stand_in_their_columns(analysis):
    table = numbers(analysis)
    assert list(table.columns) == ["forget, vanilla", "forget, unlearned", "retain, vanilla", "retain, unlearned"]
    values = {row.name: [row.at(key)[0].text for key in table.columns] for row in table.rows}
    assert values["Probability of the original token"] == ["0.900", "0.250", "0.950", "0.940"]
    assert values["Log-probability, nats a token"] == ["-0.100", "-2.100", "—", "—"]
    assert values["Distance of the last layer, relative L2"] == ["—", "0.400", "—", "0.400"]
    assert values["Parts moved, those that hold most"] == ["—", "0.500", "—", "—"]
    assert all(row.reading for row in table.rows)
    assert "Agreement of holds and restores" not in values, "nothing known: no row"


def test_sentences_name_the_parts_and_the_gainers(analysis):
    told = " ".join(part for part in section(analysis).parts if isinstance(part, str))
    assert "the original token lost 0.700" in told and "“ Harrowby” 0.500" in told
    assert "layer 2, MLP (2.000), layer 1, head 1 (1.000)" in told and "differ by 2.000 nats" in told


def test_the_page_is_whole_and_tokens_stay_text(analysed):
    page = render_html(analysed)
    assert "&lt;b&gt;vague" in page and "<b>vague" not in page and "\x00" not in page
    told = page.partition('<section aria-labelledby="inside">')[1:]
    told = "".join(told).partition('<section aria-labelledby="training">')[0]
    for tag in ("section", "svg", "table", "tr", "td", "th", "text", "g", "p", "h2", "h3", "figure"):
        assert len(re.findall(rf"<{tag}[ >]", told)) == told.count(f"</{tag}>"), tag
    assert "0.100, rank 321" in told
    assert "nan" not in told.lower()
    assert told.count("<svg") == 5, "bars, lens, two distances and the forget side's parts"
    assert "layer 2, MLP: 2" in told, "each part's number is told where the pointer is"


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_masked_report_shows_no_token(analysed, render):
    assert "Harrowby" in render(analysed)
    masked = render(analysed, mask=True)
    assert "Harrowby" not in masked and "vague" not in masked
    assert "the original token lost 0.700" in masked.replace("\\", "")


@pytest.mark.parametrize("left_out", ["distribution", "memory", "circuits"])
def test_each_part_can_be_left_out(analysed, analysis, left_out):
    less = copy.deepcopy(analysis)
    del less[left_out]
    for render in (render_html, render_markdown):
        assert "Inside the model" in render(dataclasses.replace(analysed, analysis=less))


def test_a_log_probability_that_is_no_number_is_a_dash(analysed, analysis):
    """A model that half precision is too small for ended the report with a TypeError."""
    analysis["circuits"]["sides"]["forget"]["logprob"]["unlearned"] = None
    assert "vanilla and unlearned differ by — nats a token" in render_html(analysed).replace("\xa0", " ")
