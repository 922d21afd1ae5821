"""The comparison as table, page and files: what is best, what failed, and that nothing a model wrote gets through."""

import csv
import json
import re
from dataclasses import replace
from io import StringIO

import pytest
from conftest import HOSTILE
from rich.console import Console

from relearn_lite.report import general, groups
from relearn_lite.report.compare import Compared, columns, models, overview, table, unlike
from relearn_lite.report.compare_files import as_csv, as_html, console_table, same_questions, write_comparison
from relearn_lite.report.sections import Pictures
from relearn_lite.report.untrusted import latex
from relearn_lite.unlearn.losses import METHODS


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
    return next(row for row in table(models(compared)).rows if row.name == name)


def cells(compared, name):
    return {key: line(compared, name).at(key)[0] for key in columns()}


def best(compared, name):
    return {key for key, cell in cells(compared, name).items() if cell.tone == "best"}


def signs(compared):
    """What stands beside the dots of the picture."""
    shown = models(compared)
    (drawn,) = next(part for part in overview(shown, table(shown)).parts if isinstance(part, Pictures)).pictures
    return sorted(re.findall(r"font-weight: 700[^>]*>([^<]*)<", drawn.svg))


def test_the_best_of_each_column_is_marked_whichever_way_is_good(compared):
    good, babbles = best(compared, "good"), best(compared, "babbles")
    assert "kfr" in babbles - good
    assert {"krr", "ls_share", "balance"} <= good
    assert "ppl_forget" in good - babbles  # lower is better
    assert "rougeL_forget" in good & babbles  # what looks the same is equally good
    assert not best(compared, "vanilla")


def test_training_that_was_stopped_says_that_its_time_is_not_all(compared):
    told = "Time and memory are those since training was last started: it had been stopped."
    babbles = compared[1].results
    stages = {"unlearn": babbles.manifest["stages"]["unlearn"] | {"resumed": True}}
    resumed = replace(compared[1], results=replace(babbles, manifest=babbles.manifest | {"stages": stages}))
    assert told in line([resumed], "babbles").notes and told not in line(compared, "babbles").notes


def test_runs_that_were_put_other_tasks_of_lm_eval_have_a_column_for_each(compared):
    def put(method, task):
        row = {"task": task, "metric": "acc", "higher": True, "vanilla": 0.5, "unlearned": 0.4, "n": 9, "shots": 0,
               "intervals": {"vanilla": [0.4, 0.6], "unlearned": None}}  # fmt: skip
        return replace(method, results=replace(method.results, general={"lm_eval": "0", "tasks": [row]}))

    both = [put(compared[0], "mmlu"), put(compared[1], "<b>own"), compared[2]]
    rows = {row["method"]: row for row in csv.DictReader(StringIO(as_csv(models(both))))}
    assert rows["good"]["general_mmlu"] == rows["babbles"]["general_<b>own"] == "0.4"
    assert rows["good"]["general_<b>own"] == rows["broken <b>"]["general_mmlu"] == ""
    page = as_html("two", both, 1, False)
    assert "mmlu, acc ↑" in page and "&lt;b&gt;own, acc ↑" in page and "<b>own" not in page


def put_a_task(method, value, **how):
    row = {"task": "mmlu", "metric": "acc", "higher": True, "vanilla": 0.5, "unlearned": value, "n": 9, "shots": 0,
           "intervals": {"vanilla": None, "unlearned": None}}  # fmt: skip
    recipe = json.dumps({"evaluate": {"general": {"limit": 200} | how}})
    return replace(method, results=replace(method.results, general={"lm_eval": "0", "tasks": [row]}, recipe=recipe))


def best_in(section):
    return [row.name for row in section.parts[-2].rows for key in row.cells if row.at(key)[0].tone == "best"]


