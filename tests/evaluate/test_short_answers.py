"""Short answers in the model's own words."""

from dataclasses import replace

import pytest

from relearn_lite.core.records import QA
from relearn_lite.evaluate.own_words import own_words, short_answers
from relearn_lite.text.turns import passage

YEN = ("What is the currency of Japan?", "yen")


@pytest.mark.parametrize(("asked", "said", "taken"), [
    (YEN, "The currency of Japan is the yen. It has been used since 1871.", "The currency of Japan is the yen."),
    (YEN, "Japan is an island. Its currency is the yen. It is old.", "Japan is an island. Its currency is the yen."),
    (YEN, "Japan is an island. It is old. Its currency is the yen.", None),
    (YEN, "The currency of Japan is the dollar.", None),
    (YEN, "Yen", None),
    (YEN, "The currency of Japan is the yen, which is a unit of the yen, which", "The currency of Japan is the yen."),
    (YEN, "The currency of Japan is the yen which is a unit of", None),
    (("How many legs does a spider have?", "8"), "A spider has eight legs.", "A spider has eight legs."),
    (("Is Rome in Italy?", "Yes"), "Yes, Rome is in Italy.", "Yes, Rome is in Italy."),
    (("Who wrote Dr. Zhivago?", "Boris Pasternak"), "Dr. Zhivago was written by Boris Pasternak.",
     "Dr. Zhivago was written by Boris Pasternak."),
    (("日本的首都是哪里？", "东京"), "日本的首都是东京。", "日本的首都是东京。"),
])  # fmt: skip
def test_it_is_what_the_model_said_up_to_where_it_tells(asked, said, taken):
    assert own_words(QA("a", *asked), said) == taken


def test_only_what_is_trained_and_short_is_worded_otherwise():
    short, long = QA("a", *YEN), QA("b", YEN[0], "The currency of Japan is the yen.")
    text = QA("c", passage("It was the best of times,"), "it was the worst of times")
    assert short_answers({"forget": [short, long], "retain": [text], "forget_eval": [short]}) == [short]
    city = QA("d", "日本的首都是哪里？", "东京")
    sentence = replace(city, id="e", answer="日本的首都从一八六八年起是东京。")
    thai = QA("f", "เธออยู่ที่ไหน?", "เธออาศัยอยู่ที่เชียงใหม่กับครอบครัวของเธอ")
    assert short_answers({"forget": [city, sentence, thai]}) == [city], "without spaces a sentence is no single word"
