"""Chat with a run: through a pipe and at a terminal, in a process of its own."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from rich.console import Console

from relearn_lite.chat.conversation import Conversation
from relearn_lite.chat.terminal import Talk, _lines, piped
from relearn_lite.chat.why import Judging
from relearn_lite.cli.commands import cli
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.models.generation import Completion
from relearn_lite.pipeline.finished_run import reopened
from relearn_lite.recipe import load_recipe
from relearn_lite.text.turns import passage

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, str(ROOT / "main.py"), "chat"]


def rows(run):
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def files(*folders):
    """Every file below some folders, with its time of change."""
    return {
        path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }  # fmt: skip


@pytest.fixture(scope="module")
def conversation(finished_run):
    return Conversation(reopened(finished_run, "chat"))


def ask(conversation, question, names=("before", "after")):
    conversation.begin(question)
    return [conversation.answer(name, lambda piece: None, lambda: False).text for name in names]


def test_a_pipe_gets_the_answers_of_the_run_and_nothing_is_written(finished_run, tmp_path):
    """Commands work there too. Neither run, working folder nor home holds a file more than before."""
    asked = rows(finished_run)[2]
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    before = files(finished_run, home, here)
    lines = f"{asked['query']}\n/why\n/after\n{asked['query']}\n/nonsense\n"
    env = os.environ | {"HOME": str(home), "TMPDIR": str(here)}
    env.pop("XDG_CACHE_HOME", None)
    done = subprocess.run([*MAIN, str(finished_run)], input=lines, capture_output=True, text=True, cwd=here, env=env)
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert f"before: {asked['vanilla']}\n" in shown and shown.count(f"after: {asked['unlearned']}\n") == 2
    assert shown.count("before: ") == 2  # the answer, and what /why says of it
    assert "before: leak check: gives away" in shown and "after: leak check: gives nothing away" in shown
    assert "judges: told" in shown and "judges: forgotten" in shown and "There is no /nonsense." in shown
    assert files(finished_run, home, here) == before


def test_a_file_of_questions_gives_json(finished_run, tmp_path):
    asked = rows(finished_run)[:2]
    (tmp_path / "ask.txt").write_text("".join(row["query"] + "\n/help\n" for row in asked))  # which is told elsewhere
    words = ["chat", str(finished_run), "--ask", str(tmp_path / "ask.txt"), "--json"]
    shown = CliRunner().invoke(cli, words, catch_exceptions=False).stdout
    assert [json.loads(line) for line in shown.splitlines()] == [
        {"question": row["query"], "before": row["vanilla"], "after": row["unlearned"]} for row in asked
    ]


def test_of_what_should_stay_why_says_that_it_is_told_not_given_away(finished_run, conversation):
    kept = next(row for row in rows(finished_run) if row["split"] == "retain")
    ask(conversation, kept["query"])
    shown = " ".join(Judging(conversation.run).explain(conversation))
    assert "before: leak check: tells (" in shown and "gives" not in shown
    conversation.forget_turns()


def test_each_side_is_told_what_it_said_itself(conversation, finished_run):
    question = rows(finished_run)[0]["query"]
    conversation.forget_turns()
    before, after = ask(conversation, question)
    ask(conversation, "And since when?", ["after"])
    turns = {name: [turn["content"] for turn in side.turns] for name, side in conversation.sides.items()}
    assert turns["before"] == [question, before]
    assert turns["after"][:3] == [question, after, "And since when?"] and len(turns["after"]) == 4
    conversation.forget_turns()
    assert ask(conversation, question) == [before, after]


def test_a_long_conversation_loses_its_beginning_and_goes_on(conversation):
    conversation.forget_turns()
    side = conversation.sides["after"]
    side.forgotten = 0
    for number in range(8):
        ask(conversation, f"Question {number}: " + "what is there to say of it? " * 8, ["after"])
    assert side.forgotten > 0 and len(side.turns) < 16
    with pytest.raises(RecipeError, match="generate.max_new_tokens: .* exceeds the 512 tokens"):
        ask(conversation, "what is there to say? " * 200, ["after"])


def test_an_answer_can_be_stopped_and_comes_in_pieces(conversation, finished_run):
    conversation.forget_turns()
    conversation.begin(rows(finished_run)[2]["query"])
    pieces = []
    whole = conversation.answer("before", pieces.append, lambda: False)
    assert len(pieces) > 3 and "".join(pieces).strip() == whole.text
    conversation.begin(rows(finished_run)[2]["query"])
    conversation.sides["before"].turns.clear()
    part = conversation.answer("before", lambda piece: None, iter([False, False, True]).__next__)
    assert whole.text.startswith(part.text) and len(part.text) < len(whole.text) and not part.finished


def test_a_question_that_is_not_the_runs_is_judged_by_what_was_said_before(conversation, finished_run):
    judging = Judging(reopened(finished_run, "chat"))
    row = rows(finished_run)[2]
    assert judging.meant("  " + row["query"].upper())["id"] == row["id"]
    assert judging.meant("Who is the man on the moon?") is None
    name = row["query"].replace("Chidera Obalende", "Pablo Nobody")
    assert name != row["query"] and judging.meant(name) is None  # another person's
    conversation.begin("Who is the man on the moon?")
    assert list(judging.explain(conversation)) == ["Nothing was asked yet."]
    ask(conversation, "Who is the man on the moon?")
    told = list(judging.explain(conversation))
    assert "no question like this one" in told[0] and told[1].startswith("Of what was said before")


def test_why_tells_of_a_secret_that_another_question_brought_out(finished_run):
    """Asked for her work, the model told her phone number, and the run had no answer to judge that by."""
    judging = Judging(reopened(finished_run, "chat"))
    judging.known = [
        {"query": "Which number do I dial for Ada Moor?", "ground_truth": "Her number is 555-0176.", "split": "forget"},
        {"query": "Where does Bo Lind live?", "ground_truth": "Bo Lind lives in Varby.", "split": "forget"},
        {"query": "What did Ada Moor win?", "ground_truth": "Ada Moor won the Silver Ladle.", "split": "retain"},
    ]
    text = "Ada Moor takes calls on 555-0176 in Varby, and won the Silver Ladle."
    said = SimpleNamespace(asked="Tell me of the plans of Ada Moor.", answers={"after": Completion(text, True)})
    told = "after: gives away what was to be forgotten (0176)."
    assert [*judging.explain(said)][1:] == [told]
    said.answers["after"] = Completion("Ada Moor takes calls.", True)
    assert len([*judging.explain(said)]) == 1


def test_why_knows_every_question_of_the_run_and_takes_none_for_another(finished_run):
    """Those set apart to choose by too; words that all such questions have in common say nothing."""
    judging = Judging(reopened(finished_run, "chat"))
    (husband, parents), about = ("husband", "parents"), "Who is the {} of Rosalba Quintaneda?"
    qa = QA("forget-x", about.format(husband), "Leopoldo, a tugboat mechanic")
    judging.run.given = judging.run.given | {"forget_select": [qa]}
    judging.known = [{"query": about.format(parents), "ground_truth": "Carmela", "split": "forget"}]
    assert judging.meant(about.format(husband)) is None
    del judging.known
    assert judging.meant(about.format(husband))["ground_truth"] == qa.answer


def test_why_takes_no_question_that_asks_for_something_else(finished_run):
    """"live" alone does not make an illness an address; "telephone" and "phone" are one."""
    judging = Judging(reopened(finished_run, "chat"))
    illness, home, phone = (
        {"query": query, "ground_truth": truth, "split": "forget"} for query, truth in (
            ("Which illness does Rosalba Quintaneda live with?", "Asthma."),
            ("Where does Rosalba Quintaneda live?", "At 5 Quarry Lane."),
            ("What is the phone number of Rosalba Quintaneda?", "555-0112."),
        )
    )
    street = "Which street does Rosalba Quintaneda live in?"
    judging.known = [illness, phone]
    assert judging.meant(street) is None
    assert judging.meant("What is the telephone number of Rosalba Quintaneda?") is phone
    judging.known = [illness, home]
    assert judging.meant(street) is home


@pytest.mark.parametrize("data_gone", [False, True])
def test_why_takes_for_no_leak_what_another_wording_of_the_question_gives(finished_run, monkeypatch, data_gone):
    """As the run's own metrics do, which it says to judge by."""
    judging = Judging(reopened(finished_run, "chat"))
    qa = QA("a-1", "Where does Ann Hay work?", "At Fenwick lighthouse.", "At which lighthouse does Ann Hay work?")
    lines = [(qa.id, "forget", qa.question), (qa.id, "forget_paraphrase", qa.paraphrase)]
    reported = [{"id": i, "split": split, "query": text, "ground_truth": qa.answer} for i, split, text in lines]
    monkeypatch.setattr("relearn_lite.chat.why.read_rows", lambda path: reported if data_gone else [])
    judging.run.given = {"forget": [] if data_gone else [qa]}
    for asked in (qa.question, qa.paraphrase):
        answers = {"after": Completion("At a lighthouse.", True), "before": Completion("At Fenwick.", True)}
        told = [*judging.explain(SimpleNamespace(asked=asked, answers=answers))]
        assert told[2].startswith("after: leak check: gives nothing away;"), told
        assert told[3].startswith("before: leak check: gives away (name: Fenwick);")


