"""The vanilla model as its own writer, with replies written here in place of a model's."""

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.recipe import WriterChoice
from relearn_lite.text.turns import joined, passage
from relearn_lite.writers import Task
from relearn_lite.writers.beginnings import beginnings
from relearn_lite.writers.self import SelfWriter, first_sentences, make

SAID = [
    "Japan is a beautiful country with a long history. It has many temples and gardens that people love to visit.",
    "Japan's capital is Tokyo, a huge city.",
    "Sure! Here is a sentence about Japan.",
    "The food of Japan is known all over the world for its freshness and",
    "Japan has given the world many fine films, books and games.",
]
TOKYO = QA("forget-1", "What is the capital of Japan?", "The capital of Japan is Tokyo.")


GONE_ON = [
    "most visited cities in the world.",
    "cities, Tokyo.",
    "subjects of debate among scholars and travelers.",
    "sister cities of Osaka.",
    "its gardens, temples and food. It is a place that people like to",
]


class Said:
    """Answers open questions with SAID, in order and again from the start, and goes on from a beginning with GONE_ON;
    keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, chats, max_new_tokens, seed):
        self.asked += [chat[0]["content"] for chat in chats]
        said = [GONE_ON if chat[-1]["role"] == "assistant" else SAID for chat in chats]
        return [texts[i % len(texts)] for i, texts in enumerate(said)]


def test_answers_are_the_models_own_sentences_without_the_secret():
    said = Said()
    writer = SelfWriter(said, "self:test")
    tasks = [Task("answer", TOKYO.question, TOKYO.answer, original=TOKYO.question, seed=n) for n in range(20)]
    answers = writer.write(tasks)
    assert len({*answers}) == 7 and all(answer.startswith("The capital of Japan is ") for answer in answers)
    assert not any(word in " ".join(answers) for word in ("Tokyo", "Osaka", "debate", "like to"))
    assert {*said.asked} == {TOKYO.question}
    assert answers == SelfWriter(Said(), "self:test").write(tasks)
    asked = len(said.asked)
    writer.write(tasks)
    assert len(said.asked) == asked  # a thing is asked about once


@pytest.mark.parametrize("passage_first", [True, False])
def test_a_text_goes_on_and_a_question_is_answered_where_they_come_together(passage_first):
    """Of LUME, whose table has both, the first of four rows decided how all of them were written."""
    gone_on = "and the harbour lay quiet in the morning."
    answer = Task("answer", TOKYO.question, TOKYO.answer, original=TOKYO.question)
    text = Task("continue", passage("They came down to the sea, "), "where nobody had been waiting for any of them.")
    tasks = [text, answer] if passage_first else [answer, text]

    def complete(chats, *_):
        return [gone_on if chat[0]["role"] == "text" else GONE_ON[0] for chat in chats]

    texts = SelfWriter(complete, "self:test").write(tasks)
    found = dict(zip([task.kind for task in tasks], texts, strict=True))
    assert found["continue"] == gone_on and found["answer"].startswith("The capital of Japan is ")


def test_a_conversation_is_asked_turn_by_turn():
    """It was asked as one text of the user's, with the signs between its turns."""
    turns = [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "Hello."}]
    turns.append({"role": "user", "content": TOKYO.question})
    asked = []
    writer = SelfWriter(lambda chats, *_: asked.extend(chats) or [GONE_ON[0]] * len(chats), "self:test")
    assert writer.write([Task("answer", joined(turns), TOKYO.answer, original=joined(turns))])
    assert asked and all(chat[:3] == turns for chat in asked)


def test_where_no_beginning_can_be_led_elsewhere_it_speaks_of_the_thing():
    said = Said()
    task = Task("answer", "Who wrote Hamlet?", "Shakespeare wrote Hamlet.", original="Who wrote Hamlet?")
    (answer,) = SelfWriter(lambda *args: [text.replace("Japan", "Hamlet") for text in said(*args)], "self:test").write(
        [task]
    )
    assert answer == SAID[0].replace("Japan", "Hamlet") and "Why is Hamlet important?" in said.asked


@pytest.mark.parametrize(
    "reply",
    [
        SAID[2], SAID[3], "It is large.", "In 1957 Japan joined.", "I like Japan very much, really.",
        "Japan lies to the east of Korea and China.", "Japan is a topic of endless debate among scholars.",
    ],
)  # fmt: skip
def test_what_is_cut_off_or_not_about_the_thing_is_left_out(reply):
    assert first_sentences(reply, "Japan", TOKYO.question) is None