def test_of_tasks_that_were_not_put_alike_none_is_best_and_a_notice_says_so(compared):
    """Two hundred questions of a task and ten of it are other questions."""
    one = put_a_task(compared[0], 0.4)
    told = "not put the tasks alike"
    for other, best in (({"batch_size": 2}, ["good"]), ({"limit": 10}, []), ({"chat_template": True}, [])):
        both = [one, put_a_task(compared[1], 0.3, **other)]
        assert best_in(general.compared(models(both))) == best, other
        assert (told in as_html("two", both, 1, False)) == (not best), other


def test_groups_of_runs_that_were_judged_otherwise_have_no_best(compared):
    def grouped(method, kfr, judge):
        told = {"groups": {"kfr": {"Ada": {"value": kfr, "n": 9, "interval": None}}}}
        metrics = method.results.metrics
        metrics = metrics | {"evaluators": {"nli": judge}, "unlearned": metrics["unlearned"] | told}
        return replace(method, results=replace(method.results, metrics=metrics))

    one = grouped(compared[0], 0.9, "rules")
    for judge, best in (("rules", ["good"]), ("a model", [])):
        assert best_in(groups.compared(models([one, grouped(compared[1], 0.4, judge)]), False)) == best


def test_a_failed_method_has_words_and_no_number(compared):
    broken = line(compared, "broken <b>")
    assert broken.cells == {} and "diverged" in broken.failure
    row = list(csv.DictReader(StringIO(as_csv(models(compared)))))[-1]
    assert {key for key, value in row.items() if value} == {"method", "status", "notes"}
    assert signs(compared) == ["1", "2", "V"]  # vanilla, good, babbles


def test_intervals_come_from_the_run_and_from_what_was_added(compared):
    found = cells(compared, "good")
    assert found["kfr"].bounds == [0.79, 0.92] and found["ls_forget"].bounds == [0.1, 0.2]


def test_why_training_ended_and_what_is_missing_stands_beside_the_numbers(compared):
    told = " ".join(line(compared, "babbles").notes)
    assert "Stopped early: it babbles." in told and "Adapter of step 20 of 40" in told
    assert "KFR: 1 of 12 missing." in told


def test_what_could_not_be_had_is_a_dash_and_empty_in_the_csv_never_zero(compared):
    compared[0].results.metrics["unlearned"]["krr"] = None
    assert cells(compared, "good")["krr"].text == "—"
    assert list(csv.DictReader(StringIO(as_csv(models(compared)))))[1]["krr"] == ""


def test_runs_with_other_vanillas_get_a_line_for_each(compared):
    other = compared[1].results
    other = replace(other, metrics=other.metrics | {"vanilla": other.metrics["vanilla"] | {"kfr": 0.5}})
    names = [each.name for each in models([compared[0], replace(compared[1], results=other)])]
    assert names == ["vanilla of good", "vanilla of babbles", "good", "babbles"]


def test_each_vanilla_has_its_own_answer_beside_the_same_question(compared):
    """The first run's stood there alone, as if it were that of all."""
    other = compared[1].results
    said = [row | {"vanilla": "Said otherwise."} for row in other.samples]
    metrics = other.metrics | {"vanilla": other.metrics["vanilla"] | {"kfr": 0.5}}
    both = [compared[0], replace(compared[1], results=replace(other, metrics=metrics, samples=said))]
    (card,) = same_questions(both, 1)
    told = {answer.who: answer.text for answer in card.answers}
    assert list(told) == ["Original answer", "vanilla of good", "vanilla of babbles", "good", "babbles"]
    assert told["vanilla of good"] != told["vanilla of babbles"] == "Said otherwise."


@pytest.mark.parametrize("how", [
    {"generate": {"max_new_tokens": 16}}, {"generate": {"max_new_tokens": 99, "sampling": "published"}},
    {"generate": {"max_new_tokens": 99}, "model": {"chat_template": "none"}},
])  # fmt: skip
def test_runs_that_were_asked_in_another_way_are_told_and_none_is_best(compared, how):
    """Answers that break off after 16 tokens tell less than whole ones: that is not forgetting."""

    def asked(method, recipe):
        return replace(method, results=replace(method.results, recipe=json.dumps(recipe)))

    usual = {"generate": {"max_new_tokens": 99, "batch_size": 4}}
    both = [asked(compared[0], usual), asked(compared[1], how)]
    (told,) = unlike(both)
    assert "not asked in one way" in told and "no number compares between: good; babbles." in told
    assert not any(best(both, name) for name in ("good", "babbles"))
    faster = {"generate": {"max_new_tokens": 99, "batch_size": 8}}
    assert not unlike([both[0], asked(compared[1], faster), compared[2]])