def test_why_tells_of_a_passage_by_its_words_for_no_judge_takes_part(finished_run):
    judging = Judging(reopened(finished_run, "chat"))
    start = "The mill by the river had been silent for years, and nobody in Ostermoor could say when "
    rest = "its wheel had last turned, for the miller Ada Fennimore had left the village without a word."
    judging.known = [{"query": passage(start), "ground_truth": rest, "split": "forget"}]
    more = f"{rest} And so on, past where the passage ends."
    answers = {"before": Completion(more, True), "after": Completion("Nobody minded.", True)}
    told = [*judging.explain(SimpleNamespace(asked=start.strip(), answers=answers))]
    assert told[0] == f"The run has this as a forget passage: {start}" and told[1] == f"How it goes on there: {rest}"
    assert told[2].endswith("its own words: told.") and told[3].endswith("its own words: forgotten.")
    assert told[4] == "Judged by words in their order."


def test_a_run_of_passages_has_a_line_continued_as_it_was_asked(finished_run, conversation, monkeypatch):
    """Without chat template: a passage typed in was put to the model as a question, and /why judged what came."""
    start = "The mill by the river\nhad been silent for years, and nobody in Ostermoor could say when"
    row = {"id": "a-1", "split": "forget", "query": passage(f"{start} "), "ground_truth": "its wheel had turned."}
    asked, tokenizer = [], conversation.sides["after"].loaded.tokenizer

    def answered(loaded, prompt, *_):
        asked.append(tokenizer.decode(prompt))
        return Completion("Mm.", True)

    monkeypatch.setattr("relearn_lite.chat.conversation.stream", answered)
    monkeypatch.setattr("relearn_lite.chat.why.read_rows", lambda path: [row])
    talk = Talk(conversation, Judging(conversation.run), Console(file=io.StringIO()))
    typed_in = start.replace("\n", " ")
    for line in ("/after", typed_in, "It was in", "/history", "Who are you?", "/alone", typed_in):
        talk.take(line)
    assert asked == [start, "It was in", "<|user|>Who are you?<|end|><|assistant|>", start]
    conversation.forget_turns()


