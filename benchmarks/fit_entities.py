"""Fits relearn_lite/judges/entity_words.json to the entities that the paper's authors released with their answers, and
says how well the embedded judges agree with their labels on answers that the weights were not fitted to.

    python benchmarks/fit_entities.py FOLDER [--write]

FOLDER holds forget.json and retain.json of {query, ground_truth, generated_response, published}. Needs scikit-learn.
Regularisation was chosen by the log-loss of words and the agreement of coverages in cross-validation, not by labels.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from relearn_lite.core.records import Answer  # noqa: E402
from relearn_lite.judges import entity_words  # noqa: E402
from relearn_lite.judges.nli import LexicalNLI  # noqa: E402
from relearn_lite.metrics.knowledge import measure_forgetting, measure_retention  # noqa: E402
from relearn_lite.models.embeddings import HashedEmbeddings, MiniLM  # noqa: E402

C, FOLDS, SEEDS = 0.2, 10, 5
LABELS = {"forget": "forget_label", "retain": "retention_label"}
MEASURES = {"forget": ("kfr", measure_forgetting), "retain": ("krr", measure_retention)}


def read(folder: Path) -> list[dict]:
    """The rows of both files, each with its `side`."""
    return [
        row | {"side": side} for side in LABELS for row in json.loads((folder / f"{side}.json").read_text("utf-8"))
    ]


def marked_words(row: dict) -> list[tuple[dict[str, float], bool]]:
    """(features, whether the authors' judge named it) of each uncertain word of a row's two texts."""
    marked = []
    for kind, text in (("reference", row["ground_truth"]), ("generated", row["generated_response"])):
        named = {word.casefold().strip(".,") for each in row["published"][f"entities_{kind}"] for word in each.split()}
        for each in entity_words.candidates(row["query"], text):
            if not each.certain:
                marked.append((each.features, bool({each.word.casefold(), each.form} & named)))
    return marked


def fit(rows: list[dict]) -> dict[str, float]:
    """The weight of each feature, without those that are 0 to three digits."""
    features, named = zip(*(word for row in rows for word in marked_words(row)), strict=True)
    vectorizer = DictVectorizer()
    model = LogisticRegression(C=C, max_iter=5000).fit(vectorizer.fit_transform(features), named)
    weights = dict(zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True))
    weights[entity_words.CONSTANT] += model.intercept_[0]
    return {name: round(float(weight), 3) for name, weight in sorted(weights.items()) if abs(weight) >= 0.0005}


class Given:
    """The published entities of each text in place of an extractor: what is left is the other judges' doing."""

    name, embedded = "published", False

    def __init__(self, rows: list[dict]):
        self._known = {(row["query"], row["ground_truth"]): row["published"]["entities_reference"] for row in rows}
        self._known |= {
            (row["query"], row["generated_response"]): row["published"]["entities_generated"] for row in rows
        }

    def extract(self, items):
        return [[entity.casefold() for entity in self._known[item]] for item in items]


def judge(rows: list[dict], entities, embeddings) -> np.ndarray:
    """1 or 0 for each row: forgotten, or retained, by the metrics themselves."""
    judges = SimpleNamespace(entities=entities, embeddings=embeddings, nli=LexicalNLI())
    found = {}
    for side, (key, measure) in MEASURES.items():
        of_side = [row for row in rows if row["side"] == side]
        answers = [
            Answer(str(i), "unlearned", side, row["query"], row["ground_truth"], row["generated_response"])
            for i, row in enumerate(of_side)
        ]
        found |= {id(row): v for row, v in zip(of_side, measure(answers, judges)[key].values, strict=True)}
    return np.array([found[id(row)] for row in rows])


def agreement(rows: list[dict], judged: np.ndarray, side: str) -> tuple[float, float, float, float]:
    """(our rate, published rate, share of equal labels, Cohen's kappa) of one side."""
    ours = np.array([value for row, value in zip(rows, judged, strict=True) if row["side"] == side])
    theirs = np.array([float(row["published"][LABELS[side]]) for row in rows if row["side"] == side])
    equal = (ours == theirs).mean()
    chance = ours.mean() * theirs.mean() + (1 - ours.mean()) * (1 - theirs.mean())
    return ours.mean(), theirs.mean(), equal, (equal - chance) / (1 - chance)


def cross_validated(rows: list[dict], embeddings, seed: int) -> np.ndarray:
    """The judgement of each row by weights that were fitted without it."""
    fold, judged = np.random.default_rng(seed).permutation(len(rows)) % FOLDS, np.zeros(len(rows))
    for k in range(FOLDS):
        weights = fit([row for row, f in zip(rows, fold, strict=True) if f != k])
        held_out = [row for row, f in zip(rows, fold, strict=True) if f == k]
        judged[fold == k] = judge(held_out, entity_words.RuleEntities(weights), embeddings)
    return judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    given = parser.parse_args()
    rows = read(given.folder)
    weights = fit(rows)
    if given.write:
        path = Path(entity_words.__file__).with_suffix(".json")
        path.write_text(json.dumps(weights, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    for embeddings in (HashedEmbeddings(), MiniLM()):
        ways = {
            "held out": [cross_validated(rows, embeddings, seed) for seed in range(SEEDS)],
            "fitted to": [judge(rows, entity_words.RuleEntities(weights), embeddings)],
            "published entities": [judge(rows, Given(rows), embeddings)],
        }
        for way, runs in ways.items():
            for side in LABELS:
                mean = np.mean([agreement(rows, judged, side) for judged in runs], axis=0)
                told = zip(("rate", "published", "equal", "kappa"), mean, strict=True)
                print(f"{embeddings.name} | {way} | {side}:", ", ".join(f"{name} {value:.3f}" for name, value in told))


if __name__ == "__main__":
    main()