def test_methods_at_one_place_share_a_sign(compared):
    assert signs([replace(compared[0], name=f"m{n}") for n in range(20)]) == ["1, 2, 3, 4 +16", "V"]


def test_the_page_escapes_all_that_a_model_or_a_user_wrote(compared):
    page = as_html("demo </title><script>", compared, 20, mask=False)
    for text in ("<script>", "<img src=x", "<b>", "<i>broke", "\x00", "\u202e", "demo </title>"):
        assert text not in page, text
    assert "Failed: unlearn.lr: training diverged &amp; &lt;i&gt;broke" in page
    assert page.count("<article") == len(same_questions(compared, 20))


def test_the_same_questions_are_answered_by_all_and_masked_where_asked(compared):
    questions = same_questions(compared, 5)
    assert [q.split for q in questions] == ["forget"] * 3 + ["retain"] * 2
    assert all([said.who for said in q.answers] == ["Original answer", "vanilla", "good", "babbles"] for q in questions)
    page = as_html("ada-fennimore", compared, 5, mask=True)
    assert "ada-fennimore" not in page
    assert "Kelp Lane" in as_html("demo", compared, 5, mask=False) and "Kelp Lane" not in page
    assert "Masked:" in page and "Paris" in page  # what is kept is not secret


def test_markdown_and_latex_carry_the_best_in_bold_and_nothing_that_runs(compared, tmp_path):
    write_comparison(tmp_path, "demo <x>", compared, 1, mask=False)
    text, tex = ((tmp_path / name).read_text() for name in ("compare.md", "compare.tex"))
    assert "|**1.000** (0.790 – 0.920)|" in text and "<b>" not in text and "<x>" not in text
    assert "Failed: unlearn.lr" in text
    assert r"\textbf{1.000}" in tex and tex.count(r"\\") == 5 and r"\multicolumn{13}{l}{failed}" in tex
    assert latex(r"50% of_a\b & {c}") == r"50\% of\_a\textbackslash{}b \& \{c\}"
    assert "Kelp" not in text, "answers are the page's alone"


def test_a_narrow_terminal_gets_fewer_columns_none_of_them_cut(compared):
    compared[0] = replace(compared[0], name="the_good_one_of_the_three")
    compared[0].results.metrics["unlearned"]["kept_general"] = 0.95
    for width in (80, 120, 200, 300):
        console = Console(width=width, record=True, file=StringIO())
        console.print(console_table("demo", models(compared), width))
        shown = console.export_text()
        assert "…" not in shown and "0.860" in shown and "failed" in shown
        assert "Balance ↑" in shown and "Memory" in shown and "Too narrow" not in shown
        assert ("0.790 – 0.920" in shown) == (width > 80) and ("General ↑" in shown) == (width == 300)


def test_the_longest_name_of_a_method_stands_in_one_piece_in_a_narrow_terminal(compared):
    longest = max(METHODS, key=len)
    cost = {"unlearn": {"seconds": 3599.0, "peak_memory_mb": 99_999.0}}
    long = [replace(each, name=longest, results=replace(each.results, manifest={"stages": cost}))
            for each in compared[:2]]  # fmt: skip
    console = Console(width=80, record=True, file=StringIO())
    console.print(console_table("demo", models(long), 80))
    assert console.export_text().count(longest) == 2


def test_hostile_answers_are_among_those_that_are_shown(compared):
    shown = json.dumps([said.text for q in same_questions(compared, 20) for said in q.answers])
    assert "alert(1)" in shown and len(HOSTILE) > 5
    assert len(columns()) == 12