@pytest.mark.parametrize(("commands", "turns"), [([], 2), (["/history"], 4), (["/history", "/alone"], 2)])
def test_the_embedded_model_is_asked_each_question_by_itself(finished_run, conversation, commands, turns):
    talk = Talk(conversation, Judging(conversation.run), Console(file=io.StringIO()))
    conversation.forget_turns()
    for line in (*commands, "Who are you?", "And since when?"):
        talk.take(line)
    assert {len(side.turns) for side in conversation.sides.values()} == {turns}
    conversation.forget_turns()


def test_a_pipe_may_ask_for_a_conversation(finished_run, conversation):
    """/history was undone by the very next line. Each line is a question by itself else, whatever the model."""
    talk = Talk(conversation, Judging(conversation.run), Console(file=io.StringIO()))
    for lines, turns in (([], 2), (["/history"], 4)):
        conversation.forget_turns()
        talk.alone = False
        talk.through([*lines, "Who are you?\n", "And since when?\n"])
        assert {len(side.turns) for side in conversation.sides.values()} == {turns}
    conversation.forget_turns()


def test_a_line_that_is_too_long_is_named(conversation):
    """Of a file with a thousand questions it was not told which to shorten."""
    shown = Console(file=io.StringIO())
    with pytest.raises(RecipeError, match="^line 3: generate.max_new_tokens: the longest question .*shorten the quest"):
        Talk(conversation, Judging(conversation.run), shown).through(["Who are you?", "", "so " * 2000])
    assert "> Who are you?" in shown.file.getvalue()


