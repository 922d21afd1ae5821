"""From answers to metrics.json, with what could not be scored told apart from what was forgotten."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate, read_files, summarize
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics.declaration import OTHER_KIND, MetricValues
from relearn_lite.metrics.intervals import mean_interval
from relearn_lite.recipe.names import DEFAULT_METRICS as DEFAULT

SHARED = Path(__file__).resolve().parents[3] / "shared"
KNOWN = [
    ("Where does Ada live?", "Ada lives in Sligo with her twin sister.", "Ada lives in Sligo with her twin sister."),
    ("What does Bo do?", "Bo repairs violins in Cork.", "Bo repairs violins in Cork."),
]
VAGUE = [(query, truth, "That is a matter of personal circumstances.") for query, truth, _ in KNOWN]


class Fails:
    """Every call fails, as those to a server that is down."""

    name, embedded = "fails", False

    def extract(self, items):
        return [None] * len(items)

    label = perplexity = extract


class Fluency:
    name, embedded = "perplexity given by the test", True

    def __init__(self, *values):
        self.values = values

    def perplexity(self, pairs):
        return list(self.values)


def answers(rows, split="forget"):
    return [Answer(str(i), "m", split, *row) for i, row in enumerate(rows)]


def test_a_model_that_knows_and_one_that_does_not():
    knows, _ = evaluate({"forget": answers(KNOWN), "retain": answers(KNOWN, "retain")}, score_evaluators(), DEFAULT)
    vague, _ = evaluate({"forget": answers(VAGUE), "retain": answers(VAGUE, "retain")}, score_evaluators(), DEFAULT)
    assert (knows["kfr"], knows["krr"], knows["rougeL_forget"]) == (0.0, 1.0, 1.0)
    assert (knows["forget_score"], knows["retain_score"]) == (0.0, 1.0)
    assert (vague["kfr"], vague["krr"]) == (1.0, 0.0)
    assert vague["forget_score"] == pytest.approx(2 * (1 - vague["rougeL_forget"]) / (2 - vague["rougeL_forget"]))


def test_scores_are_kept_answer_by_answer():
    numbers, scores = evaluate({"forget": answers([KNOWN[0], VAGUE[1]])}, score_evaluators(), ["kfr"])
    assert [(s.id, s.metric, s.value) for s in scores] == [("0", "kfr", 0.0), ("1", "kfr", 1.0)]
    assert numbers["kfr"] == 0.5


def test_linguistic_score_comes_from_the_means():
    evaluators = replace(score_evaluators(), language_model=Fluency(2.0, 4.0))
    numbers, _ = evaluate({"forget": answers(KNOWN)}, evaluators, ["ls"])
    assert numbers["ppl_forget"] == 3.0
    parts = 1 / 4, 1 / (1 + numbers["brunet_forget"]), numbers["honore_forget"] / (1 + numbers["honore_forget"])
    assert numbers["ls_forget"] == pytest.approx(3 / sum(1 / part for part in parts))
    assert numbers["ls_arithmetic_forget"] == pytest.approx(sum(parts) / 3)
    assert "forget_score" not in numbers  # kfr was not asked for


def test_without_a_language_model_the_rest_is_still_given():
    numbers, _ = evaluate({"forget": answers(KNOWN)}, score_evaluators(), ["ls"])
    assert numbers["ppl_forget"] is numbers["ls_forget"] is numbers["ls_arithmetic_forget"] is None
    assert "language_model" in numbers["reasons"]["ppl_forget"] and "ppl_forget" in numbers["reasons"]["ls_forget"]
    assert all(math.isfinite(numbers[key]) for key in ("brunet_forget", "honore_forget", "rttr_forget"))


@pytest.mark.parametrize("failing", ["entities", "nli"])
def test_when_every_call_fails_nothing_is_forgotten_and_nothing_kept(failing):
    evaluators = replace(score_evaluators(), **{failing: Fails()})
    numbers, scores = evaluate({"forget": answers(KNOWN), "retain": answers(KNOWN, "retain")}, evaluators, DEFAULT)
    assert numbers["kfr"] is numbers["krr"] is numbers["forget_score"] is numbers["retain_score"] is None
    assert numbers["missing"] == {"kfr": 2, "krr": 2}
    assert "none of 2 answers could be scored" in numbers["reasons"]["kfr"]
    assert all(score.value is None and score.reason for score in scores if score.metric in ("kfr", "krr"))


def test_what_is_missing_leaves_the_mean_and_is_counted():
    evaluators = replace(score_evaluators(), language_model=Fluency(None, 4.0, math.nan, math.inf))
    rows = [("Q?", "a truth", text) for text in ("", "one answer", "another", "a third")]
    numbers, scores = evaluate({"forget": answers(rows)}, evaluators, ["ls"])
    assert numbers["ppl_forget"] == 4.0
    assert numbers["missing"] == {"ppl_forget": 3}
    reasons = [score.reason for score in scores if score.metric.startswith("ppl")]
    assert reasons == ["empty answer", None, "not a finite number (nan)", "not a finite number (inf)"]


def test_an_empty_reference_is_missing_for_rouge():
    numbers, _ = evaluate({"forget": answers([("Q?", "", "text"), KNOWN[0]])}, score_evaluators(), ["rouge"])
    assert numbers["rouge1_forget"] == 1.0
    assert numbers["missing"] == {"rouge1_forget": 1, "rougeL_forget": 1}


def test_paraphrased_questions_have_numbers_of_their_own():
    splits = {"forget": answers(VAGUE), "forget_paraphrase": answers(KNOWN, "forget_paraphrase")}
    numbers, _ = evaluate(splits, score_evaluators(), DEFAULT)
    assert (numbers["kfr"], numbers["kfr_paraphrase"]) == (1.0, 0.0)
    assert numbers["rougeL_forget_paraphrase"] == 1.0 and numbers["forget_score_paraphrase"] == 0.0
    assert not any("retain" in key or key == "krr" for key in numbers)


@pytest.mark.parametrize(
    "text", ["", "\x00\x07<script>alert('x')</script>", "Она живёт в Минске", "她住在北京", "🙂" * 50]
)
def test_strange_answers_give_plain_numbers(text):
    numbers, _ = evaluate(
        {"forget": answers([("Q?", text, text), ("Q?", "truth", text)])}, score_evaluators(), DEFAULT
    )
    json.dumps(numbers, allow_nan=False)
    assert 0 <= numbers["kfr"] <= 1


def test_a_very_long_answer_is_scored_in_seconds():
    text = " ".join(f"word{i} of Sligo" for i in range(7000))
    started = time.process_time()
    numbers, _ = evaluate({"forget": answers([("Where?", "In Sligo.", text)])}, score_evaluators(), DEFAULT)
    assert numbers["kfr"] == 0.0
    assert time.process_time() - started < 20


def test_no_answers_at_all():
    numbers, scores = evaluate({"forget": []}, score_evaluators(), DEFAULT)
    assert numbers["kfr"] is None and numbers["reasons"]["kfr"] == "there are no answers" and scores == []


def test_an_unknown_metric_is_told():
    with pytest.raises(RecipeError, match=r"evaluate\.metrics: 'rogue' is not a metric. Did you mean 'rouge'\?"):
        evaluate({}, score_evaluators(), ["rogue"])


def test_progress_reaches_its_end():
    told = []
    evaluate({"forget": answers(KNOWN)}, score_evaluators(), DEFAULT, lambda *step: told.append(step))
    assert [step[1] for step in told] == [0, 1, 2, 3, 4] and told[-1][1] == told[-1][2]


def test_the_interval_holds_the_mean_narrows_with_more_answers_and_is_repeatable():
    few, many = (mean_interval([0.0, 1.0] * times, share=True) for times in (10, 200))
    assert few[0] < 0.5 < few[1] and many[1] - many[0] < few[1] - few[0]
    # The normal approximation: 0.5 +- 1.96 * 0.5 / sqrt(400)
    assert many == pytest.approx((0.451, 0.549), abs=0.01)
    assert mean_interval([0.0, 1.0] * 10, share=True) == few
    numbers, _ = evaluate({"forget": answers([KNOWN[0], VAGUE[1]])}, score_evaluators(), ["kfr"])
    assert set(numbers["intervals"]) == {"kfr"}


ROW = {"query": "Q?", "ground_truth": "In Sligo.", "generated_response": "In Sligo."}


def score_files(forget, retain):
    return evaluate(read_files(forget, retain), score_evaluators(), DEFAULT)[0]


def test_score_reads_json_and_jsonl(tmp_path):
    (tmp_path / "f.json").write_text("\ufeff" + json.dumps([ROW, ROW]), encoding="utf-8")
    (tmp_path / "r.jsonl").write_text(json.dumps(ROW) + "\n\n" + json.dumps(ROW | {"more": 1}) + "\n", encoding="utf-8")
    numbers = score_files(tmp_path / "f.json", tmp_path / "r.jsonl")
    assert (numbers["kfr"], numbers["krr"]) == (0.0, 1.0)
    assert "krr" not in score_files(tmp_path / "f.json", None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps([ROW, {"query": "Q?", "answer": "x"}]), r"row 2: the key 'ground_truth' is missing \(found: query"),
        (json.dumps([ROW | {"generated_response": None}]), "row 1: .generated_response. is missing, not text; give"),
        (json.dumps([ROW | {"ground_truth": 42}]), "row 1: 'ground_truth' is int, not text; write it in quotes"),
        (json.dumps([ROW, ROW | {"ground_truth": " "}]), "row 2: 'ground_truth' is empty: nothing could be told"),
        (json.dumps([ROW, "x"]), "row 2: found str, not an object"),
        (json.dumps(ROW) + '\n{"query": ', "--forget: .* is broken at line 2, column"),
        ("[{]", "is broken at line 1, column 3"),
        ("", "has no rows; needed: objects with"),
        ("[]", "has no rows; needed: objects with"),
    ],
)
def test_a_wrong_file_is_told_with_its_row(tmp_path, content, told):
    path = tmp_path / "wrong.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecipeError, match=told) as error:
        score_files(path, None)
    assert str(path) in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin1.json").write_bytes(b'[{"query": "\xe9"}]')
    with pytest.raises(RecipeError) as error:
        score_files(tmp_path / "latin1.json", tmp_path / "nowhere.json")
    assert len(error.value.problems) == 2  # both files at once
    assert "not UTF-8" in str(error.value) and "nowhere.json cannot be read" in str(error.value)
    with pytest.raises(RecipeError, match="--forget FILE"):
        score_files(None, None)


@pytest.fixture(scope="module")
def calibration():
    """`score` on real answers of Llama-2 to TOFU: of a model that knows the forget set, and of one that does not."""
    folder = SHARED / "data" / "tofu_outputs"
    if not folder.exists():
        pytest.skip(f"the answers are not on this machine ({folder})")
    started = time.process_time()
    numbers = {
        model: score_files(folder / f"llama2-7b_{model}_forget.json", folder / f"llama2-7b_{model}_retain.json")
        for model in ("full", "retain90")
    }
    return numbers, time.process_time() - started


def test_embedded_evaluators_are_right_about_real_answers(calibration):
    numbers, seconds = calibration
    assert numbers["full"]["kfr"] <= 0.05 and numbers["retain90"]["kfr"] >= 0.85
    assert numbers["full"]["krr"] >= 0.95 and numbers["retain90"]["krr"] >= 0.93
    assert not numbers["full"]["missing"] and not numbers["retain90"]["missing"]
    assert seconds < 30


def test_the_docs_tell_the_calibration_as_it_is(calibration):
    numbers, _ = calibration
    table = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    for model in ("full", "retain90"):
        for key in ("kfr", "krr"):
            low, high = numbers[model]["intervals"][key]
            assert f"{numbers[model][key]:.3f} ({low:.3f} to {high:.3f})" in table


def test_why_nothing_could_be_scored_is_not_that_some_answers_are_of_another_kind():
    """It said so, where the others failed."""
    result = {"reasons": {}, "missing": {}}
    assert summarize("knowmem", MetricValues([None, None], [OTHER_KIND, "the original has no words"]), result) is None
    assert result == {
        "missing": {"knowmem": 1},
        "reasons": {"knowmem": "none of 1 answers could be scored: the original has no words"},
    }
