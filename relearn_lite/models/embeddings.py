"""Embeddings of entities: hashed character n-grams (embedded), or a sentence-transformers model by name."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.text.words import words

DIMENSIONS = 1024
NGRAMS = (2, 3, 4)


class Embeddings(Protocol):
    """Turns short texts into vectors whose dot product is their similarity."""

    name: str
    embedded: bool

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d), each row of length 1, or all zero for a text without any letter or digit."""


class HashedEmbeddings:
    """Character 2- to 4-grams of each word, hashed with a sign into 1024 dimensions (the hashing trick).

    Spelling stands for meaning: `engineer` and `engineers` are near, `lawyer` and `attorney` are not. A word with a
    digit is hashed whole, since 1957 is not nearly 1958.
    """

    name = f"hashed character n-grams ({DIMENSIONS} dimensions)"
    embedded = True

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for gram in _grams(text):
                code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
                vectors[row, code % DIMENSIONS] += 1.0 if code & 0x80000000 else -1.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0, 1.0, lengths)


def _grams(text: str) -> list[str]:
    grams = []
    for word in words(text.casefold()):
        if any(char.isdigit() for char in word):
            grams.append(word)
            continue
        framed = f"<{word}>"  # marks where a word starts and ends, so that short words have grams too
        grams += [framed[i : i + n] for n in NGRAMS for i in range(len(framed) - n + 1)]
    return grams


class SentenceTransformerEmbeddings:
    """A sentence-transformers model: a hub id such as sentence-transformers/all-MiniLM-L12-v2, or a folder.

    It sorts texts by length itself. What was embedded is kept: the original answers come back for every model.
    """

    embedded = False

    def __init__(self, name: str, device: str | None = None, batch_size: int = 64):
        self.name = name
        self.batch_size = batch_size
        self._known: dict[str, np.ndarray] = {}
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise RecipeError(
                f"evaluate.evaluators.embeddings: '{name}' needs the package sentence-transformers, which is not "
                "installed: pip install sentence-transformers, or use 'embedded'."
            ) from error
        try:
            self.model = SentenceTransformer(name, device=device)
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"evaluate.evaluators.embeddings: '{name}' could not be loaded ({first_line(error)}). Allowed: "
                "'embedded', a folder with a sentence-transformers model, or a hub id that this machine can reach."
            ) from error

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, 1), dtype=np.float32)
        if open_texts := [text for text in dict.fromkeys(texts) if text not in self._known]:
            vectors = self.model.encode(
                open_texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
            )
            self._known |= dict(zip(open_texts, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])
