"""Model selection: what an evaluation in training found, which weights are the best, and when it is time to stop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from relearn_lite.recipe import Watch

RULE = (
    "the harmonic mean of KFR, KRR, LS as a share of vanilla's (at most 1) and the share of general questions that are "
    "still answered, where vanilla answers any"
)


@dataclass(frozen=True)
class EvalResult:
    """How a model did on the check questions after `step` optimizer steps. None: could not be had.

    kfr, krr, kept_general: as in metrics.json; ls: linguistic score of the forget answers; ls_share: of vanilla's on
    the same questions; answers: what it said, one dict a question; krr_share: KRR as a share of vanilla's;
    general_share: general questions answered right as a share of vanilla's, one of five or more may be missing;
    general_ls_share: the linguistic score of the answers to them, likewise; broken: share of the forget answers whose
    text is broken, vanilla's taken off; moved: by how many nats a token the loss of an answer to forget changed, up or
    down, in the mean, where it was asked for; strength: the share of the adapter's update that was used.
    """

    step: int
    kfr: float | None
    krr: float | None
    ls: float | None
    ls_share: float | None
    answers: list[dict[str, str]] = field(default_factory=list)
    kept_general: float | None = None
    leak: float | None = None  # as in metrics.json
    krr_share: float | None = None
    general_share: float | None = None
    broken: float | None = None
    moved: float | None = None
    strength: float = 1.0
    general_ls_share: float | None = None

    @property
    def balance(self) -> float | None:
        """What is chosen by, see `balance`."""
        return balance(self.kfr, self.krr, self.ls_share, self.kept_general)


def balance(
    kfr: float | None, krr: float | None, ls_share: float | None, kept_general: float | None = None
) -> float | None:
    """Harmonic mean of KFR, KRR and the share of vanilla's LS, 0 to 1; None where one of them is.

    With general questions that the vanilla model answers, the share that is still answered is one more of them.
    One that is 0 makes it 0: forgetting everything at the price of the language is worth nothing. A share above 1
    counts as 1, or richer wording would pay for what was not forgotten.
    """
    parts = (kfr, krr, ls_share)
    if any(part is None for part in parts):
        return None
    parts = (kfr, krr, min(ls_share, 1.0), *([] if kept_general is None else [kept_general]))
    return len(parts) / sum(1 / part for part in parts) if all(part > 0 for part in parts) else 0.0


def best(results: Iterable[EvalResult]) -> EvalResult | None:
    """The result with the highest balance, the first of equals; None where no balance could be had."""
    known = [result for result in results if result.balance is not None]
    return max(known, key=lambda result: (result.balance, -result.step), default=None)


def why_stop(result: EvalResult, bounds: Watch) -> str | None:
    """Which bound a result has passed, in words; None where none."""
    if bounds.lowest_krr is not None and result.krr is not None and result.krr < bounds.lowest_krr:
        return (
            f"retention fell below unlearn.watch.lowest_krr: krr {result.krr:.2f} at step {result.step}, "
            f"bound {bounds.lowest_krr:g}"
        )
    if bounds.lowest_ls is not None and result.ls_share is not None and result.ls_share < bounds.lowest_ls:
        return (
            f"it babbles: LS fell to {result.ls_share:.3f} of vanilla's at step {result.step}, bound "
            f"{bounds.lowest_ls:g} (unlearn.watch.lowest_ls)"
        )
    return None


def describe(result: EvalResult) -> str:
    """A check's numbers, by which its weights are chosen."""

    def shown(value: float | None) -> str:
        return "not had" if value is None else f"{value:.2f}"

    general = "" if result.kept_general is None else f"general {shown(result.kept_general)}, "
    return (
        f"kfr {shown(result.kfr)}, leak {shown(result.leak)}, krr {shown(result.krr)}, LS {shown(result.ls_share)} of "
        f"vanilla's, {general}balance {shown(result.balance)}"
    )


def spread(count: int, rows: Sequence) -> list:
    """`count` rows spread evenly, first and last included; all where there are no more."""
    if len(rows) <= count:
        return list(rows)
    if count == 1:
        return [rows[0]]
    return [rows[round(n * (len(rows) - 1) / (count - 1))] for n in range(count)]
