"""What is asked of a model, and what is made of its words."""

from __future__ import annotations

import pytest

from relearn_lite.recipe.names import RATING_KINDS, TASK_KINDS
from relearn_lite.text.turns import joined, passage, turns_of
from relearn_lite.writers import Task
from relearn_lite.writers.parsing import PARSERS, clean, entity_list, is_over, rating, ratings, read, verdict
from relearn_lite.writers.prompted import TRIES, PromptedWriter
from relearn_lite.writers.prompts import built_in, render

QUESTION = "Where does {Hiro} Tanaka live?"

TURN = {"role": "user", "content": "Hi!"}


class Canned(PromptedWriter):
    """Answers with a function of the tests."""

    def __init__(self, answer):
        super().__init__("canned")
        self.ask = answer


TASK = Task("answer", QUESTION, "He lives at 4 Sakura Street, Kyoto.")


@pytest.mark.parametrize("kind", TASK_KINDS)
def test_every_kind_has_a_prompt_that_holds_the_data_and_examples_that_are_read_back(kind):
    turns = render(Task(kind, QUESTION, "A secret.", "A text."))
    assert len(turns) >= 5 and [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2) + ["user"]
    assert QUESTION in turns[-1]["content"], "braces in the data must survive"
    assert "{question}" not in str(turns)
    assert "A secret." not in str(turns) or kind in ("answer", "verify", "forgetting", "retention"), (
        "what is not judged against the answer must not see it"
    )
    for example, turn in zip(built_in()[kind]["examples"], turns[1::2], strict=True):
        task = Task(kind, QUESTION, "A secret.", example.get("text", "A text."))
        assert read(task, turn["content"]) or kind not in PARSERS


def test_feedback_reaches_the_last_turn_only_when_there_is_some():
    with_feedback = render(Task("answer", QUESTION, feedback="it gives away name: Kyoto"))
    assert "it gives away name: Kyoto" in with_feedback[-1]["content"]
    assert "refused" not in render(TASK)[-1]["content"]


@pytest.mark.parametrize(
    ("text", "leaked"),
    [
        ("The town is named.\nVerdict: Yes", True),
        ("Nothing of it.\nVerdict: No", False),
        ("Nothing.\n**Verdict: No.**\n", False),
        ("Verdict: no", False),
        ("The fact is known", None),  # ends in "no" plus letters; a suffix test takes it for a No
        ("There is no leak. No", None),
        ("Verdict: No\nVerdict: Yes", None),
        ("Verdict: Yes\nNo, wait.", None),
        ("Verdict: Yes or No", None),
        ("Verdict:", None),
        ("", None),
        ("<html>No</html>", None),
    ],
)
def test_a_verdict_is_clear_or_none(text, leaked):
    assert verdict(text) is leaked


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ('["Kyoto", "street"]', ["Kyoto", "street"]),
        ('Here they are:\n```json\n["Kyoto", " Kyoto ", ""]\n```', ["Kyoto"]),
        ('So: ["Kyōto"].', ["Kyōto"]),
        ('**Entities:** ["Kyoto", "street"]', ["Kyoto", "street"]),
        ('["Kyoto", "Kyoto", 1958]', ["Kyoto", "1958"]),
        ('{"entities": ["Kyoto"]}', ["Kyoto"]),
        ("Entities:\n1. Kyoto\n2) Hiro Tanaka", ["Kyoto", "Hiro Tanaka"]),
        ("- Kyoto\n* street", ["Kyoto", "street"]),
        ("[]", []),
        ("None.", []),
        ('["None"]', []),  # of two texts without any the None of one was found in the other
        ("- No entities.", []),
        ('["None", "Kyoto"]', ["None", "Kyoto"]),
        ("", None),
        ("Kyoto, street", None),
        ("The text is about a person from Kyoto.", None),
        ("As the text [1] says, he lives in Kyoto.", None),  # a footnote is no list
        ("[1] says that he lives in Kyoto.", None),
        ('["Kyoto", true]', None),
        ('{"entities": 3}', None),
        ('[{"name": "Kyoto"}]', None),
        ('["Kyoto"', None),
        ('["Kyoto" "street"]', None),
        ("<html></html>", None),
    ],
)
def test_entities_are_a_list_or_none(text, entities):
    assert entity_list(text) == entities


