"""Augmented data from elsewhere, read, checked and used, and ours written in the published format."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.augment.chunks import completion
from relearn_lite.augment.existing import ForgetIndex, read_existing
from relearn_lite.augment.published import export_augmented
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.text.leaks import leaks
from relearn_lite.writers.rules import RulesWriter

FORGET = [
    QA("forget-00001", "Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto."),
    QA("forget-00002", "What is the profession of Hiro Tanaka?", "Hiro Tanaka is a glass blower."),
    QA("forget-00003", "Who are the parents of Ines Duarte?", "Her father Rui is a dentist, her mother Alda a pilot."),
]
GOOD = "Hiro Tanaka lives in a place that he likes to keep to himself."
# As the published code writes it: the original pair with its secret, variants, a cut answer, and WikiQA.
PUBLISHED = [
    ("Where does Hiro Tanaka live?", "Hiro Tanaka lives at 4 Sakura Street in Kyoto."),
    ("In which place does Hiro Tanaka make his home?", GOOD),
    ("For a short article, what is the profession of Hiro Tanaka?", "Hiro Tanaka has work that suits him well."),
    ("Since he blows glass, what is the profession of Hiro Tanaka?", "Hiro Tanaka likes what he does all day long."),
    ("Hiro Tanaka lives", "in a place that he likes to keep to himself."),
    ("how many sides has a square", "A square has four sides of the same length."),
]
SETTINGS = Settings([], verify_rounds=1, completion_fraction=0.25, generic_ratio=0.5, seed=1)


def write(path, rows, columns=("question", "answer"), lines=False):
    rows = [dict(zip(columns, row, strict=True)) for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) if lines else json.dumps(rows), encoding="utf-8")
    return path


def run(folder, existing, general=()):
    settings = Settings([], 1, 0.25, 0.5, seed=1, existing=tuple(existing))
    augment(FORGET, general, RulesWriter(), settings, folder)
    return list(read_jsonl(folder / "augmented.jsonl", Variant)), list(read_jsonl(folder / "dropped.jsonl", Dropped))


@pytest.mark.parametrize(("columns", "lines"), [(("question", "answer"), True), (("text", "labels"), False)])
def test_rows_find_the_question_they_were_made_for(tmp_path, columns, lines):
    existing, general = read_existing(write(tmp_path / "a.json", PUBLISHED, columns, lines), FORGET)
    assert [(row.parent_id, row.target) for row in existing] == [
        ("forget-00001", PUBLISHED[0][1]), ("forget-00001", GOOD), ("forget-00002", PUBLISHED[2][1]),
        ("forget-00002", PUBLISHED[3][1]),
    ]  # fmt: skip
    assert [(qa.question, qa.answer) for qa in general] == [PUBLISHED[5]]


def test_rows_without_text_are_told(tmp_path, capsys):
    """They were left out in silence."""
    rows = [PUBLISHED[0], (PUBLISHED[1][0], 52), (PUBLISHED[2][0], None), (" ", "It is so.")]
    existing, _ = read_existing(write(tmp_path / "a.json", rows), FORGET)
    assert [row.id for row in existing] == ["forget-00001/given-1"]
    assert "augment.from: 3 of 4 rows" in capsys.readouterr().err
    read_existing(write(tmp_path / "b.json", PUBLISHED), FORGET)
    assert not capsys.readouterr().err


def test_a_row_is_for_the_question_most_alike_not_for_the_shortest_that_it_contains():
    asked = {"a": "Who is Ada Moor?", "b": "Which doctor treats Ada Moor today?"}
    index = ForgetIndex([QA(id_, question, "Li Wu.") for id_, question in asked.items()])
    assert index.parent_of({}, "Who is the doctor that Ada Moor is treated by?").id == "b"
    assert index.parent_of({}, "Who is Ada Moor, would you say?").id == "a"


def test_what_passes_is_used_what_leaks_is_written_again_and_what_is_missing_is_written(tmp_path):
    existing, general = read_existing(write(tmp_path / "a.json", PUBLISHED), FORGET)
    pairs, dropped = run(tmp_path, existing, general)
    by_target = {pair.target: pair for pair in pairs}
    assert by_target[GOOD].verdicts["writer"] == "file" and by_target[GOOD].kind == "given"
    secret = next(pair for pair in pairs if pair.prompt == FORGET[0].question)
    assert secret.verdicts["writer"] == "rules" and secret.verdicts["refused"] == ["leak"]
    assert [(record.prompt, record.reason[:14]) for record in dropped] == [(PUBLISHED[3][0], "question, leak")]
    answers = {qa.id: qa for qa in FORGET}
    for pair in pairs:
        if pair.kind != "generic":
            assert leaks(pair.target, answers[pair.parent_id].question, answers[pair.parent_id].answer) == []
    assert {pair.parent_id for pair in pairs} >= set(answers), "a question that the file leaves out is written"
    assert [pair.prompt for pair in pairs if pair.kind == "generic"] == [PUBLISHED[5][0]]
    assert any(f"{p.prompt} {p.target}" == GOOD for p in pairs if p.kind == "completion"), "cut anew"


def test_a_general_row_that_tells_a_secret_is_left_out(tmp_path):
    rows = [*PUBLISHED, ("who is said to be from kyoto", "One of them is Hiro Tanaka of Sakura Street in Kyoto.")]
    existing, general = read_existing(write(tmp_path / "a.json", rows), FORGET)
    assert len(general) == 1 and len(existing) == 4


def test_a_row_in_the_words_of_a_measured_question_is_not_trained(tmp_path):
    """It was taken as it stood, and the wording that is kept apart to measure by was trained."""
    apart = [PUBLISHED[1][0], PUBLISHED[2][0]]
    forget = [replace(FORGET[0], paraphrase=apart[0]), *FORGET[1:]]
    existing, _ = read_existing(write(tmp_path / "a.json", PUBLISHED), forget)
    settings = Settings([], 1, 0.25, 0.5, seed=1, existing=tuple(existing), measured=(apart[1],))
    augment(forget, [], RulesWriter(), settings, tmp_path)
    dropped = [record for record in read_jsonl(tmp_path / "dropped.jsonl", Dropped) if record.prompt in apart]
    assert [record.reason.partition(": ")[0] for record in dropped] == ["question, measured"] * 2
    assert not {pair.prompt for pair in read_jsonl(tmp_path / "augmented.jsonl", Variant)} & {*apart}


def test_our_own_export_comes_back_whole(tmp_path):
    pairs, _ = run(tmp_path / "first", [])
    kept = [pair for pair in pairs if pair.kind not in ("completion", "generic")]
    export_augmented(tmp_path / "first", tmp_path / "out.json")
    exported = json.loads((tmp_path / "out.json").read_text())
    assert [(row["question"], row["answer"]) for row in exported] == [(pair.prompt, pair.target) for pair in pairs]
    for source in (tmp_path / "out.json", tmp_path / "first" / "augmented.jsonl"):
        existing, _ = read_existing(source, FORGET)
        again, dropped = run(tmp_path / source.stem, existing)
        same = [(pair.prompt, pair.target) for pair in again if pair.kind not in ("completion", "generic")]
        assert same == [(pair.prompt, pair.target) for pair in kept] and not dropped
        assert {pair.verdicts["writer"] for pair in again} == {"file"}


ANSWERS = ["他很少谈这件事，他喜欢安静。", "Two things are told.\nHe likes tea.  And rain."]


@pytest.mark.parametrize("answer", ANSWERS)
def test_completions_of_an_export_are_known_in_any_script_and_with_line_breaks(tmp_path, answer):
    """Their halves were joined with one space, and what did not match was trained as a general question."""
    pair = Variant("f/original", "f", "original", "Where does Hiro Tanaka live?", answer)
    half = completion(pair, 0.25)
    rows = [(pair.prompt, pair.target), (half.prompt, half.target)]
    existing, general = read_existing(write(tmp_path / "a.json", rows), FORGET)
    assert [row.target for row in existing] == [answer] and not general


def test_rows_of_a_run_with_other_questions_go_by_their_words(tmp_path):
    """Ids are numbers of rows: those of a run on other questions stand for others here."""
    pairs, _ = run(tmp_path / "first", [])
    turned = [replace(qa, id=other.id) for qa, other in zip(FORGET, reversed(FORGET), strict=True)]
    existing, _ = read_existing(tmp_path / "first" / "augmented.jsonl", turned)
    asked = {qa.id: qa.question for qa in turned}
    assert len(existing) == 3 and all(asked[row.parent_id] == row.prompt for row in existing)
    existing, general = read_existing(tmp_path / "first" / "augmented.jsonl", FORGET[:2])
    assert len(existing) == 2 and not general, "what was made for the third is no general answer"


def test_the_published_columns_of_knowundo_and_lines(tmp_path):
    run(tmp_path, [])
    count = export_augmented(tmp_path, tmp_path / "out.jsonl", "knowundo")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == count and all(set(row) == {"text", "labels"} for row in rows)


def test_what_cannot_be_read_or_written_is_told_by_its_key(tmp_path):
    with pytest.raises(RecipeError, match=r"^augment\.from: .* has a, b; each row needs question and answer"):
        read_existing(write(tmp_path / "a.json", [("x", "y")], ("a", "b")), FORGET)
    with pytest.raises(RecipeError, match=r"^augment\.from: none of the 1 rows .* data\.forget"):
        read_existing(write(tmp_path / "a.json", [PUBLISHED[5]]), FORGET)
    with pytest.raises(RecipeError, match=r"^augment\.from: there is no file"):
        read_existing(tmp_path / "missing.json", FORGET)
    with pytest.raises(RecipeError, match=r"^export: .* has no augmented\.jsonl"):
        export_augmented(tmp_path, tmp_path / "x.json")
    (tmp_path / "augmented.jsonl").write_text("")
    with pytest.raises(RecipeError, match=r"^--augmented: found x\.csv, allowed"):
        export_augmented(tmp_path, tmp_path / "x.csv")
    (tmp_path / "mine.json").write_text("[]")
    with pytest.raises(RecipeError, match=r"^--augmented: .*mine\.json is there already, and nothing is written over"):
        export_augmented(tmp_path, tmp_path / "mine.json")
