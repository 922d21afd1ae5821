"""TOFU's summaries, measured: the same as its formulas give for the same losses and answers."""

import json
import math

import numpy as np
import pytest
from metrics.golden import golden
from metrics.test_truth import RECORDS, slow_loss
from people import evaluated, known, told

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_jsonl
from relearn_lite.core.records import QA
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.forget_quality import read_retain_ratios
from relearn_lite.metrics.rouge import rouge_recall
from relearn_lite.metrics.tofu import forget_quality, ks_test, model_utility
from relearn_lite.recipe import Generate

AUTHORS = [QA("a1", "Who wrote Hamlet?", "William Shakespeare", wrong_answers=("Mark Twain", "Jane Austen")),
           QA("a2", "Who wrote Emma?", "Jane Austen", wrong_answers=("Mark Twain", "Homer"))]  # fmt: skip
FACTS = [QA("w1", "What is the capital of France?", "Paris", wrong_answers=("Berlin", "London")),
         QA("w2", "What is the capital of Japan?", "Tokyo", wrong_answers=("Kyoto",))]  # fmt: skip


def slow_result(records, responses):
    return {
        "avg_gt_loss": [slow_loss(qa.question, qa.answer) for qa in records],
        "avg_paraphrased_loss": [slow_loss(qa.question, qa.paraphrased_answer or qa.answer) for qa in records],
        "average_perturb_loss": [[slow_loss(qa.question, text) for text in qa.wrong_answers] for qa in records],
        "rougeL_recall": [rouge_recall(t, qa.answer)["rougeL"] for qa, t in zip(records, responses, strict=True)],
    }


def test_model_utility_is_tofus_of_the_same_losses_and_answers():
    model = evaluated(RECORDS, real_authors=AUTHORS, world_facts=FACTS, generate=Generate(max_new_tokens=32))
    response = RECORDS[0].answer
    numbers, _ = evaluate(
        {"retain": told(RECORDS, "retain", response)}, Evaluators(model=model), ["model_utility"]
    )
    expected = model_utility({
        "retain": slow_result(RECORDS, [response] * len(RECORDS)),
        "real_authors": slow_result(AUTHORS, model.answers([qa.question for qa in AUTHORS])),
        "world_facts": slow_result(FACTS, model.answers([qa.question for qa in FACTS])),
    })  # fmt: skip
    assert numbers["model_utility"] == pytest.approx(expected["Model Utility"], abs=1e-4)
    assert numbers["probability_real_authors"] == pytest.approx(expected["Prob. Real Authors"], abs=1e-4)
    assert numbers["truth_ratio_world_facts"] == pytest.approx(expected["Truth Ratio Real World"], abs=1e-4)
    assert numbers["rougeL_world_facts"] == pytest.approx(expected["ROUGE Real World"], abs=1e-6)
    assert numbers["model_utility"] == 0 and "model_utility" not in numbers["intervals"]  # no draw gives anything else
    assert "no interval" in numbers["notes"]["model_utility"]
    low, high = numbers["intervals"]["probability_real_authors"]
    assert low <= numbers["probability_real_authors"] <= high


@pytest.mark.parametrize(
    ("sets", "lacking"), [({}, "real_authors, world_facts"), ({"real_authors": AUTHORS}, "world_facts")]
)
def test_a_utility_of_less_is_another_number(sets, lacking):
    model = evaluated(RECORDS, generate=Generate(max_new_tokens=8), **sets)
    numbers, _ = evaluate({"retain": told(RECORDS, "retain", "x")}, Evaluators(model=model), ["model_utility"])
    assert numbers["model_utility"] is None and lacking in numbers["reasons"]["model_utility"]


def quality(records, **context):
    evaluators = Evaluators(model=evaluated(records, **context))
    return evaluate({"forget": told(records)}, evaluators, ["forget_quality"])


def test_forget_quality_is_tofus_ks_test():
    _, scores = quality(RECORDS)
    own = [score.value for score in scores]
    evaluated, other = slow_result(RECORDS, [""] * len(RECORDS)), [ratio - 1.5 for ratio in own[:-1]]
    retain = {"avg_paraphrased_loss": [0.0] * len(other), "average_perturb_loss": [[ratio] for ratio in other]}
    numbers, _ = quality(RECORDS, retain_ratios=other)
    expected = forget_quality(evaluated, retain)
    assert numbers["forget_quality"] == pytest.approx(expected["Forget Quality"])
    assert f"{expected['KS Test Forget']:.3f}" in numbers["notes"]["forget_quality"]
    assert quality(RECORDS, retain_ratios=own)[0]["forget_quality"] == 1.0


def test_without_a_retain_model_it_is_null_and_the_ratios_are_kept_for_others():
    numbers, scores = quality(RECORDS)
    assert numbers["forget_quality"] is None
    assert "evaluate.retain_model_results" in numbers["reasons"]["forget_quality"]
    assert len([s for s in scores if math.isfinite(s.value)]) == len(RECORDS)
    assert quality(known()[:2])[0]["forget_quality"] is None


def test_results_of_a_run_of_ours(tmp_path):
    rows = [
        {"split": "forget", "vanilla": "She\u2028left.\x85", "scores": {"vanilla": {"forget_quality": 0.5}}},
        {"split": "forget", "scores": {"vanilla": {"forget_quality": None}}},
        {"split": "retain", "scores": {"vanilla": {}}},
    ]
    path = tmp_path / "samples.jsonl"
    write_jsonl(path, rows)
    assert read_retain_ratios(path) == [0.5]


