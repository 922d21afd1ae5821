"""Finds learning rate and length of training by asking the model in training (`lr: auto`, `epochs: auto`).

The learning rates are tried from the same start as far as the first check, the lowest first, until one forgets enough;
the best goes on from where its trial paused.
All that decides lies in the run folder: the checks of each rate and its checkpoints. So a run that was killed asks
nothing twice and ends with the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from relearn_lite.core import distributed
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_partial, write_json
from relearn_lite.data.batches import TrainingRows, steps_per_epoch
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Unlearn
from relearn_lite.unlearn import goal
from relearn_lite.unlearn.diagnostics import SEARCH, part_of
from relearn_lite.unlearn.eval_callback import EvalCallback, put_back
from relearn_lite.unlearn.selection import EvalResult
from relearn_lite.unlearn.strength import weaken
from relearn_lite.unlearn.train import Diverged, TrainingRun, newest_step, train

NO_NUMBER = "the weights were no numbers any more"
REACHED = f"forgotten, and the rest holds, at {goal.IN_A_ROW} checks in a row"
SOON_ENOUGH = 0.5  # at the first check: who has forgotten half by then gets there within the budget
LEAST_EFFECT = 0.1  # nats a token over the whole training: below it no answer can have become another


class SearchCallback(EvalCallback):
    """Checks that end training where it has forgotten, and keep the best point by what `goal` says.

    After a check that found all goals met, and at the end of the budget, a constant learning rate falls linearly to 0
    within the steps between two checks, for the weights are noisy at the full rate (as in Hägele et al., "Scaling Laws
    and Compute-Optimal Training Beyond Fixed Training Durations", 2024). If the next check does not find the goals met,
    training goes on at the full rate. until: the last step with this learning rate; None: this is its trial.
    """

    until: int | None = None

    def on_fit_start(self, trainer: Any, module: Any) -> None:
        super().on_fit_start(trainer, module)
        module.cooling = self._cooling

    def _cooling(self, step: int) -> float:
        """What the constant rate is multiplied by after so many steps."""
        every = self._settings.evaluate_every
        since, left = step % every, 1.0 if self.until is None else (self.until - step) / every
        found = self._results.get(step - since)
        met = found is not None and not goal.in_the_way(found, self._settings.watch)
        return max(0.0, min(1.0, left, 1 - since / every if met else 1.0))

    def _best_of(self, results: Iterable[EvalResult]) -> EvalResult | None:
        return goal.best(results, self._settings.watch)

    def _describe(self, result: EvalResult) -> str:
        return goal.describe(result, self._settings.watch)

    def _why_stop(self, result: EvalResult) -> str | None:
        so_far = [self._results[step] for step in sorted(self._results) if step <= result.step]
        if self._settings.epochs == "auto" and goal.reached(so_far, self._settings.watch):
            return REACHED
        return super()._why_stop(result)

    def bound(self, result: EvalResult) -> str | None:
        """As ever, but at the first check retention may have fallen, if not all of it: new answers reach other
        questions of the same form, too, until the retain rows tell them apart."""
        forgiven = result.krr and result.step <= self._settings.evaluate_every
        return super().bound(replace(result, krr=None) if forgiven else result)

    @property
    def ended(self) -> str | None:
        """Why training ended before its last step, by what this or an earlier try found; None where it did not."""
        found = (self._why_stop(self._results[step]) for step in sorted(self._results))
        return self.stopped or next((why for why in found if why), None)

    def on_fit_end(self, trainer: Any, module: Any) -> None:
        """Leaves the weights as they are: the best point may be one of another learning rate."""


class Search:
    """Trainings of one adapter with several learning rates.

    loaded: with the fresh adapter; training: where it is kept; ask: has the model, as it is now, answer the check
    questions; `moved` is among what it finds.
    """

    def __init__(
        self, loaded: Loaded, rows: TrainingRows, settings: Unlearn, training: TrainingRun,
        ask: Callable[[], EvalResult], tell: Callable[[str], None],
    ):  # fmt: skip
        self._loaded, self._rows, self._training, self._ask, self._tell = loaded, rows, training, ask, tell
        epoch = steps_per_epoch(len(rows.forget), settings.batch_size, settings.accumulate)
        self._total = settings.total_steps(epoch)
        self._every = every = settings.evaluation_interval(self._total)
        self._settings = settings.model_copy(update={
            "evaluate_every": every, "checkpoint_every": min(every, settings.checkpoint_every),
            "warmup_epochs": min(settings.warmup_epochs, every / 2 / epoch),  # so that a trial sees the whole rate
        })  # fmt: skip
        trained = {name: p for name, p in loaded.model.named_parameters() if p.requires_grad}
        self._start = {name: p.detach().clone() for name, p in trained.items()}

    def run(self) -> dict[str, Any]:
        """Searches, and leaves the best weights in the model. Returns what stands in logs/<stage>/search.json:

        lr, step, strength: what was kept, see `weaken`; reached: whether it has forgotten and the rest holds; four:
        forgetting, retention, general ability and fluency there, see `goal`; bounds: theirs; in_the_way: which of them
        are below; most_steps, check_every; rates: of each learning rate its steps, why it was given up (or null), and
        the four at its checks; strengths: the four at each strength of the adapter that was asked at the step kept.

        Raises RecipeError where none of the learning rates can work.
        """
        if distributed.world_size() > 1:
            raise RecipeError(goal.ONE_PROCESS)
        rates = self._settings.rates(self._loaded.hidden_size)
        given_up: dict[float, str | None] = {}
        self._train_until_good(sorted(rates), given_up)
        results = {rate: self._results(rate) for rate in given_up}
        reached = {rate: each for rate, each in results.items() if goal.reached(each, self._settings.watch)}
        checked = (reached or results).items()
        tops = {rate: top for rate, each in checked if (top := goal.best(each, self._settings.watch))}
        best = goal.best(tops.values(), self._settings.watch)
        lr = next(rate for rate, top in tops.items() if top is best)
        put_back(self._loaded.model, self._callback(lr).weights(best.step))
        kept, asked = best, [best]
        if self._settings.epochs == "auto":
            log = self._training.logs / "strengths.jsonl"
            kept, asked = weaken(self._loaded.model, best, self._ask, self._settings.watch, log, self._tell)
        found = self._found(lr, kept, asked, results, given_up)
        write_json(self._training.logs / SEARCH, found)
        return found

    def _train_until_good(self, untried: list[float], given_up: dict[float, str | None]) -> None:
        """Trials and what follows them. given_up: filled with each rate that was tried, and why it was given up."""
        trial = min(self._every, self._total)
        spent: dict[float, int] = {}  # not by what a run that was killed has left of a later rate
        went_on = False
        while True:
            while untried and not any(self._soon_enough(rate) for rate in spent if not given_up[rate]):
                if self._settings.epochs == "auto" and sum(spent.values()) + trial >= self._total:
                    break
                rate = untried.pop(0)
                given_up[rate], spent[rate] = self._train(rate, trial), trial
            able = self._order(given_up)
            if not able and not went_on:
                raise RecipeError(self._cannot_work(given_up))
            if not able:
                return
            rate = able[0]
            others = sum(spent.values()) - spent[rate] if self._settings.epochs == "auto" else 0
            until = self._total - others
            if until <= trial:
                return
            self._tell(f"learning rate {rate:g}, to step {until} at most")
            went_on, given_up[rate] = True, self._train(rate, until)
            if given_up[rate] is None:
                return
            spent[rate] = self._steps(rate)

    def _at(self, rate: float) -> TrainingRun:
        return replace(self._training, part=part_of(rate))

    def _callback(self, rate: float) -> SearchCallback:
        at = self._at(rate)
        return SearchCallback(
            self._ask, self._settings, at.logs / "checks.jsonl", at.checkpoints,
            lambda line: self._tell(f"learning rate {rate:g}, {line}"),
        )  # fmt: skip

    def _steps(self, rate: float) -> int:
        """Steps trained with a rate, up to the last that was checked or saved."""
        return max([newest_step(self._at(rate).checkpoints), *(result.step for result in self._results(rate))])

    def _results(self, rate: float) -> list[EvalResult]:
        return sorted(read_partial(self._at(rate).logs / "checks.jsonl", EvalResult), key=lambda result: result.step)

    def _train(self, rate: float, until: int) -> str | None:
        """Trains with a rate as far as step `until`, from the start or where it paused; why it is given up, or None."""
        import torch

        callback, settings = self._callback(rate), self._settings.model_copy(update={"lr": rate})
        callback.until = until if until > self._every else None
        if until < self._steps(rate):  # its trial, of which a run that was killed was past
            return callback.bound(self._results(rate)[0])
        with torch.no_grad():
            for name, parameter in self._loaded.model.named_parameters():
                if name in self._start:
                    parameter.copy_(self._start[name])
        try:
            run = replace(self._at(rate), until=until)
            train(self._loaded, self._rows, settings, run, [callback])
        except Diverged:
            return NO_NUMBER
        return None if callback.ended == REACHED else callback.ended

    def _order(self, given_up: Mapping[float, str | None]) -> list[float]:
        """The rates that can work, by their trials: those that are soon enough, the lowest first, for it harms least;
        then harmless ones, by what they forgot and by all four; then the others, by all four."""

        def merit(rate: float) -> tuple:
            if self._soon_enough(rate):
                return True, -rate
            result = self._results(rate)[0]
            forgot, moved = goal.four(result)["forgetting"] or 0.0, result.moved or 0.0
            harmless = not set(goal.in_the_way(result, self._settings.watch)) - {"forgetting"}
            return False, harmless, forgot if harmless else 0.0, goal.evenness(result), moved

        return sorted((rate for rate, why in given_up.items() if not why and self._able(rate)), key=merit, reverse=True)

    def _able(self, rate: float) -> bool:
        """Whether, at the pace of its trial, an answer can become another within the budget."""
        result = self._results(rate)[0]
        return result.moved is None or result.moved * self._total / result.step >= LEAST_EFFECT

    def _soon_enough(self, rate: float) -> bool:
        """Whether its trial forgot half and left half of general ability and fluency. Retention does not count: it
        falls first and comes back."""
        four = goal.four(self._results(rate)[0])
        four.pop("retention")
        asked = [four.pop("forgetting") or 0.0, *(value for value in four.values() if value is not None)]
        return self._able(rate) and min(asked) >= SOON_ENOUGH

    def _cannot_work(self, given_up: Mapping[float, str | None]) -> str:
        told = [
            f"{rate:g} is too high ({why.split(' (')[0]})" if why else self._too_low(rate)
            for rate, why in given_up.items()
        ]
        usual = self._settings.model_copy(update={"lr": "auto"}).rates(self._loaded.hidden_size)
        return (
            f"{self._training.stage}.lr: none of the learning rates that were tried can work within {self._total} "
            f"steps: {'; '.join(told)}. Try some in between, or auto, which for this model tries "
            f"{', '.join(f'{rate:g}' for rate in usual)}"
        )

    def _too_low(self, rate: float) -> str:
        trial = self._results(rate)[0]
        return (
            f"{rate:g} is too low (after {trial.step} steps the loss of the answers to forget had changed by "
            f"{trial.moved:.1g} nats a token)"
        )

    def _found(
        self, lr: float, kept: EvalResult, strengths: Sequence[EvalResult], results: Mapping[float, list[EvalResult]],
        given_up: Mapping[float, str | None],
    ) -> dict[str, Any]:  # fmt: skip
        watch, at_two_strengths = self._settings.watch, strengths[strengths.index(kept) :][: goal.IN_A_ROW]
        return {
            "lr": lr, "step": kept.step, "strength": kept.strength, "until_forgotten": self._settings.epochs == "auto",
            "reached": any(goal.reached(each, watch) for each in (results[lr], at_two_strengths)),
            "four": goal.four(kept), "bounds": goal.bounds(watch), "in_the_way": goal.in_the_way(kept, watch),
            "most_steps": self._total, "check_every": self._every,
            "rates": [
                {"lr": rate, "steps": self._steps(rate), "given_up": given_up[rate],
                 "checks": [{"step": result.step, **goal.four(result)} for result in each]}
                for rate, each in results.items()
            ],
            "strengths": [{"strength": result.strength, **goal.four(result)} for result in strengths],
        }  # fmt: skip
