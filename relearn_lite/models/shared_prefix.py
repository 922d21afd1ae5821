"""The common beginning of prompts, computed once: what attention keeps of it (keys and values) stands in every batch.

Of what a writer or a judge is told, the greater part is the same for all tasks of its kind: who it is, worked examples.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from os.path import commonprefix
from typing import TYPE_CHECKING, Any

from relearn_lite.core.memory import tell_once
from relearn_lite.models.kv_cache import empty_cache
from relearn_lite.models.loaded import Loaded, unwrapped

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache

Ids = Sequence[int]
KeysAndValues = list[tuple["Tensor", "Tensor"]]  # a layer each, (1, heads, tokens, size of a head)

FEWEST = 32  # tokens that are worth it
KEPT = 4096  # tokens in memory, of the beginnings last used: an 8B model takes 540 MB for them in half precision
PROBE = 12  # tokens that the model is tried with
UNSHARED = "The common beginning of prompts is computed for each of them:"


def left_padded(loaded: Loaded, prompts: Sequence[Ids]) -> dict[str, Any]:
    """Input of transformers' `generate`, whole. Padding goes to the left: a row's new tokens must follow its last."""
    return _tensors(loaded, [list(prompt) for prompt in prompts], [])


class Prefixes:
    """Beginnings that prompts may have, for a model whose weights and active adapters stay as they are meanwhile.

    Which one stands for a prompt's beginning depends on what was added and on the prompt alone, never on its batch or
    on earlier ones, and each is computed by itself: a resumed run computes the same numbers. One that begins with
    another goes on from it.
    """

    def __init__(self, loaded: Loaded, groups: Iterable[Sequence[Ids]] = ()):
        self._loaded = loaded
        self._known: set[tuple[int, ...]] = set()
        self._kept: OrderedDict[tuple[int, tuple[int, ...]], KeysAndValues] = OrderedDict()
        for prompts in groups:
            self.add(prompts)

    def add(self, prompts: Sequence[Ids]) -> None:
        """The longest beginning that all these prompts have, where it is worth it and there are two of them."""
        beginning = tuple(commonprefix(list(map(tuple, prompts)))) if len(prompts) > 1 else ()
        if len(beginning) >= FEWEST:
            self._known.add(beginning)

    def extended(self, groups: Iterable[Sequence[Ids]]) -> Prefixes:
        """These and more, for some prompts; what is computed is kept in common."""
        more = Prefixes(self._loaded)
        more._known, more._kept = set(self._known), self._kept
        for prompts in groups:
            more.add(prompts)
        return more

    def inputs(self, prompts: Sequence[Ids], new_tokens: int) -> dict[str, Any] | None:
        """Input of transformers' `generate` for a batch, its beginnings in `past_key_values`.

        None where a prompt has none of them, or where this model must read prompts whole. Tails are padded on the left
        too, behind the beginnings: positions and attention skip that padding.
        """
        beginnings = [self._of(prompt) for prompt in prompts]
        if not all(beginnings) or not self._may_share():
            return None
        inputs = self._with_cache(prompts, beginnings, new_tokens)
        if inputs is None:
            tell_once(f"{UNSHARED} they are longer than the window that this model attends to.")
        return inputs

    def _of(self, prompt: Ids) -> tuple[int, ...]:
        """The longest beginning that leaves some of the prompt to be read; () for none."""
        fit = (each for each in self._known if len(each) < len(prompt) and tuple(prompt[: len(each)]) == each)
        return max(fit, key=len, default=())

    def _with_cache(self, prompts: Sequence[Ids], beginnings: Sequence[tuple], new_tokens: int) -> dict | None:
        tails = [list(prompt[len(each) :]) for prompt, each in zip(prompts, beginnings, strict=True)]
        width = max(map(len, beginnings))
        cache = empty_cache(self._loaded)
        if cache is None or not _keeps(cache, width + max(map(len, tails)) + new_tokens):
            return None
        rows = [self._computed(each) for each in beginnings]
        for layer in range(len(cache.layers)):
            keys, values = zip(*(_joined(parts, layer) for parts in rows), strict=True)
            cache.update(_stacked(keys, width), _stacked(values, width), layer)
        return _tensors(self._loaded, tails, list(map(list, beginnings))) | {"past_key_values": cache}

    def _computed(self, beginning: tuple[int, ...]) -> list[KeysAndValues]:
        """What attention keeps of a beginning, in parts: that of the beginning that it goes on from, and the rest."""
        import torch

        shorter = self._of(beginning)
        before, key = self._computed(shorter) if shorter else [], (len(shorter), beginning)
        if key not in self._kept:
            cache = empty_cache(self._loaded)
            for layer in range(len(cache.layers) if before else 0):
                cache.update(*_joined(before, layer), layer)
            ids = torch.tensor([beginning[len(shorter) :]], device=self._loaded.device)
            unwrapped(self._loaded.model).base_model(input_ids=ids, past_key_values=cache, use_cache=True)
            self._kept[key] = [
                tuple(each[:, :, len(shorter) :].clone() for each in (layer.keys, layer.values))
                for layer in cache.layers
            ]
        self._kept.move_to_end(key)
        own = self._kept[key]
        while len(self._kept) > 1 and sum(kept[0][0].shape[-2] for kept in self._kept.values()) > KEPT:
            self._kept.popitem(last=False)
        return [*before, own]

    def _may_share(self) -> bool:
        """Whether this model gives the same logits either way; asked of it once, with a few tokens."""
        loaded = self._loaded
        if loaded.shares_prefixes is None:
            loaded.shares_prefixes = self._gives_the_same()
            if not loaded.shares_prefixes:
                tell_once(f"{UNSHARED} this model cannot go on from what attention kept of it.")
        return loaded.shares_prefixes

    def _gives_the_same(self) -> bool:
        """False also where places in memory are taken for places in the text, padding included (MPT)."""
        import torch

        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        weight = model.get_input_embeddings().weight
        some = [len(weight) // 2 + i for i in range(PROBE)]  # tokens with a meaning of their own stand at the ends
        beginnings, tails = [tuple(some[:8]), tuple(some[2:6])], [some[8:9], some[6:]]
        prompts = [[*each, *tail] for each, tail in zip(beginnings, tails, strict=True)]
        shared = Prefixes(self._loaded)._with_cache(prompts, beginnings, 1)
        if shared is None:
            return False
        one, other = (
            model.generate(
                **inputs, max_new_tokens=1, do_sample=False, return_dict_in_generate=True, output_logits=True,
                pad_token_id=tokenizer.pad_token_id,
            ).logits[0]
            for inputs in (left_padded(self._loaded, prompts), shared)
        )  # fmt: skip
        tolerance = 1e-4 if weight.dtype == torch.float32 else 5e-2  # half precision rounds its own way
        return bool((one - other).abs().max() <= tolerance * one.abs().max())


def _tensors(loaded: Loaded, tails: list[list[int]], beginnings: list[list[int]]) -> dict[str, Any]:
    """input_ids and attention_mask of rows, each of its two parts padded on the left."""
    import torch

    pad, parts = loaded.tokenizer.pad_token_id, [part for part in (beginnings, tails) if part]
    ids: list[list[int]] = [[] for _ in tails]
    mask: list[list[int]] = [[] for _ in tails]
    for part in parts:
        width = max(map(len, part))
        for row, tokens in enumerate(part):
            ids[row] += [pad] * (width - len(tokens)) + tokens
            mask[row] += [0] * (width - len(tokens)) + [1] * len(tokens)
    return {
        "input_ids": torch.tensor(ids, device=loaded.device),
        "attention_mask": torch.tensor(mask, device=loaded.device),
    }


def _keeps(cache: DynamicCache, tokens: int) -> bool:
    """Whether every layer keeps the keys and values of so many tokens, and nothing else."""
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    return all(
        type(layer) is DynamicLayer or type(layer) is DynamicSlidingWindowLayer and layer.sliding_window > tokens
        for layer in cache.layers
    )


def _joined(parts: Sequence[KeysAndValues], layer: int) -> tuple[Tensor, ...]:
    """Keys and values of a layer, of parts that follow each other."""
    import torch

    return tuple(torch.cat(each, dim=-2) for each in zip(*(part[layer] for part in parts), strict=True))


def _stacked(rows: Sequence[Tensor], width: int) -> Tensor:
    """Rows (1, heads, tokens, size) as one tensor, the shorter ones padded on the left."""
    import torch
    from torch.nn.functional import pad

    return torch.cat([pad(row, (0, 0, width - row.shape[-2], 0)) for row in rows])