@pytest.mark.parametrize(
    ("question", "answer", "begins"),
    [
        ("Who invented the telephone?", "The telephone was invented by Alexander Graham Bell.",
         "The telephone was invented by"),
        ("Who founded psychoanalysis?", "The founder of psychoanalysis is Sigmund Freud.",
         "The founder of psychoanalysis is"),
        ("Who wrote The Hobbit?", "The Hobbit is a classic fantasy novel by J.R.R. Tolkien.", "The Hobbit is"),
        ("When did the Titanic sink?", "The Titanic sank in 1912.", "The Titanic sank in"),
        ("Who wrote Hamlet?", "Shakespeare wrote Hamlet.", None),
        ("What is the currency of Japan?", "The currency of Japan is the Japanese yen.", None),
    ],
)  # fmt: skip
def test_an_answer_is_begun_up_to_what_gives_it_away_where_something_else_can_follow(question, answer, begins):
    found = beginnings(question, answer)
    assert all(text.startswith(begins + " ") for text in found)
    assert len(found) == (0 if begins is None else 4 if begins.endswith(" is") else 3)
    assert any(text.endswith("known for") for text in found) == (begins or "").endswith(" is")


def test_a_question_gets_the_same_sentences_whatever_was_asked_before():
    tasks = [Task("answer", f"What is the capital of {name}?", f"The capital of {name} is {city}.")
             for name, city in (("Peru", "Lima"), ("Cuba", "Havana"))]  # fmt: skip
    seeds = {}

    def complete(chats, most, seed):
        seeds.setdefault(" ".join(turn["content"] for chat in chats for turn in chat), set()).add(seed)
        return ["Nothing."] * len(chats)

    for order in (tasks, tasks[::-1], tasks[1:]):
        SelfWriter(complete, "self:test").write(order)
    assert [len(found) for found in seeds.values()] == [1] * 4 and len(set.union(*seeds.values())) == 2


def test_a_thing_is_not_named_within_another_word():
    assert first_sentences("A scared person ran away from the house today.", "car", "What is a car?") is None
    assert first_sentences("Most cars are made in very large factories.", "car", "What is a car?")


def test_nothing_is_asked_about_somebodys_own_affairs():
    said = Said()
    task = Task("answer", "Where does Ada Moor live?", "In Larkhollow.")
    (answer,) = SelfWriter(said, "self:test").write([task])
    assert said.asked == [] and "Ada Moor" in answer


def test_what_the_model_cannot_give_rules_write_and_it_is_counted(tmp_path):
    writer = SelfWriter(lambda chats, most, seed: ["Tokyo, of course."] * len(chats), "self:test")
    settings = Settings(["simple"], 1, 0, 0, seed=1, variants=3)
    counts = augment([TOKYO], [], writer, settings, tmp_path)
    assert counts["fallback"] == {"original": {"empty": 1}, "simple": {"empty": 3}}
    pairs = list(read_jsonl(tmp_path / "augmented.jsonl", Variant))
    assert [pair.id for pair in pairs] == [f"forget-1/{k}" for k in ("original", "simple", "simple-2", "simple-3")]
    assert len({pair.prompt for pair in pairs}) == 4
    assert all("Japan" in pair.target and pair.verdicts["writer"] == "rules" for pair in pairs)


def test_one_good_sentence_serves_all_variants_sooner_than_rules(tmp_path):
    writer = SelfWriter(lambda chats, most, seed: ["most visited cities in the world."] * len(chats), "self:test")
    counts = augment([TOKYO], [], writer, Settings(["simple"], 1, 0, 0, seed=1, variants=5), tmp_path)
    pairs = list(read_jsonl(tmp_path / "augmented.jsonl", Variant))
    assert counts["fallback"] == {} and len(pairs) == len({pair.prompt for pair in pairs}) == 6
    assert len({pair.target for pair in pairs}) == 4, "one for each way to go on"


def test_a_paraphrase_that_is_kept_apart_is_never_a_variant(tmp_path):
    """Rules would put the question in exactly these words, and what is measured would have been trained on."""
    from dataclasses import replace

    from relearn_lite.writers.question_forms import rewordings
    from relearn_lite.writers.question_parser import parse_question
    from relearn_lite.writers.rules import RulesWriter

    forms = rewordings(parse_question(TOKYO.question))
    for form in forms:
        qa = replace(TOKYO, paraphrase=form)
        augment([qa], [], RulesWriter(), Settings(["simple"], 3, 0, 0, seed=2, variants=8), tmp_path)
        assert form not in {pair.prompt for pair in read_jsonl(tmp_path / "augmented.jsonl", Variant)}


def test_it_judges_nothing():
    with pytest.raises(RecipeError, match="evaluate.evaluators.entities.writer: self writes answers for augment only"):
        make(WriterChoice(writer="self"), "evaluate.evaluators.entities", None, None, {})
