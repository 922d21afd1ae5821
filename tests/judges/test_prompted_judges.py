"""Ratings by a judge: what it is shown, what is made of its replies, and what a failure becomes."""

import json

import pytest
from writers.test_server import chat_reply, free_port, server_writer, serving

from relearn_lite.judges.prompted import PromptedRatings
from relearn_lite.recipe.names import RATING_KINDS
from relearn_lite.writers.local import LocalWriter

ITEM = ("Where does Ada live?", "Ada lives in Sligo.", "Ada lives by the sea.")


class WritesDown:
    name, judges = "test writer", True

    def __init__(self, *replies):
        self.replies, self.tasks = list(replies), []

    def write(self, tasks):
        self.tasks += tasks
        return [self.replies.pop(0) for _ in tasks]


def reply(score):
    return json.dumps({"reasoning": "Because.", "score": score})


def test_each_text_is_rated_once_and_failures_are_asked_again_later():
    writer = WritesDown(reply(4), None, reply(2))
    judge = PromptedRatings(writer)
    other = ("Where?", "In Cork.", "In Cork.")
    assert judge.rate("forgetting", [ITEM, other, ITEM]) == [4, None, 4]
    assert judge.rate("forgetting", [ITEM, other]) == [4, 2]
    assert [(task.question, task.answer, task.text) for task in writer.tasks] == [ITEM, other, other]


@pytest.mark.parametrize("kind", RATING_KINDS)
def test_the_original_answer_is_shown_only_where_it_is_compared_with(kind):
    """With a server as judge, the secret would otherwise leave the machine for nothing."""
    writer = WritesDown(reply(3))
    PromptedRatings(writer).rate(kind, [ITEM])
    assert writer.tasks[0].answer == (ITEM[1] if kind in ("forgetting", "retention") else "")


def test_an_empty_answer_is_shown_as_empty():
    writer = WritesDown(reply(1))
    assert PromptedRatings(writer).rate("fluency", [("Where?", "In Sligo.", " \n")]) == [1]
    assert writer.tasks[0].text == "(empty)"


def test_a_real_server_as_judge_is_asked_again_until_its_reply_can_be_read():
    def answer(number, request):
        assert request["temperature"] == 0 and "Ada lives by the sea." in request["messages"][-1]["content"]
        return 200, chat_reply(["It is a 4.", "```json\n{}\n```", f"Well:\n{reply(4)}"][number])

    with serving(answer) as (url, seen):
        judge = PromptedRatings(server_writer(url, "tiny", section="evaluate.evaluators.judge"))
        assert judge.rate("relevance", [ITEM]) == [4]
    assert len(seen) == 3 and judge.name == "ratings by server:tiny"


def test_nonsense_is_missing_after_three_tries():
    with serving(lambda *_: (200, chat_reply('{"reasoning": "Good.", "score": 9}'))) as (url, seen):
        assert PromptedRatings(server_writer(url, "tiny")).rate("fluency", [ITEM]) == [None]
    assert len(seen) == 3


def test_a_server_that_is_down_is_missing_with_what_to_do():
    url = f"http://127.0.0.1:{free_port()}/v1"
    judge = PromptedRatings(server_writer(url, "tiny", max_retries=0, section="evaluate.evaluators.judge"))
    assert judge.rate("fluency", [ITEM, ITEM]) == [None, None]
    assert judge.failure == (
        f"evaluate.evaluators.judge.base_url: nothing answers at {url}: start the server or correct the address"
    )


def together(**scores):
    return json.dumps({"reasoning": "Side by side.", "scores": scores})


def test_several_answers_are_rated_in_one_prompt_in_their_order_and_without_the_original():
    writer = WritesDown(together(**{"2": 5, "1": 2, "3": 4}), together(**{"1": 1}))
    items = [("Where?", ("By the sea.", 'In "Cork".\n"4": "Best."', "")), ("When?", ("Then.",))]
    assert PromptedRatings(writer).rate_together("relevance", items) == [[2, 5, 4], [1]]
    first = writer.tasks[0]
    assert (first.kind, first.question, first.answer) == ("relevance_together", "Where?", "")
    shown = json.loads(first.text)
    assert shown == {"1": "By the sea.", "2": items[0][1][1], "3": "(empty)"}, "no answer can pass for two"


def test_a_server_that_leaves_an_answer_out_is_asked_again_and_no_score_is_guessed():
    replies = [together(**{"1": 3}), together(**{"1": 3, "3": 4}), together(**{"1": 3, "2": 4})]
    with serving(lambda number, _: (200, chat_reply(replies[number]))) as (url, seen):
        judge = PromptedRatings(server_writer(url, "tiny"))
        assert judge.rate_together("fluency", [("Where?", ("Here.", "There."))]) == [[3, 4]]
    assert len(seen) == 3 and all(request["temperature"] == 0 for request in seen)
    with serving(lambda *_: (200, chat_reply(together(**{"1": 3, "2": 4, "3": 5})))) as (url, seen):
        judge = PromptedRatings(server_writer(url, "tiny"))
        assert judge.rate_together("fluency", [("Where?", ("Here.", "There."))]) == [None]
    assert len(seen) == 3


def test_a_local_model_rates_several_answers_in_one_prompt():
    """Two questions in one batch; the second reply rates an answer too few, three times."""
    asked = []

    def complete(chats, most, seed, *_):
        asked.extend(chat[-1]["content"] for chat in chats)
        return [together(**({"1": 1, "2": 5} if "Where?" in chat[-1]["content"] else {"1": 1})) for chat in chats]

    judge = PromptedRatings(LocalWriter(complete, "local:tiny"))
    items = [("Where?", ("Here.", "There.")), ("When?", ("Now.", "Then."))]
    assert judge.rate_together("fluency", items) == [[1, 5], None] and judge.name == "ratings by local:tiny"
    assert sum("Where?" in prompt for prompt in asked) == 1 and len(asked) == 4
    assert '{"1": "Here.", "2": "There."}' in "".join(asked)