def test_results_in_the_published_shape(tmp_path):
    entry = golden("tofu_metrics")[0]
    path = tmp_path / "retain.json"
    for mark, shape in (("", entry["retain_model_forget"]), ("\ufeff", {"forget": entry["retain_model_forget"]})):
        path.write_text(mark + json.dumps(shape), encoding="utf-8")  # the mark as Windows writes it
        ratios = read_retain_ratios(path)
        assert len(ratios) == 300
        own = {"avg_paraphrased_loss": np.zeros(300), "average_perturb_loss": [[ratio] for ratio in ratios]}
        found = forget_quality(entry["evaluated"]["forget"], own)
        assert found["KS Test Forget"] == pytest.approx(0.39666666666666667, abs=1e-6)


def scores_of_open_unlearning(seed, count=60, shares=False):
    """Truth ratios as its code writes them: P(wrong) / P(true), or with prob_mean P(true) / (P(true) + P(wrong))."""
    dice = np.random.default_rng(seed)
    ratio = np.exp(dice.normal(0.3 * seed, 1.2, count))
    return (1 / (1 + ratio) if shares else ratio).tolist()


def eval_log(path, scores):
    rows = {str(n): {"score": score} for n, score in enumerate(scores)}
    path.write_text(json.dumps({"forget_quality": {"agg_value": None}, "forget_truth_ratio": {"value_by_index": rows}}))
    return path


@pytest.mark.parametrize("shares", [False, True])
def test_the_p_value_of_open_unlearning_s_scores_is_scipy_s_on_the_same_lists(tmp_path, shares):
    from scipy.stats import ks_2samp

    retain, own = (scores_of_open_unlearning(seed, shares=shares) for seed in (0, 1))
    found = [read_retain_ratios(eval_log(tmp_path / f"{n}.json", list_)) for n, list_ in enumerate((own, retain))]
    theirs = ks_2samp(own, retain)
    assert ks_test(*found) == (theirs.pvalue, theirs.statistic)
    assert 0.001 < theirs.pvalue < 0.9


@pytest.mark.parametrize("shares", [False, True])
def test_a_score_of_open_unlearning_says_the_same_as_losses(tmp_path, shares):
    """ln R of P(true) 0.3 and P(wrong) 0.1, and of the reverse; wrong that is impossible is the largest."""
    scores = [0.3 / 0.4, 0.1 / 0.4, 1.0] if shares else [0.1 / 0.3, 0.3 / 0.1, 0.0]
    third, reverse, largest = read_retain_ratios(eval_log(tmp_path / "TOFU_EVAL.json", scores))
    assert (third, reverse) == pytest.approx((math.log(3), -math.log(3))) and largest > 600


def test_the_older_logs_of_tofu_with_losses_by_question(tmp_path):
    forget = {"avg_paraphrased_loss": {"0": 0.5, "7": 1.0}, "average_perturb_loss": {"7": [2.0, 4.0], "0": [1.0]}}
    (tmp_path / "log.json").write_text(json.dumps({"eval_log_forget.json": forget}))
    assert read_retain_ratios(tmp_path / "log.json") == [0.5, 2.0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", "[1, 2]"),
        ("x.json", '{"forget_truth_ratio": {"value_by_index": {}}}'),
        ("x.json", '{"forget_truth_ratio": {"value_by_index": {"0": {"score": -1}}}}'),
        ("x.json", '{"forget_truth_ratio": {"agg_value": 0.5}}'),
        ("x.json", '{"avg_paraphrased_loss": [0.1]}'),
        ("x.json", '{"avg_paraphrased_loss": ["a"], "average_perturb_loss": [["b"]]}'),
        ("x.json", '{"avg_paraphrased_loss": [NaN], "average_perturb_loss": [[1]]}'),
        ("x.json", '{"avg_paraphrased_loss": [0.1], "average_perturb_loss": [[1], [2], [3]]}'),
        ("x.json", '{"avg_paraphrased_loss": [0.1, 0.2, 0.3], "average_perturb_loss": [[1]]}'),
        ("x.json", '{"avg_paraphrased_loss": 0.1, "average_perturb_loss": [[1], [2]]}'),
        ("x.json", '{"avg_paraphrased_loss": [0.1], "average_perturb_loss": [[]]}'),
        ("x.json", '{"avg_paraphrased_loss": {"0": 0.1}, "average_perturb_loss": {"0": [1], "1": [2]}}'),
        ("x.json", '{"avg_paraphrased_loss": {"0": 0.1, "1": 0.2}, "average_perturb_loss": {"0": [1]}}'),
        ("x.json", "{oops"),
        ("x.jsonl", '{"split": "retain", "scores": {"vanilla": {}}}\n'),
        ("x.jsonl", '{"split": "forget", "scores": {"vanilla": {"forget_quality": 1}, "unlearned": {}}}\n'),
        ("x.jsonl", '{"split": "forget", "scores": {"vanilla": {"forget_quality": NaN}}}\n'),
        ("x.jsonl", "5\n"),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(RecipeError, match="evaluate.retain_model_results.*needed: samples.jsonl"):
        read_retain_ratios(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        read_retain_ratios(tmp_path / "none.json")
