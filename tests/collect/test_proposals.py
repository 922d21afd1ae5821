"""What a model proposes to ask is checked: each question stands alone, and a passage's answer stands in the passage."""

from relearn_lite.collect import proposals
from relearn_lite.data.documents import Block
from relearn_lite.writers.parsing import listed, pairs
from relearn_lite.writers.prompted import PromptedWriter


class Canned(PromptedWriter):
    """Replies by kind, and what it was asked."""

    def __init__(self, **replies):
        super().__init__("canned")
        self.kinds, self.asked = replies, []

    def ask(self, tasks):
        self.asked += tasks
        return [self.kinds[task.kind](task) for task in tasks]


def of(writer, *texts, subject=""):
    blocks = [Block("a.txt", f"line {n}", text) for n, text in enumerate(texts, 1)]
    return proposals.of_passages(blocks, subject, writer, lambda _: None)


def test_aspects_are_asked_for_until_new_ones_stop_coming():
    rounds = iter(["- opening\n- length", "1. builders\n2. Opening.", "- length", "- never asked"])
    writer = Canned(
        aspects=lambda task: next(rounds),
        ask_about=lambda task: f"- What of the {task.text} of the Suez Canal?\n- Who paid it?\n- Tell me more.",
    )
    found = proposals.about("the Suez Canal", "", [], writer, lambda _: None)
    assert [(w.facet, w.text) for w in found] == [
        (facet, f"What of the {facet} of {{S}}?") for facet in ("opening", "length", "builders")
    ]
    assert [task.text for task in writer.asked[:3]] == ["-", "opening, length", "opening, length, builders"]


def test_a_proposed_question_has_its_answer_in_the_passage():
    reply = """Here are some:
    - In which year was Ada Moor born? | 1950
    - Where was she born? | Varby
    - Who is Ada Moor? | the queen of Sweden
    - Which town is Ada Moor of? | Varby
    - Was it 1950 that Ada Moor was born? | 1950
    - Who built the bridge at Melk? | Bo Lind"""
    writer = Canned(ask_passage=lambda task: reply)
    found = of(writer, "Ada Moor was born in Varby in 1950.", "Bo Lind built the bridge at Melk.")
    assert [(w.text, told.about, told.text[:8], told.source) for w, told in found] == [
        ("In which year was {S} born?", "Ada Moor", "Ada Moor", "a.txt, line 1"),
        ("Which town is {S} of?", "Ada Moor", "Ada Moor", "a.txt, line 1"),
        ("Who built the bridge at {S}?", "Melk", "Bo Lind ", "a.txt, line 2"),
    ]
    only = of(writer, "Ada Moor was born in Varby in 1950.", "Bo Lind built the bridge at Melk.", subject="Ada Moor")
    assert [told.about for _, told in only] == ["Ada Moor"] * 2


def test_a_short_name_is_not_found_inside_other_words():
    """Of another one it was asked: Which ItalBob city did Bob visit?"""
    writer = Canned(ask_passage=lambda task: "- Which Italian city did Ian visit? | Pisa")
    (found,) = of(writer, "Ian was in Pisa.", subject="Ian")
    assert found[0].of("Bob") == "Which Italian city did Bob visit?"
    writer = Canned(ask_passage=lambda task: "- 王小明住在哪里？ | 上海")
    (found,) = of(writer, "王小明住在上海。", subject="王小明")
    assert found[0].text == "{S}住在哪里？"


def test_passages_are_whole_sentences_of_one_document():
    writer = Canned(ask_passage=lambda task: None)
    texts = ["Ada Moor keeps a light, and has done so for many years now. " * 8, "Bo Lind has a mill. " * 8]
    of(writer, *texts)
    passages = list(dict.fromkeys(task.text for task in writer.asked))
    assert len(passages) == 2 and all(text.endswith(".") for text in passages)
    assert " ".join(passages).split() == " ".join(texts).split()


def test_what_cannot_be_read_is_asked_for_once_more_and_then_left():
    writer = Canned(ask_passage=lambda task: "I will not.")
    assert of(writer, "Ada Moor was born in 1950.") == [] and len(writer.asked) == 2


def test_lists_and_pairs_are_read_with_what_stands_around_them():
    assert listed("Sure:\n* **One**\n2) Two\n\n- Two") == ["One", "Two"] and listed("\n") is None
    assert pairs('- Who? | "Bo"\n- no bar\n- | nothing') == [("Who?", "Bo")] and pairs("none") is None
