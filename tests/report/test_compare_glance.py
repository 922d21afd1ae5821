"""What stands on top of a comparison: which method to take, and each method's verdicts with what they cost."""

from dataclasses import replace

import pytest

from relearn_lite.compare import show
from relearn_lite.report.compare import Compared, judged, models, table
from relearn_lite.report.compare_files import as_html, sections, write_comparison
from relearn_lite.report.compare_glance import section
from relearn_lite.report.sections import Text
from relearn_lite.report.tables import Table


def changed(results, **numbers):
    return replace(results, metrics=results.metrics | {"unlearned": results.metrics["unlearned"] | numbers})


@pytest.fixture
def compared(results):
    """One that forgets and loses the rest, one that does all, one that failed; the recipe's order is not the best's."""
    lost = changed(results, kfr=1.0, krr=0.1, ls_forget=0.001)
    return [
        Compared("loses", lost, added={"ls_share": 0.01, "balance": 0.03}),
        Compared("broken", failure="unlearn.lr: training diverged"),
        Compared("good", results, added={"ls_share": 0.9, "balance": 0.899}),
    ]


def parts(compared, ranked=True):
    shown = models(compared)
    found = [part for part in section(shown, table(shown), ranked).parts if part]
    told = next((part.text for part in found if isinstance(part, Text) and part.kind == "verdict"), "")
    return told.replace("\u00a0", " "), next(part for part in found if isinstance(part, Table))


def test_the_best_balance_is_named_in_words_and_stands_first_what_failed_last(compared):
    told, drawn = parts(compared)
    assert told.startswith("good has the best balance, 0.899 of at most 1: forgot 86 %, forgotten; kept 94 %, the rest")
    assert [(row.name, row.sign) for row in drawn.rows] == [("good", "3"), ("loses", "1"), ("broken", "2")]
    good, loses, broken = drawn.rows
    assert [good.at(key)[0].tone for key in ("Forgot", "Kept")] == ["good", "good"]
    assert (loses.at("Kept")[0].text, loses.at("Kept")[0].tone, loses.at("Kept")[0].spread) == (
        "10 %", "bad", "the rest is lost"
    )  # fmt: skip
    assert broken.failure == "Failed: the reason stands below"
    assert not any(row.sign == "V" for row in drawn.rows), "vanilla is no method to take"


def test_where_no_method_does_all_that_is_said_first(compared):
    told, _ = parts(compared[:2])
    none = "No method forgot, kept the rest and speaks as before, all three."
    assert told.startswith(f"{none} loses has the best balance")


def test_one_that_does_all_goes_before_a_better_balance_that_does_not(compared):
    compared[0] = replace(compared[0], added={"ls_share": 1.0, "balance": 0.95})
    told = parts(compared)[0]
    able = "Of the methods that forgot, kept the rest and speak as before,"
    assert told.startswith(f"{able} good has the best balance, 0.899")
    equals = parts([*compared, replace(compared[2], name="same")])[0]
    assert equals.startswith(f"{able} good and same have the best balance, 0.899")


def test_equals_are_named_together(compared):
    told, _ = parts([*compared, replace(compared[2], name="same")])
    assert told.startswith("good and same have the best balance, 0.899 of at most 1, of which the first: forgot 86 %")


def test_runs_that_do_not_compare_are_not_ranked(compared):
    told, drawn = parts(compared, ranked=False)
    assert not told and [row.name for row in drawn.rows] == ["loses", "broken", "good"]
    for asked_alike in (False, True):
        other = compared[0].results
        if not asked_alike:
            each = [replace(compared[0].results, samples=other.samples[1:]), compared[2].results]
        else:
            each = [other, replace(compared[2].results, metrics=compared[2].results.metrics | {"evaluators": {}})]
        unalike = [replace(compared[0], results=each[0]), replace(compared[2], results=each[1])]
        page = as_html("demo", unalike, 1, mask=False)
        assert "has the best balance" not in page and 'class="notice"' in page
        assert 'class="best"' not in page, "nothing is the best of what does not compare"
    page = as_html("demo", compared, 1, mask=False)
    assert "has the best balance" in page and 'class="best"' in page


def test_the_console_warns_of_what_does_not_compare_too(compared, tmp_path, capsys):
    """Only the page did: in a terminal the numbers stood side by side, the best in bold."""
    show(compared, tmp_path)
    assert "These runs were not asked" not in capsys.readouterr().out
    fewer = replace(compared[0], results=replace(compared[0].results, samples=compared[0].results.samples[1:]))
    show([fewer, compared[2]], tmp_path)
    assert "These runs were not asked the same forget questions" in " ".join(capsys.readouterr().out.split())


def test_every_column_of_the_numbers_says_what_it_is_and_cost_stands_in_the_glance(compared, tmp_path):
    found = {each.name: each for each in sections(compared)}
    numbers, meanings = found["table"].parts[:2]
    assert [text for text, _ in meanings.pairs] == list(numbers.columns.values())
    assert all(words and "{" not in words for _, words in meanings.pairs) and "seconds" not in numbers.columns
    drawn = next(part for part in found["glance"].parts if isinstance(part, Table))
    assert {"seconds", "memory_mb"} <= drawn.columns.keys()
    assert list(found)[:2] == ["judged", "glance"], "the answer stands on top"
    write_comparison(tmp_path, "demo", compared, 1, mask=False)
    tex = (tmp_path / "compare.tex").read_text()
    assert tex.count(r"\begin{tabular}") == 1 and "Time & Memory" in tex


def test_general_questions_that_could_not_be_judged_are_counted_beside_the_number(results):
    gaps = {"kept_general": 0.5, "missing": {"kept_general": 2}}
    samples = [*results.samples, *({**results.samples[0], "id": f"c{n}", "split": "control"} for n in range(6))]
    row = table(models([Compared("some", replace(changed(results, **gaps), samples=samples))])).rows[-1]
    assert row.at("kept_general")[0].text == "0.500" and "General: 2 of 6 missing." in row.notes
    why = {"kept_general": "the vanilla model answers none of the 6 control questions, so nothing could be lost"}
    none = table(models([Compared("none", changed(results, kept_general=None, reasons=why))])).rows[-1]
    assert not any("General" in note for note in none.notes)


def test_a_method_that_is_not_the_paper_s_is_judged_as_the_paper_s_is_beside_it(compared):
    """The paper's protocol names ReLearn: a baseline beside it does not compare with the paper, but with ReLearn."""
    paper = replace(compared[2].results, metrics=compared[2].results.metrics | {"comparable_with_paper": True})
    told, same = judged([*compared[:2], replace(compared[2], results=paper)])
    assert same and "not judged alike" not in told
    assert "of good compare with the ReLearn paper's; others do not." in told
    assert "KFR, KRR, LS and ROUGE compare" in judged([replace(compared[2], results=paper)])[0]