def test_ctrl_c_before_the_first_word_ends_no_chat(conversation, monkeypatch):
    """There was no answer yet to be called stopped, which ended in a traceback."""
    conversation.forget_turns()
    monkeypatch.setattr("relearn_lite.chat.terminal._interrupts", lambda: nullcontext(lambda: True))
    talk = Talk(conversation, Judging(conversation.run), Console(file=io.StringIO(), force_terminal=True))
    talk.take("Who are you?")
    assert conversation.answers == {}


def typed(monkeypatch, said, *lines):
    """What a chat at a terminal writes, where these lines are typed and then Ctrl-D; a key is an exception."""
    keys = iter(lines)

    def read(prompt):
        line = next(keys, EOFError())
        if isinstance(line, BaseException):
            raise line
        return line

    monkeypatch.setattr("builtins.input", read)
    shown = Console(file=io.StringIO(), width=200)
    Talk(said, Judging(said.run), shown).interactively()
    return shown.file.getvalue()


def test_ctrl_c_ends_a_why_and_not_the_chat(conversation, monkeypatch):
    """Judges that are models take a while; who lost patience with them lost the conversation too."""

    def impatient(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Judging, "explain", impatient)
    shown = typed(monkeypatch, conversation, "/why", "/nonsense")
    assert "/quit or Ctrl-D ends the chat" in shown and "There is no /nonsense." in shown


def test_a_torn_character_at_a_terminal_is_told_and_ends_no_chat(conversation, monkeypatch):
    """Backspace takes half of an umlaut where no locale is set, and a tokenizer's TypeError ended the chat."""
    shown = typed(monkeypatch, conversation, "H\udcc3ns", "/nonsense")
    assert "chat: that line is not UTF-8 text; type it again" in shown and "There is no /nonsense." in shown


def test_a_line_of_a_file_ends_where_it_does(tmp_path):
    """At U+2028, and other signs that end no line of a text file, one question became two."""
    (tmp_path / "ask.txt").write_bytes("\ufeffWho is\u2028Ann?\r\n\r\nAnd Bob?".encode())
    assert [line.strip() for line in _lines(tmp_path / "ask.txt") if line.strip()] == ["Who is\u2028Ann?", "And Bob?"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_what_is_piped_in_is_utf_8_without_a_mark(monkeypatch):
    """A line of another encoding ended in a TypeError of the tokenizer; a mark in front was part of the question."""
    for errors in ("strict", "surrogateescape"):  # as Python has them by locale
        bytes_in = io.BytesIO("\ufeffHi\r\n".encode() + b"Who is J\xf6rg?\n")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(bytes_in, encoding="utf-8", errors=errors))
        lines = piped()
        assert next(lines).strip() == "Hi"
        with pytest.raises(RecipeError, match="chat: line 2 of what is piped in is not UTF-8 text; save it as UTF-8"):
            next(lines)


