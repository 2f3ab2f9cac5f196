"""A sequence-to-sequence model small enough to be made in a test: what it writes is noise."""

from pathlib import Path

import torch

from conftest import make_tokenizer


def make_t5(folder: Path, *, seed: int = 0, is_encoder_alone: bool = False) -> Path:
    """A T5 of one layer over the words of the tests, in a folder as transformers writes it."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.T5Config(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=16,
        d_kv=4,
        d_ff=32,
        num_layers=1,
        num_decoder_layers=1,
        num_heads=4,
        pad_token_id=0,
        eos_token_id=3,
        decoder_start_token_id=0,
    )
    kind = (
        transformers.T5EncoderModel if is_encoder_alone else transformers.T5ForConditionalGeneration
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    special = {"pad_token": "[PAD]", "eos_token": "[SEP]", "unk_token": "[UNK]"}
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="[CLS]", **special
    )
    fast.save_pretrained(folder)
    return folder
