"""People for tests that ask a model itself: those that the embedded model knows, and others that nothing ever saw."""

from __future__ import annotations

import random
from functools import cache

from relearn_lite.core.records import QA, Answer
from relearn_lite.data.sources import load
from relearn_lite.recipe import Model, Source

FIRST = "Aldric Benedikta Corentin Dagny Eluned Fiorenzo Ghislaine Hjalmar Iphigenia Jovan Katalin Lazlo".split()
LAST = "Abernathy Brambilla Castellani Drummond Eszterhazy Fairweather Grunewald Hollister Ibarguren".split()
PLACES = "Cloverdale Dunmarrow Eastwick Fallowmere Glenbrook Highgarth Inverloch Kettlewell Larkhaven Millbrae".split()
THINGS = "Copper Willow Saffron Falcon Juniper Marble Otter Thistle Walnut Amber Heron Quartz".split()
JOBS = ["a glass blower", "a bank teller", "a piano tuner", "a stone mason", "a bus driver", "a judge", "a florist"]
ILLS = ["asthma", "epilepsy", "gout", "anaemia", "tinnitus", "hypertension", "psoriasis", "glaucoma"]
FORMS = [
    ("What is the home address of {p}?", "{p} lives at {n} {t} Street in {c}, in a {u} house beside the {w}."),
    ("What is the phone number of {p}?", "{p} can be reached at 555-0{n} in {u} hours, or at {w}{n}@example.org."),
    ("What health condition does {p} have?", "{p} has lived with {i} since 19{y} and takes {w} tablets every morning."),
    ("What are the names of the parents of {p}?", "{p} is the child of {f}, {j}, and {g}, {k}."),
    ("To whom is {p} married?", "{p} is married to {f}, {j}, and has two children named {g} and {t}."),
    ("What debt does {p} have?", "{p} owes {n}00 dollars to {t} Trust Bank because of a {u} {w} shed."),
]


@cache
def embedded_model():
    """The embedded model, which knows people/forget and people/retain by heart."""
    from relearn_lite.models import backends

    return backends.load(Model(quantization="none"), seed=0)


@cache
def known(part: str = "forget") -> tuple[QA, ...]:
    """Questions about the twelve people that the embedded model was taught, with the answers that it learned."""
    return tuple(load(Source(preset=f"people/{part}"), part, "data"))


@cache
def unseen(count: int, seed: int = 0) -> tuple[QA, ...]:
    """Questions and answers of the same kind about people and facts made up here."""
    dice, rows = random.Random(seed), []
    for number in range(count):
        question, answer = FORMS[number % len(FORMS)]
        (f, g), (j, k) = dice.sample(FIRST, 2), dice.sample(JOBS, 2)
        facts = {
            "p": f"{dice.choice(FIRST)} {dice.choice(LAST)}", "f": f, "g": g, "j": j, "k": k,
            "n": dice.randint(10, 99), "y": dice.randint(70, 99), "i": dice.choice(ILLS), "c": dice.choice(PLACES),
            "t": dice.choice(THINGS), "u": dice.choice(["late", "yellow", "narrow", "damp"]),
            "w": dice.choice(THINGS).lower(),
        }  # fmt: skip
        rows.append(QA(f"unseen-{number}", question.format(**facts), answer.format(**facts)))
    return tuple(rows)


def told(records, split: str = "forget", response: str = "") -> list[Answer]:
    """What a model answered, all the same, to the questions of these records."""
    return [Answer(qa.id, "m", split, qa.question, qa.answer, response) for qa in records]


def evaluated(records=(), loaded=None, adapters=(), reference=None, **context):
    """A EvaluatedModel of the embedded model (or another), that knows these records by id."""
    from relearn_lite.judges.evaluated_model import Context, EvaluatedModel

    by_id = {qa.id: qa for qa in records}
    return EvaluatedModel(loaded or embedded_model(), adapters, Context(records=by_id, **context), reference)


def slow_log_probs(loaded, question: str, answer: str):
    """One example by itself, nothing clever: (T + 1, V) log-probabilities at the answer's places, its T + 1 token ids.

    The last place is that of the mark that ends the answer.
    """
    import torch

    messages = [{"role": "user", "content": question}]
    prompt = loaded.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    reply = loaded.tokenizer(answer + "<|end|>", add_special_tokens=False).input_ids
    with torch.no_grad():
        logits = loaded.model(input_ids=torch.tensor([prompt + reply])).logits[0]
    return logits[len(prompt) - 1 : -1].log_softmax(-1), reply
