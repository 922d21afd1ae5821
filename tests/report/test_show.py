"""What a command says at its end where every call to a judge failed, or one model was measured alone."""

import dataclasses
import json

import pytest
from writers.test_server import chat_reply, free_port, server_writer, serving

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.judges.prompted import PromptedEntities
from relearn_lite.recipe.names import DEFAULT_METRICS
from relearn_lite.report.console import show_run, show_scores
from relearn_lite.report.metric_table import metric_table
from relearn_lite.report.render import render_html, render_markdown
from relearn_lite.report.verdict import unjudged, verdict

ANSWERS = {
    side: [Answer(str(i), "m", side, "Where?", "In Sligo.", f"In Cork, {i}.") for i in range(5)]
    for side in ("forget", "retain")
}


def measured(url):
    writer = server_writer(url, "tiny", max_retries=0, section="evaluate.evaluators.entities")
    judges = dataclasses.replace(score_evaluators(), entities=PromptedEntities(writer))
    return evaluate(ANSWERS, judges, DEFAULT_METRICS)[0], judges


@pytest.mark.parametrize("server", ["down", "nonsense", "broken"])
def test_with_every_entity_call_failing_score_says_that_kfr_and_krr_have_no_value(server, capsys):
    replies = {"nonsense": (200, chat_reply("Well, who knows?")), "broken": (500, {"error": "out of memory"})}
    if server == "down":
        numbers, judges = measured(f"http://127.0.0.1:{free_port()}/v1")
    else:
        with serving(lambda *_: replies[server]) as (url, _):
            numbers, judges = measured(url)
    assert numbers["kfr"] is numbers["krr"] is numbers["forget_score"] is None
    assert numbers["missing"] == {"kfr": 5, "krr": 5} and numbers["rougeL_forget"] is not None
    show_scores(numbers, judges)
    told = " ".join(capsys.readouterr().out.split())
    assert "There is no value for kfr and krr, none of 5 answers could be scored: no entities could be had" in told
    cause = {"down": "nothing answers at http://127.0.0.1", "nonsense": "", "broken": "answered none of"}[server]
    assert cause in told


def test_nothing_is_said_where_something_could_be_judged_or_nobody_was_asked(metrics):
    assert unjudged(metrics) == ""  # one of twelve is missing
    assert unjudged({"vanilla": {"ppl_forget": None, "reasons": {"ppl_forget": "no language model was named"}}}) == ""


def test_a_run_ends_with_the_sentence(tmp_path, results, capsys):
    reasons = {"kfr": "none of 12 answers could be scored: x"}
    broken = {"kfr": None, "krr": 1.0, "missing": {"kfr": 12}, "reasons": reasons}
    metrics = {**results.metrics, "unlearned": broken}
    folder = tmp_path / "my runs"
    folder.mkdir()
    (folder / "samples.jsonl").write_text("")
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "manifest.json").write_text("{}")
    (folder / "recipe.yaml").write_text("name: x\nunlearn: {epochs: 1}")
    show_run(folder)
    told = " ".join(capsys.readouterr().out.split())
    assert "There is no value for kfr, none of 12 answers could be scored: x." in told
    assert told.endswith(f'python main.py chat "{folder}"')  # as a shell takes it


def test_the_report_has_the_paired_change_with_its_sign_and_interval(results):
    cells = {row.label: row.at("change")[0] for row in metric_table(results.metrics).rows}
    changes = {key: (cell.text, cell.spread) for key, cell in cells.items()}
    assert changes["kfr"] == ("+0.830", "+0.750 to +0.900")
    assert changes["rougeL_forget"] == ("−0.660", "−0.700 to −0.600")
    assert changes["krr"] == ("−0.040", "−0.090 to 0.000")
    assert changes["ppl_forget"] == ("", "")
    for text in (render_html(results), render_markdown(results)):
        assert "Change" in text and "+0.830" in text and "+0.750 to +0.900" in text


def test_one_model_alone_has_a_report_without_before_and_after(results):
    metrics = {key: value for key, value in results.metrics.items() if key not in ("unlearned", "difference")}
    samples = [
        {**{key: value for key, value in row.items() if key != "unlearned"},
         "scores": {"vanilla": {"kfr": 0.0}}, "finished": {"vanilla": True}} for row in results.samples
    ]  # fmt: skip
    alone = dataclasses.replace(results, metrics=metrics, samples=samples)
    page, text = render_html(alone).replace("\xa0", " "), render_markdown(alone)
    for shown in (page, text):
        assert "As it is" in shown and "One model, measured as it is: 3 % of the forget answers" in shown
        assert "After (unlearned)" not in shown and "Before (vanilla)" not in shown
        assert "Before and after" not in shown and "In examples" in shown
        assert "Harrowby" in shown
    assert not any(word in render_html(alone, mask=True) for word in ("Fennimore", "Kelp"))


def test_one_model_alone_gets_no_verdict_and_gaps_are_told():
    told = verdict({"vanilla": {"kfr": 0.1, "krr": None, "missing": {"krr": 3}, "ls_forget": 0.25}}, {"retain": 3})
    assert told == (
        "One model, measured as it is: 10 % of the forget answers do not tell what they should not; krr could not be "
        "judged: 3 of 3 answers missing; the linguistic score is 0.250 on the forget questions."
    )


def test_a_number_nearer_to_its_ideal_is_better_from_either_side(monkeypatch):
    from relearn_lite.metrics import Key, keys
    from relearn_lite.report import metric_table as module

    key = Key("auc", "closer", 0.5, "How well an attack tells members from others; at 0.5 it cannot.")
    monkeypatch.setattr(module, "key_of", lambda name: key if name == "auc" else keys().get(name))
    (row,) = metric_table({"vanilla": {"auc": 0.9}, "unlearned": {"auc": 0.4, "notes": {"auc": "8 against 9"}}}).rows
    assert (row.at("good")[0].text, row.at("unlearned")[0].tone) == ("→ 0.5", "good") and "8 against 9" in row.reading
    (row,) = metric_table({"vanilla": {"auc": 0.45}, "unlearned": {"auc": 0.55}}).rows
    assert row.at("unlearned")[0].tone == "", "as far from it as before is no worse; it was red"
