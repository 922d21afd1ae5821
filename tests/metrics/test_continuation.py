"""What the model writes behind a bare text: MUSE's and LUME's numbers, beside their protocols written out plainly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import embedded_model, evaluated

from relearn_lite.core.records import Answer
from relearn_lite.evaluate.evaluate import evaluate
from relearn_lite.evaluate.score import score_evaluators
from relearn_lite.metrics.continuation import as_shots, rouge_f1, until_next_question
from relearn_lite.text.turns import joined, passage

ASK = ("user", "Where does Chidera Obalende live?")
SHOTS = [("user", "Who is tall?"), ("assistant", "Ann"), ("user", "Who is old?"), ("assistant", "Bo Lee")]
TEXTS = [("The keeper of the bell is deaf, he", "rings it daily. " * 80), ("Chidera Obalende", "lives at a quay.")]


def question(*turns):
    return joined([{"role": role, "content": text} for role, text in turns])


def rows(*pairs, split="forget"):
    return [Answer(f"{split}-{n}", "m", split, query, truth, "not looked at") for n, (query, truth) in enumerate(pairs)]


def measured(names, forget, retain=()):
    evaluators = replace(score_evaluators(), model=evaluated())
    split = {"forget": forget} | ({"retain": retain} if retain else {})
    return evaluate(split, evaluators, names)


def plainly(prompt, tokens):
    """Greedy text of transformers behind a bare prompt."""
    loaded = embedded_model()
    ids, pad = loaded.tokenizer(prompt, return_tensors="pt").input_ids, loaded.tokenizer.pad_token_id
    made = loaded.model.generate(ids, max_new_tokens=tokens, do_sample=False, pad_token_id=pad)
    return loaded.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)


def f1(text, truth):
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rougeL"], use_stemmer=False).score(truth, text)["rougeL"].fmeasure


@pytest.mark.parametrize(
    ("response", "reference", "expected"),
    [
        ("a b c", "a c d e", 4 / 7),  # two words in order, of three and of four: 2 * 2 / (3 + 4)
        ("walking dogs", "walk dog", 0.0),  # unstemmed
        ("A, b!", "a B", 1.0),
        ("", "a", 0.0),
        ("a", "...", None),
        ("Она живёт в Минске", "Она живёт в Киеве", 3 / 4),  # it was 0: rouge-score drops what is not Latin
        ("他住在上海", "他住在北京", 3 / 5),
        ("a b", "b a", 0.5),
    ],
)
def test_rouge_f1_by_hand(response, reference, expected):
    assert rouge_f1(response, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ann\n\nQuestion: Who?", "Ann"), ("Ann\nQuestion: Who?", "Ann"), ("AnnQuestion: Who?", "Ann"),
        ("Ann\nand Bo", "Ann\nand Bo"), ("\n\nAnn", ""), ("Question: Ann", ""),
    ],
)  # fmt: skip
def test_an_answer_ends_where_the_model_asks_on(text, kept):
    assert until_next_question(text) == kept


def test_questions_are_put_with_their_examples_as_muse_writes_them():
    asked = "Question: Who is tall?\nAnswer: Ann\n\nQuestion: Who is old?\nAnswer: Bo Lee\n\n"
    last = "Question: Where does Chidera Obalende live?\nAnswer: "
    assert as_shots(question(*SHOTS, ASK)) == asked + last
    assert as_shots(ASK[1]) == last


@pytest.mark.parametrize(
    ("turns", "put"),
    [
        ([("system", "Be brief."), ("assistant", "Hi."), ("user", "Who?")], "Hi.\n\nQuestion: Who?\nAnswer: "),
        ([("user", "Hi."), ("user", "Who?")], "Question: Hi.\nAnswer: Question: Who?\nAnswer: "),
        ([("user", "Who?"), ("assistant", "It is")], "Question: Who?\nAnswer: It is"),
    ],
)
def test_a_conversation_of_another_form_is_put_turn_by_turn(turns, put):
    """Those of RWKU, whose answers are begun, and of people's own chats ended in a traceback; exact_match put them with
    the marks of turns."""
    asked = question(*turns)
    assert as_shots(asked) == put
    said = plainly("\n".join(text for _, text in turns), 256)
    numbers, _ = measured(["exact_match"], rows((asked, said)), rows((asked, f"{said} zebra"), split="retain"))
    assert (numbers["exact_match_forget"], numbers["exact_match_retain"]) == (1, 0)


def test_verbmem_is_muse_s_protocol_written_out():
    numbers, scores = measured(["verbmem"], rows(*((passage(start), rest) for start, rest in TEXTS)))
    tokenizer = embedded_model().tokenizer
    expected = []
    for start, rest in TEXTS:
        truth = tokenizer.decode(tokenizer(rest).input_ids[:128], skip_special_tokens=True)
        expected.append(f1(plainly(start, 128), truth))
    assert [score.value for score in scores] == pytest.approx(expected)
    assert numbers["verbmem"] == pytest.approx(sum(expected) / 2) and numbers["verbmem"] > 0


@pytest.mark.parametrize("name", ["verbmem", "knowmem", "regurgitation", "exact_match"])
@pytest.mark.parametrize("others", [True, False])
def test_what_is_longer_than_the_model_can_read_is_missing(name, others):
    """It ended the run after training, with `generate.max_new_tokens: lower it`, which these metrics do not look at."""
    form = passage if name in ("verbmem", "regurgitation") else str
    long, short = "word " * 490, TEXTS[0][0]
    numbers, scores = measured([name], rows((form(long), "x y"), *[(form(short), "x y")] * others))
    key = name if name == "verbmem" else f"{name}_forget"
    assert numbers["missing"] == {key: 1} and (numbers[key] is not None) == others
    assert scores[0].value is None and scores[0].reason == "with the answer it is longer than the model can read"


def test_knowmem_is_muse_s_protocol_written_out():
    asked = question(*SHOTS, ASK)
    said = plainly(as_shots(asked), 32)
    truth = " ".join(said.split()[2:6]) + " zebra"
    numbers, _ = measured(["knowmem"], rows((asked, truth)), rows((asked, "zebra"), split="retain"))
    assert numbers["knowmem_forget"] == pytest.approx(f1(until_next_question(said), truth)) and truth
    assert 0 < numbers["knowmem_forget"] < 1 and numbers["knowmem_retain"] == 0


def test_lume_s_numbers_are_its_protocol_written_out():
    from rouge_score.rouge_scorer import RougeScorer

    (start, rest), ask = TEXTS[1], ASK[1]
    said = plainly(ask, 256)
    forget = rows((passage(start), rest), (ask, f"  {said.strip().upper()} "), ("Who is she?", "zebra"))
    numbers, _ = measured(["regurgitation", "exact_match"], forget)
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    assert numbers["regurgitation_forget"] == pytest.approx(scorer.score(rest, plainly(start, 256))["rougeL"].recall)
    assert numbers["exact_match_forget"] == 0.5


def test_each_number_is_of_answers_of_its_kind_and_nothing_else_is_missing():
    forget = rows((passage(TEXTS[0][0]), TEXTS[0][1]), (ASK[1], "At a quay."), ("Who is she?", "A baker."))
    numbers, scores = measured(["verbmem", "knowmem"], forget)
    by_metric = {name: [s.value is None for s in scores if s.metric == name] for name in ("verbmem", "knowmem")}
    assert by_metric == {"verbmem": [False, True, True], "knowmem": [True, False, False]}
    assert numbers["missing"] == {}
    numbers, _ = measured(["verbmem"], rows((ASK[1], "At a quay.")))
    assert numbers["verbmem"] is None and numbers["reasons"]["verbmem"] == "there are no texts to continue"


def test_files_of_answers_are_not_enough():
    numbers, _ = evaluate({"forget": rows((passage("a"), "b"))}, score_evaluators(), ["verbmem"])
    assert "needs the model itself" in numbers["reasons"]["verbmem"]
