"""Keys that people know from other tools, or from older versions of this one, and what to write here."""

from __future__ import annotations

_TORCHRUN = (
    "no longer a key: several GPUs train together when the run is started by `torchrun --nproc-per-node N main.py "
    "RECIPE.yaml` (Lightning reads torchrun's environment); remove it"
)
REMOVED = {"devices": _TORCHRUN, "num_nodes": _TORCHRUN, "strategy": _TORCHRUN}

# Their key -> ours. One of `unlearn` is given as the same key of `finetune`, where it was looked for there.
OTHER_NAMES = {
    "base_model": "model.name",
    "model_name_or_path": "model.name",
    "pretrained_model_name_or_path": "model.name",
    "load_in_4bit": "model.quantization: 4bit",
    "load_in_8bit": "model.quantization: 8bit",
    "cutoff_len": "model.max_length",
    "max_seq_len": "model.max_length",
    "max_seq_length": "model.max_length",
    "model_max_length": "model.max_length",
    "loss_type": "unlearn.method",
    "num_epochs": "unlearn.epochs",
    "num_train_epochs": "unlearn.epochs",
    "learning_rate": "unlearn.lr",
    "micro_batch_size": "unlearn.batch_size",
    "per_device_train_batch_size": "unlearn.batch_size",
    "accumulate_grad_batches": "unlearn.accumulate",
    "gradient_accumulation_steps": "unlearn.accumulate",
    "gradient_clip_val": "unlearn.gradient_clip",
    "max_grad_norm": "unlearn.gradient_clip",
    "warmup_ratio": "unlearn.warmup_epochs (in epochs: a ratio of 0.1 is a tenth of them)",
    "save_steps": "unlearn.checkpoint_every",
    "eval_steps": "unlearn.evaluate_every",
    "lora_r": "unlearn.lora.r",
    "lora_rank": "unlearn.lora.r",
    "lora_alpha": "unlearn.lora.alpha",
    "lora_dropout": "unlearn.lora.dropout",
    "lora_target_modules": "unlearn.lora.targets",
    "target_modules": "unlearn.lora.targets",
    "per_device_eval_batch_size": "generate.batch_size",
    "do_sample": "generate.sampling",
    "bf16": "trainer.precision: bf16-mixed",
    "fp16": "trainer.precision: 16-mixed",
    "report_to": "trainer.logger",
    "output_dir": "name",
    "run_name": "name",
}