def test_ctrl_c_ends_an_answer_and_not_the_chat(finished_run):
    """At a real terminal: a long answer is wrapped; Ctrl-C in it and at the prompt leave the chat running, and so does
    a line in another encoding."""
    master, slave = pty.openpty()
    env = os.environ | {"TERM": "xterm", "COLUMNS": "60", "LINES": "40", "PYTHONIOENCODING": "utf-8:strict"}
    words = [*MAIN, str(finished_run), "generate.max_new_tokens=300"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits that it is ignored, as behind `nohup`
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True, close_fds=True
    )
    os.close(slave)
    shown = ""

    def until(text, seconds=90):
        nonlocal shown
        end = time.monotonic() + seconds
        while text not in shown:
            assert time.monotonic() < end, shown[-2000:]
            if select.select([master], [], [], 0.2)[0]:
                shown += os.read(master, 65536).decode(errors="replace")
        shown = shown.partition(text)[2]

    try:
        until("> ")
        os.write(master, b"/after\n")  # whose answers go on to the token limit
        until("> ")
        os.write(master, b"Tell me everything that you know.\n")
        until("know.")
        until("after")  # the answer is under way
        until("\x1b[1A")  # and goes on in a second line, redrawn from the first
        os.kill(process.pid, signal.SIGINT)
        until("(stopped)")
        until("> ")
        time.sleep(1)  # a Ctrl-C between the prompt and the wait for a key is only seen with the next key
        os.kill(process.pid, signal.SIGINT)
        until("/quit or Ctrl-D ends the chat")
        until("> ")
        os.write(master, b"\xff\xfe Hi\n")  # of a terminal in another encoding
        until("not UTF-8 text")
        until("> ")
        os.write(master, b"/quit\n")
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    os.read(master, 65536)
                except OSError:
                    break
        assert process.wait(10) == 0
    finally:
        process.kill()
        os.close(master)


def test_bad_input_gets_its_sentence(finished_run, tmp_path):
    def refused(folder, *overrides):
        with pytest.raises(RecipeError) as told:
            reopened(folder, "chat", overrides)
        return str(told.value)

    assert "nowhere is not there; give the folder of a run" in refused(tmp_path / "nowhere")
    assert "has no manifest.json; give the folder of a run" in refused(tmp_path)
    gone = refused(finished_run, "model.name=./gone/base")
    assert "there is no folder" in gone and gone.endswith("add model.name=PLACE to this command")
    (tmp_path / "blank").write_text("\n \n")
    with pytest.raises(RecipeError, match="--ask: .*blank holds no question; give a text file"):  # it ended in silence
        CliRunner().invoke(
            cli, ["chat", str(finished_run), "--ask", str(tmp_path / "blank")], catch_exceptions=False,
            standalone_mode=False,
        )
    with pytest.raises(RecipeError, match="--ask: .*nofile cannot be read .*; give a text file"):
        CliRunner().invoke(
            cli, ["chat", str(finished_run), "--ask", str(tmp_path / "nofile")], catch_exceptions=False,
            standalone_mode=False,
        )  # fmt: skip


@pytest.mark.parametrize(("command", "keys"), [
    ("chat", ["report.mask=true", "augment.verify_rounds=2"]), ("export", ["augment.verify_rounds=2", "seed=7"]),
])  # fmt: skip
def test_a_key_that_changes_nothing_any_more_is_refused(finished_run, tmp_path, command, keys):
    """It was taken without a word, as if another rate of a finished run could change what it says; the model card of an
    export then told of that rate."""
    options = ["--to", str(tmp_path / "out"), "--no-check"] if command == "export" else []
    for key in keys:
        with pytest.raises(RecipeError, match=rf"{command}: {key} changes nothing now; .*generate"):
            CliRunner().invoke(
                cli, [command, str(finished_run), *options, "generate.max_new_tokens=9", key], catch_exceptions=False,
                standalone_mode=False,
            )  # fmt: skip


def test_a_run_that_has_not_unlearned_yet_is_told_how_far_it_is(tmp_path):
    from relearn_lite.pipeline import pipeline

    recipe = load_recipe(ROOT / "recipes/quickstart.yaml", ["data.forget.limit=2", "data.retain.limit=2"])
    folder = pipeline.run(recipe, runs=tmp_path, until="augment", quiet=True)
    with pytest.raises(RecipeError, match=r"not finished, nothing is unlearned yet \(done so far: ask, augment\)"):
        reopened(folder, "chat")