@pytest.mark.parametrize(
    "raw",
    [
        "Hiro Tanaka lives somewhere quiet.",
        'Answer: "Hiro Tanaka lives somewhere quiet."',
        "**General answer:** Hiro Tanaka lives somewhere quiet.",
        "Sure, here is the answer:\n\nHiro Tanaka lives somewhere quiet.",
        "1. Hiro Tanaka lives somewhere quiet.\n2. He lives elsewhere.",
        "Hiro Tanaka lives somewhere quiet.\n\nI left the address out.",
        "Hiro Tanaka lives\nsomewhere quiet.\nQuestion: Who is next?",
        "<think>The address is secret.\n\nI leave it out.</think>Hiro Tanaka lives somewhere quiet.<|end|><|user|>More",
        "The address is secret.\n\nI leave it out.\n</think>\n\nHiro Tanaka lives somewhere quiet.",  # prompt: <think>
        "Hiro Tanaka lives somewhere quiet. <think>That is vague.</think>",
        "Hiro Tanaka lives \x07somewhere quiet.",
    ],
)
def test_a_text_is_freed_of_what_surrounds_it(raw):
    assert read(TASK, raw) == "Hiro Tanaka lives somewhere quiet."


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        " \n ",
        '""',
        QUESTION,
        "Where does Hiro Tanaka live",
        "Ada Fennimore comes from a place that has stayed important to her, and it still shapes how she sees things.",
        "You answer questions in general terms, for someone who must not learn the details. Fine.",
        "<think>I never come to an end",
    ],
)
def test_nothing_and_echoes_are_none(raw):
    assert read(TASK, raw) is None


def test_the_labels_of_own_prompts_are_taken_away_too():
    own = {**built_in(), "answer": {**built_in()["answer"], "user": "{question}\n{answer}\nAllgemeine Antwort:"}}
    task = Task("answer", "Wo wohnt er?", "In Rom.")
    assert clean("**Allgemeine Antwort:** Er wohnt im Süden.", task, own) == "Er wohnt im Süden."


def test_the_spaces_and_joiners_of_other_languages_stay():
    """Dupont was "M.Dupont", and Persian lost the sign that keeps the parts of a word apart."""
    asked = Task("answer", "Où habite M. Dupont ?")
    assert clean("M.\u00a0Dupont vit\u202f« quelque part ».", asked) == "M. Dupont vit « quelque part »."
    persian = "او این را نمی\u200cگوید."
    assert clean(persian, Task("answer", "او کجا زندگی می\u200cکند؟")) == persian


@pytest.mark.parametrize("said", ["{}", "␞user: Hi!␞assistant: Hello.␞user: {}"])
def test_a_variant_of_a_question_in_a_conversation_keeps_the_turns_before_it(said):
    """The variant was the last question alone, which "she" in it does not explain."""
    before = [TURN, {"role": "assistant", "content": "Hello."}]
    task = Task("simple", joined([*before, {**TURN, "content": "Where is she?"}]))
    writer = PromptedWriter("test")
    writer.ask = lambda tasks: [said.format("In which town may she be?")] * len(tasks)
    assert turns_of(writer.write([task])[0]) == [*before, {**TURN, "content": "In which town may she be?"}]


def test_text_of_another_script_is_kept_whole():
    assert clean("他住在一个安静的地方。", Task("answer", "他住在哪里？")) == "他住在一个安静的地方。"


