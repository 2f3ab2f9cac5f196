"""MiniLM in ONNX Runtime with int8 matrices, made by hand: no package of the peer's does it here.

Needs `pip install onnx onnxruntime`. Exported by torch, quantised dynamically with a scale for
each channel, as ONNX Runtime's own guide for transformers says.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class Hidden(nn.Module):
    """The transformer alone, with positional arguments."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        return self.transformer(input_ids=ids, attention_mask=mask, token_type_ids=types)[0]


class OnnxInt8:
    """Encodes as the peer does: texts by length, 32 at a time, padded, mean and length 1."""

    def __init__(self, folder: str, scratch: Path) -> None:
        self.model = SentenceTransformer(
            folder, device="cpu", model_kwargs={"attn_implementation": "eager"}
        )
        example = self.model.tokenizer(["two texts", "of words"], return_tensors="pt")
        wide, narrow = scratch / "wide.onnx", scratch / "int8.onnx"
        torch.onnx.export(
            Hidden(self.model[0].auto_model).eval(),
            tuple(example[name] for name in NAMES),
            str(wide),
            input_names=NAMES,
            output_names=["hidden"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in [*NAMES, "hidden"]},
            dynamo=False,
        )
        quantize_dynamic(wide, narrow, per_channel=True, weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(narrow, options)

    def encode(self, texts: list[str], batch: int = 32) -> NDArray[np.float32]:
        found = np.empty((len(texts), 384), dtype=np.float32)
        order = np.argsort([-len(text) for text in texts], kind="stable")
        for start in range(0, len(texts), batch):
            rows = order[start : start + batch]
            tokens = self.model.tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True,
                max_length=self.model.max_seq_length, return_tensors="np",
            )  # fmt: skip
            (hidden,) = self.session.run(None, {name: tokens[name] for name in NAMES})
            mask = tokens["attention_mask"][:, :, None]
            mean = (hidden * mask).sum(1) / mask.sum(1)
            found[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return found
