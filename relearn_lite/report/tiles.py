"""The answer at a glance: did it forget, is the rest kept, does it speak, is general ability kept; a tile each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relearn_lite.report.run_results import RunResults
from relearn_lite.report.texts import texts
from relearn_lite.report.verdict import (
    BROKEN,
    FLUENT,
    FORGOTTEN,
    KEPT,
    PARTLY_BROKEN,
    PARTLY_FORGOTTEN,
    PARTLY_KEPT,
    POORER,
    UNKNOWN_BEFORE,
    general_fluency,
    general_share,
    known,
    least_forgotten,
    percent,
    right_general,
    share_of,
    stricter,
    third_model,
    too_few_general,
)  # fmt: skip

TONES = ("bad", "warn", "good")


@dataclass(frozen=True)
class Tile:
    """One answer. number: what it rests on; word: the verdict; tone: its colour, empty where nothing could be judged;
    told: what the number is a share of, and what else must stand beside it."""

    name: str
    number: str
    word: str
    tone: str
    told: str


def tiles(results: RunResults) -> list[Tile]:
    """Three tiles, or four where general questions were asked, by the bounds of `verdict`; none of one model alone."""
    before, after = (results.metrics.get(model) or {} for model in ("vanilla", "unlearned"))
    if not after:
        return []
    asked = results.answered()
    shown = [
        _forgot(before, after, asked.get("forget"), results.attacks),
        _share("kept", known(after, "krr"), share_of(known(after, "krr"), known(before, "krr")),
               _of(_judged(asked.get("retain"), after, "krr"), "retain answers", known(before, "krr"))),
        _speaks(before, after, third_model(results.metrics)),
    ]  # fmt: skip
    if known(after, "kept_general") is not None or general_fluency(before, after) is not None:
        shown.append(_general(before, after, asked.get("control")))
    return shown


def _general(before: Mapping[str, Any], after: Mapping[str, Any], asked: int | None) -> Tile:
    """The share that is still answered, or, where vanilla answered too few to tell, the fluency of all general answers;
    the worse of fluency and of right answers as a share of vanilla's decides."""
    kept, fluency = known(after, "kept_general"), general_fluency(before, after)
    of_fluency = None if fluency is None else _grade(fluency, POORER, FLUENT)
    which = f"the {asked} general questions" if asked != 1 else "the general question"
    if kept is None or (too_few_general(asked) and fluency is not None):
        few = "" if kept is None else f"; {round(kept * asked)} of {asked} that it answered are still answered"
        return _tile("general", fluency, of_fluency, f"of the fluency of its general answers before{few}")
    grade = None if too_few_general(asked) else _grade(general_share(before, after), PARTLY_KEPT, KEPT)
    right = right_general(before, after)
    in_all = f"; of all {percent(right[1])}, {percent(right[0])} before" if right else ""
    told = f"of {which} that it answered before{in_all}"
    if fluency is None or grade is None:
        return _tile("general", kept, grade, told)
    return _tile("general", kept, min(grade, of_fluency), f"{told}; fluency {percent(fluency)} of before")


def _tile(name: str, value: float | None, grade: int | None, told: str) -> Tile:
    """grade: 0 bad, 1 in part, 2 good; None where there is nothing to judge by."""
    words = texts("tiles")[name]
    number = "—" if value is None else percent(value).replace("over ", "> ").replace("under ", "< ")
    if value is None or grade is None:
        return Tile(words["name"], number, texts("tiles")["unknown"], "warn", told)
    return Tile(words["name"], number, words["grades"][grade], TONES[grade], told)


def _forgot(
    before: Mapping[str, Any], after: Mapping[str, Any], asked: int | None, attacks: Mapping[str, Any] | None
) -> Tile:
    """Nothing is claimed where vanilla did not know most of it. Attacks are told, they do not change the grade."""
    after, was = stricter(after), least_forgotten(before)
    value = known(after, "kfr")
    unknown = value is None or (was or 0.0) >= UNKNOWN_BEFORE
    told = _of(_judged(asked, after, "kfr"), "forget answers tell nothing", was)
    attacked = least_forgotten(attacks["any"]) if attacks and attacks["attacks"] else None
    if attacked is not None:
        told += f"; {percent(attacked)} under the worst attack"
    return _tile("forgot", value, None if unknown else _grade(value, PARTLY_FORGOTTEN, FORGOTTEN), told)


def _share(name: str, value: float | None, share: float | None, told: str) -> Tile:
    return _tile(name, value, None if share is None else _grade(share, PARTLY_KEPT, KEPT), told)


def _speaks(before: Mapping[str, Any], after: Mapping[str, Any], third: str | None) -> Tile:
    """The share of whole answers, where it was looked at, else LS as a share of vanilla's; graded as `verdict` does."""
    broken, was = known(after, "broken_forget"), known(before, "broken_forget") or 0.0
    score = share_of(known(after, "ls_forget"), known(before, "ls_forget")) if known(before, "ls_forget") else None
    fluency = None if score is None else f"fluency {percent(score)} of before"
    if broken is None:
        grade = None if score is None or score < FLUENT and not third else _grade(score, POORER, FLUENT)
        return _tile("speaks", score, grade, "of the linguistic score before")
    if broken - was >= PARTLY_BROKEN:
        grade = 0 if broken - was >= BROKEN else 1
    else:
        grade = _grade(score, POORER, FLUENT) if third and score is not None else 2
    told = ["of the forget answers are whole sentences", *[fluency] * (fluency is not None)]
    return _tile("speaks", 1 - broken, grade, "; ".join(told))


def _grade(value: float, partly: float, full: float) -> int:
    return (value >= partly) + (value >= full)


def _judged(asked: int | None, model: Mapping[str, Any], key: str) -> int | None:
    """How many answers a number is taken over: what is missing is left out of it."""
    return None if asked is None else asked - (model.get("missing") or {}).get(key, 0)


def _of(asked: int | None, what: str, before: float | None = None) -> str:
    if asked == 1:
        what = what.replace("answers", "answer").replace("tell ", "tells ")
    return f"of {f'{asked} ' if asked else ''}{what}" + ("" if before is None else f"; {percent(before)} before")
