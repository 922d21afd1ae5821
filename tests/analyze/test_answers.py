from relearn_lite.analyze.answers import answer_batches, choose_answers, telling_tokens
from relearn_lite.core.records import QA
from relearn_lite.data.examples import IGNORE


def told(tokenizer, question, answer):
    ids = tokenizer(answer, add_special_tokens=False).input_ids
    flags = telling_tokens(tokenizer, QA("x", question, answer), ids)
    return "|".join(tokenizer.decode([i]).strip() for i, tells in zip(ids, flags, strict=True) if tells)


def test_tokens_tell_where_the_question_does_not(pair):
    question, answer = "Where does Chidera Obalende live?", "Chidera Obalende lives at 14 Weaverbird Lane."
    shown = told(pair.loaded.tokenizer, question, answer)
    joined = shown.replace("|", "")
    assert "14Weaverbird" in joined.replace(" ", "") and "Lane" in joined
    assert "Chidera" not in joined and "Obalende" not in joined and "at" not in shown.split("|")


def test_an_answer_that_adds_nothing_is_looked_at_whole(pair):
    tokenizer = pair.loaded.tokenizer
    ids = tokenizer("Chidera Obalende.", add_special_tokens=False).input_ids
    record = QA("x", "Who is Chidera Obalende?", "Chidera Obalende.")
    assert telling_tokens(tokenizer, record, ids) == (True,) * len(ids)


def test_questions_are_spread_over_the_data(pair):
    chosen = choose_answers(pair.loaded.tokenizer, pair.questions, 3)
    assert [answer.id for answer in chosen if answer.side == "forget"] == ["forget-0", "forget-4", "forget-8"]
    assert len(choose_answers(pair.loaded.tokenizer, pair.questions, 99)) == 24, "all there are, none twice"


def test_the_end_of_the_turn_is_no_part_of_the_answer(pair):
    for answer in pair.answers:
        assert pair.loaded.tokenizer.decode(answer.tokens) in {
            qa.answer for qa in pair.questions[answer.side] if qa.id == answer.id
        }


def test_only_telling_tokens_are_supervised_if_asked(pair):
    for chosen, batch in answer_batches(pair.answers, 4, pair.loaded, telling_only=True):
        supervised = (batch["labels"] != IGNORE).sum(-1).tolist()
        assert supervised == [sum(answer.telling) for answer in chosen]
        for row, answer in enumerate(chosen):
            wanted = [token for token, tells in zip(answer.tokens, answer.telling, strict=True) if tells]
            labels = batch["labels"][row]
            assert labels[labels != IGNORE].tolist() == wanted


def test_a_word_is_not_looked_for_inside_an_earlier_one(pair):
    tokenizer = pair.loaded.tokenizer
    record = QA("x", "What did Johnson have in 1990?", "In 1990 Johnson had a son of 90.")
    ids = tokenizer(record.answer, add_special_tokens=False).input_ids
    flags = telling_tokens(tokenizer, record, ids)
    before = len(tokenizer("In 1990 Johnson had a", add_special_tokens=False).input_ids)
    assert not any(flags[:before]), "son is the end of Johnson too, and 90 that of 1990"
    assert "".join(tokenizer.decode([i]) for i, tells in zip(ids, flags, strict=True) if tells) == " son90"


def test_characters_of_a_script_without_spaces_all_tell(pair):
    tokenizer = pair.loaded.tokenizer
    record = QA("x", "Who is it?", "Ann東京都 is")
    ids = tokenizer(record.answer, add_special_tokens=False).input_ids
    city = tokenizer("Ann東京都", add_special_tokens=False).input_ids
    assert ids[: len(city)] == city and len(city) > 4, "characters of several tokens"
    flags = telling_tokens(tokenizer, record, ids)
    assert flags == (True,) * len(city) + (False,) * (len(ids) - len(city))