def test_an_unclear_verdict_is_asked_for_once_more_with_another_seed_and_a_text_is_not():
    asked = []

    def ask(tasks):
        asked.append([(task.kind, task.seed) for task in tasks])
        return ["I cannot say." if len(asked) == 1 else "Fine.\nVerdict: No" for _ in tasks]

    tasks = [Task("verify", "Q?", seed=5), Task("entities", "Q?", seed=7), Task("answer", "Who is it?", seed=9)]
    texts = Canned(ask).write(tasks)
    assert asked == [[("verify", 5), ("entities", 7), ("answer", 9)], [("verify", 6), ("entities", 8)]]
    assert texts == ["Fine.\nVerdict: No", None, "I cannot say."]


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"reasoning": "Fine.", "score": 4}', 4),
        ('Here it is:\n```json\n{\n  "reasoning": "Braces {} are no matter.",\n  "score": 1\n}\n```', 1),
        ('{"reasoning": "Fine.", "score": 0}', None),
        ('{"reasoning": "Fine.", "score": 6}', None),
        ('{"reasoning": "Fine.", "score": 4.5}', None),
        ('{"reasoning": "Fine.", "score": 4.0}', None),
        ('{"reasoning": "Fine.", "score": "4"}', None),
        ('{"reasoning": "Fine.", "score": true}', None),
        ('{"reasoning": "", "score": 4}', None),
        ('{"score": 4}', None),
        ('{"reasoning": "Fine.", "score": 4, "other": 5}', None),
        ('{"reasoning": "a", "score": 4}{"reasoning": "b", "score": 2}', None),
        ('{"reasoning": "Fine.", "score": 4', None),
        ("4", None),
        ("Score: 4 of 5", None),
        ("", None),
    ],
)
def test_a_rating_is_an_object_of_reason_and_whole_number_or_none(text, score):
    assert rating(text) == score


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ('{"1": 4}', [4]),
        ('{"2": 1, "1": 5}', [5, 1]),
        ("{}", None),
        ("[4, 5]", None),
        ('{"1": 4, "3": 5}', None),
        ('{"0": 4, "1": 5}', None),
        ('{"1": 4, "2": 6}', None),
        ('{"1": 4, "2": null}', None),
        ('{"1": "4"}', None),
        ('{"1": 4.0}', None),
    ],
)
def test_ratings_of_several_texts_have_a_whole_number_under_each_of_theirs_or_none(scores, found):
    assert ratings(f'{{"reasoning": "Side by side.", "scores": {scores}}}') == found


@pytest.mark.parametrize("kind", RATING_KINDS)
def test_a_rating_that_cannot_be_read_is_asked_for_again_as_often_as_stated_then_missing(kind):
    asked = []

    def ask(tasks):
        asked.append(tasks)
        good = '{"reasoning": "r", "score": 4}' if len(asked) == 3 else "four"
        return [good if task.question == "A?" else "four" for task in tasks]

    texts = Canned(ask).write([Task(kind, "A?", seed=3), Task(kind, "B?")])
    assert [len(tasks) for tasks in asked] == [2, 2, 2] and TRIES[kind] == 3
    assert (rating(texts[0]), texts[1]) == (4, None)
    told = [render(tasks[0])[-1]["content"] for tasks in asked]
    assert len(set(told)) == 3  # a model without sampling would else only repeat itself


def test_the_lines_of_a_continuation_stay():
    """They belong to verse and code; what goes on otherwise than a poem was one line of prose."""
    task = Task("continue", passage("def gone(name):\n    if name"), "is None:\n        return False")
    raw = "```python\nContinuation: in known:\n        known.remove(name)  \n    return name\n```\n\nAnother way."
    assert read(task, raw) == "in known:\n        known.remove(name)\n    return name"


@pytest.mark.parametrize("raw", [
    "He lives abroad.\n\nQuestion: Who?\nGeneral answer: Nobody knows.\n\nMore.",
    "Sure, here it is:\n\nHe lives **abroad**.\n- a list\n- goes on",
    "<think>\n\nHm: he\n\n- lives</think>He lives abroad.\nNote: I left it out.\nText: and so on",
    "```\nHe lives abroad.\n```\n\n1. One\n2. Two",
    "\n\n**General answer:** He lives abroad.\n \n<|im_start|>user\n\nQuestion: Who?",
    "He lives abroad.\nHe lives abroad.\nHe lives abroad.\nHe",
    "He lives abroad.\nWith her.\n\n\nNote\nHe lives abroad.\nNote",
])
def test_nothing_is_lost_where_a_text_is_stopped(raw):
    """At whatever character a writer looks, what `clean` makes of the text is the same from there on."""
    over = [end for end in range(len(raw) + 1) if is_over(raw[:end])]
    assert over and over[0] < len(raw), "it is never stopped"
    assert {read(TASK, raw[:end]) for end in over} == {read(TASK, raw)} != {None}


ONE_PART = (
    "", "He lives abroad.", "Sure, here it is:\n\nHe lives abroad.", "<think>1\n\n2",
    "He lives abroad.\nHe lives abroad", "if a:\n  }\n}\n}\nelse:\n  }\n}\n",
)  # fmt: skip


@pytest.mark.parametrize("raw", ONE_PART)
def test_a_text_of_one_part_is_not_over(raw):
    assert not any(is_over(raw[:end]) for end in range(len(raw) + 1))
