"""The incumbent, sentence-transformers, on the same data, weights and batch as Likewise."""

import time
from collections.abc import Callable

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


def train(
    folder: str,
    columns: dict[str, list],
    make_loss: Callable[[SentenceTransformer], nn.Module],
    *,
    batch: int,
    bf16: bool = False,
    **arguments,
) -> tuple[SentenceTransformer, float]:
    """One epoch of any loss, from fresh weights: the model, and the seconds of its steps."""
    model = SentenceTransformer(folder, device="cpu")
    trainer_arguments = SentenceTransformerTrainingArguments(
        output_dir="/tmp/likewise-bench-peer",
        num_train_epochs=1,
        per_device_train_batch_size=batch,
        bf16=bf16,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        **({"learning_rate": 2e-5, "seed": 1} | arguments),
    )
    clock = Clock()
    SentenceTransformerTrainer(
        model=model,
        args=trainer_arguments,
        train_dataset=Dataset.from_dict(columns),
        loss=make_loss(model),
        callbacks=[clock],
    ).train()
    return model, clock.seconds


def cross_train_seconds(folder: str, columns: dict[str, list], *, batch: int, bf16: bool) -> float:
    """One epoch of a cross-encoder on labels from 0 to 1, with the peer's defaults."""
    model = CrossEncoder(folder, device="cpu")
    arguments = CrossEncoderTrainingArguments(
        output_dir="/tmp/likewise-bench-peer",
        num_train_epochs=1,
        per_device_train_batch_size=batch,
        learning_rate=2e-5,
        bf16=bf16,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        seed=1,
    )
    clock = Clock()
    CrossEncoderTrainer(
        model=model,
        args=arguments,
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
