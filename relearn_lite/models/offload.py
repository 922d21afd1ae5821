"""Input embeddings in main memory: of a large model's vocabulary only the rows that a text needs go to the card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import free_memory

if TYPE_CHECKING:
    from relearn_lite.recipe import Model


class EmbeddingsInMainMemory(torch.nn.Module):
    """Looks rows up where the table lies: token ids (B, T) on any device, embeddings (B, T, hidden) on the same.

    The table is no submodule: Lightning moves a model as a whole to the card, and this must stay behind.
    """

    def __init__(self, table: torch.nn.Module):
        super().__init__()
        from accelerate.hooks import remove_hook_from_module

        remove_hook_from_module(table)  # one that device_map put there would move the ids to the card
        self._table = (table.to("cpu").requires_grad_(False),)

    @property
    def weight(self) -> torch.Tensor:
        return self._table[0].weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self._table[0](ids.to("cpu")).to(ids.device)


def offload_embeddings(model: Any, settings: Model) -> None:
    """Leaves the model's input embeddings in main memory. Raises RecipeError where the output layer shares them."""
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    if head is not None and head.weight is table.weight:
        raise RecipeError(
            f"model.offload_embeddings: {settings.name} has one table for its input embeddings and its output layer, "
            "which must stay on the card, so nothing would be saved; set it to false"
        )
    model.set_input_embeddings(EmbeddingsInMainMemory(table))
    free_memory()
