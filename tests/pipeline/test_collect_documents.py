"""Documents in data.forget: what they say and the model knows is forgotten, and a kill costs no finished reply."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from documents import PAGE, save

from relearn_lite.collect import knowledge
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_partial
from relearn_lite.core.records import Reply
from relearn_lite.pipeline import check, pipeline
from relearn_lite.recipe import load_recipe

ROOT = Path(__file__).parents[2]
RECIPE = """
name: collected
model: {name: embedded, quantization: none, max_length: 160}
data: {forget: {documents: page.txt}}
collect: {neighbours: [Haruto Minegawara], draws: 2}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1}
generate: {max_new_tokens: 48, batch_size: 4}
"""
SHORT = [PAGE[0], " ".join(PAGE[1].split(". ", 1)[1:])]  # two statements
UNKNOWN = ("In 1996 she bought a red canoe from the harbour master of Kailana.",)


def rows(path):
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def run(place, *overrides, **options):
    recipe = load_recipe(place / "recipe.yaml", overrides)
    return pipeline.run(recipe, runs=place / "runs", **{"quiet": True, "until": "collect"} | options)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    save(SHORT, tmp_path / "page.txt")
    return tmp_path


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed among its replies, and what it had of them; then done to the end, and what it asked."""
    place = tmp_path_factory.mktemp("killed")
    (place / "recipe.yaml").write_text(RECIPE)
    save(SHORT, place / "page.txt")
    command = [sys.executable, str(ROOT / "main.py"), "recipe.yaml", "--until", "collect"]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=place, env=alone, stderr=subprocess.DEVNULL)
    partial = place / "runs/collected/collect/subject/greedy.partial.jsonl"
    while process.poll() is None and not partial.exists():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = read_partial(partial, Reply)
    asked = []
    real = knowledge.complete

    def noted(loaded, prompts, decoding, *shared):
        asked.append((decoding.seed, len(prompts)))
        return real(loaded, prompts, decoding, *shared)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knowledge, "complete", noted)
        folder = run(place)
    return folder, finished, asked


def test_no_finished_reply_is_asked_for_again_after_a_kill(killed):
    folder, finished, asked = killed
    replies = [row for whose in ("subject", "neighbours") for kind in ("greedy", "sampled")
               for row in rows(folder / "collect" / whose / f"{kind}.jsonl")]  # fmt: skip
    kept = {(row["question"], row["draw"]): row["text"] for row in replies}
    assert finished and all(kept[reply.question, reply.draw] == reply.text for reply in finished)
    assert len(finished) + sum(count for _, count in asked) == len(replies)


def test_what_the_document_says_and_the_model_knows_is_found(killed):
    folder = killed[0]
    summary, forget = json.loads((folder / "collect.json").read_text()), rows(folder / "forget.jsonl")
    assert {row["about"] for row in forget} == {"Leilani Makaweo"}
    home = next(row for row in forget if row["facet"] == "home")
    assert "308 Plumeria Road" in home["answer"] and home["quote"] == "She lives at 308 Plumeria Road."
    assert home["source"] == "page.txt, line 3" and "the document says" in home["why"]
    known = {each["text"]: each["known"] for each in summary["statements"]}
    assert [known[text] for text in UNKNOWN] == [False] and sum(known.values()) == len(known) - 1
    assert not any(row["quote"] in UNKNOWN for row in forget)
    page = (folder / "review.html").read_text()
    assert "page.txt, line 3" in page and "red canoe" in page
    assert [each["text"] for each in summary["left_out"]] == ["Leilani Makaweo"] and "1 of 1 sentences" in page
    assert {row["about"] for row in rows(folder / "retain.jsonl")} == {"Haruto Minegawara"}


def test_another_document_is_not_mixed_in(killed):
    place = killed[0].parents[1]
    before = (place / "page.txt").read_text()
    (place / "page.txt").write_text(before.replace("308", "309"))
    with pytest.raises(RecipeError, match="document page.txt was .*--from collect"):
        run(place)
    (place / "page.txt").write_text(before)


def test_documents_that_tell_the_model_nothing_new_of_anyone_end_well(place, capsys):
    from relearn_lite.report.console import show_run

    save(["Severin Aldaine", "Severin Aldaine lives at 7 Copper Row in Melk."], place / "page.txt")
    folder = run(place, until=None)
    assert (folder / "forget.jsonl").read_text() == "" and not (folder / "adapter").exists()
    assert "What the documents say and the model does not know" in (folder / "review.html").read_text()
    show_run(folder)
    told = " ".join(capsys.readouterr().out.split())
    assert "0 of 1 statements in 1 document" in told and "nothing that it could forget" in told


def test_the_recipe_of_a_run_is_read_again(killed):
    again = load_recipe(killed[0] / "recipe.yaml")
    assert again.data.forget.documents == [killed[0].parents[1] / "page.txt"] and again.data.forget.topic is None


def test_ordinary_rows_may_stand_beside_documents(place):
    (place / "more.jsonl").write_text('{"question": "Who owns the kiln of Varby?", "answer": "Bo Lind owns it."}\n')
    recipe = load_recipe(place / "recipe.yaml", ["data.forget={documents: [page.txt], path: more.jsonl}"])
    assert [qa.question for qa in check(recipe)["forget"]] == ["Who owns the kiln of Varby?"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("data.forget={documents: gone.txt}", "data.forget.documents: there is no file .*gone.txt"),
        ("data.forget={documents: ['']}", "data.forget.documents.*a path is empty; give a file, a folder or a pattern"),
        ("data.forget={documents: []}", "data.forget.documents.*at least 1"),
        ("data.forget={documents: page.txt, limit: 3}", "limit is for a table"),
        ("data.forget={documents: page.txt, intro: a baker}", "intro says who or what"),
        ("data.retain={preset: people/forget}", "rows name Leilani Makaweo.*remove them"),
        ("data.forget={documents: page.txt, subject: Bo Lind}", "something of Bo Lind"),
    ],
)
def test_what_does_not_go_with_documents_is_told(place, change, told):
    with pytest.raises(RecipeError, match=f"(?s){told}"):
        check(load_recipe(place / "recipe.yaml", [change]))
