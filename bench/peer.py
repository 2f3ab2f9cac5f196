"""The incumbent, sentence-transformers, on the same data, weights and batch as Likewise."""

import time
from collections.abc import Callable
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import (
    CrossEncoder,
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from torch import nn
from transformers import TrainerCallback
from transformers.utils import logging

logging.disable_progress_bar()


class Clock(TrainerCallback):
    """Seconds of the steps alone, set-up left out."""

    def on_train_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_train_end(self, *_, **__):
        self.seconds = time.perf_counter() - self.began


def settings(
    batch: int, *, bf16: bool = False, device: str = "cpu", **arguments: Any
) -> dict[str, Any]:
    """One epoch with nothing kept and nothing reported, for any of the peer's trainers."""
    return {
        "output_dir": "/tmp/likewise-bench-peer",
        "num_train_epochs": 1,
        "per_device_train_batch_size": batch,
        "learning_rate": 2e-5,
        "bf16": bf16,
        "use_cpu": device == "cpu",
        "dataloader_pin_memory": device == "cuda",
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "seed": 1,
    } | arguments


def train_seconds(
    model: SentenceTransformer, loss: nn.Module, columns: dict[str, list], **chosen: Any
) -> float:
    """Seconds of the steps of one epoch, the model trained in place; `chosen` as in `settings`."""
    clock = Clock()
    SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(**settings(**chosen)),
        train_dataset=Dataset.from_dict(columns),
        loss=loss,
        callbacks=[clock],
    ).train()
    return clock.seconds


def train(
    folder: str,
    columns: dict[str, list],
    make_loss: Callable[[SentenceTransformer], nn.Module],
    *,
    max_tokens: int | None = None,
    **chosen: Any,
) -> tuple[SentenceTransformer, float]:
    """One epoch of any loss, from fresh weights: the model, and the seconds of its steps."""
    model = SentenceTransformer(folder, device="cpu")
    model.max_seq_length = max_tokens or model.max_seq_length
    return model, train_seconds(model, make_loss(model), columns, **chosen)


def cross_train_seconds(folder: str, columns: dict[str, list], *, batch: int, bf16: bool) -> float:
    """One epoch of a cross-encoder on labels from 0 to 1, with the peer's defaults."""
    model, clock = CrossEncoder(folder, device="cpu"), Clock()
    CrossEncoderTrainer(
        model=model,
        args=CrossEncoderTrainingArguments(**settings(batch, bf16=bf16)),
        train_dataset=Dataset.from_dict(columns),
        loss=BinaryCrossEntropyLoss(model),
        callbacks=[clock],
    ).train()
    return clock.seconds


def encode_seconds(model: SentenceTransformer, texts: list[str]) -> float:
    """Encoding with the peer's defaults."""
    began = time.perf_counter()
    model.encode(texts)
    return time.perf_counter() - began


def load(folder: str, *, bf16: bool = False) -> SentenceTransformer:
    """The peer's model on the CPU."""
    kwargs = {"torch_dtype": torch.bfloat16} if bf16 else {}
    return SentenceTransformer(folder, device="cpu", model_kwargs=kwargs)
