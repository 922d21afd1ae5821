"""Replies kept on disk: none is asked for twice, whatever happens in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from relearn_lite.writers import Task
from relearn_lite.writers.local import LocalWriter
from relearn_lite.writers.reply_cache import ReplyCache

TASKS = [Task("answer", f"Where does number {i} live?" + " Please tell." * i, seed=i) for i in range(5)]


def test_a_reply_is_there_after_a_restart_and_only_for_its_own_task(tmp_path):
    path = tmp_path / "replies.jsonl"
    ReplyCache(path, "m").put(TASKS[0], "One\u2028line.")
    again = ReplyCache(path, "m")
    assert again.get(TASKS[0]) == "One\u2028line." and again.get(TASKS[1]) is None
    assert again.get(Task("answer", TASKS[0].question, seed=9)) is None


def test_no_reply_is_not_kept(tmp_path):
    ReplyCache(tmp_path / "r.jsonl", "m").put(TASKS[0], None)
    assert not (tmp_path / "r.jsonl").exists()


def test_a_torn_line_is_lost_and_those_before_are_not(tmp_path):
    path = tmp_path / "r.jsonl"
    for task in TASKS[:2]:
        ReplyCache(path, "m").put(task, task.question)
    path.write_bytes(path.read_bytes()[:-3])
    torn = ReplyCache(path, "m")
    assert torn.get(TASKS[0]) and torn.get(TASKS[1]) is None
    torn.put(TASKS[2], "x")
    assert ReplyCache(path, "m").get(TASKS[2]) == "x"


def test_replies_to_other_prompts_or_settings_are_thrown_away(tmp_path):
    ReplyCache(tmp_path / "r.jsonl", "old").put(TASKS[0], "x")
    assert ReplyCache(tmp_path / "r.jsonl", "new").get(TASKS[0]) is None


def test_threads_may_put_at_once(tmp_path):
    replies = ReplyCache(tmp_path / "r.jsonl", "m")
    tasks = [Task("answer", str(i)) for i in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda task: replies.put(task, task.question * 50), tasks))
    again = ReplyCache(tmp_path / "r.jsonl", "m")
    assert all(again.get(task) == task.question * 50 for task in tasks)


def test_a_local_writer_that_was_killed_between_batches_asks_only_for_the_rest_and_ends_alike(tmp_path):
    asked: list[int] = []

    def complete(prompts, max_new_tokens, seed, *_):
        if len(asked) == 1 and not asked_again:
            raise KeyboardInterrupt
        asked.append(len(prompts))
        return [f"Text {seed} {n} is fine." for n in range(len(prompts))]

    def writer() -> LocalWriter:
        made = LocalWriter(complete, "local:x", batch_size=2)
        made.replies = ReplyCache(tmp_path / "r.jsonl", "m")
        return made

    asked_again = False
    try:
        writer().write(TASKS)
    except KeyboardInterrupt:
        asked_again = True
    first, asked[:] = list(asked), []
    texts = writer().write(TASKS)
    assert first == [2] and asked == [2, 1]
    whole = LocalWriter(complete, "local:x", batch_size=2)
    assert texts == whole.write(TASKS)


def test_where_memory_sizes_the_batches_a_reply_that_is_there_is_not_asked_for_though_they_are_others_now(tmp_path):
    asked = []

    def write(size):
        made = LocalWriter(lambda prompts, *_: asked.append(len(prompts)) or ["It is fine."] * len(prompts), "local:x",
                           batch_size=lambda longest: size)  # fmt: skip
        made.replies = ReplyCache(tmp_path / "r.jsonl", "m")
        return made

    write(2).write(TASKS[-2:])
    assert write(3).write(TASKS) == ["It is fine."] * 5 and asked == [2, 1, 2]
