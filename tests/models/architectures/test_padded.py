import pytest
import torch
import transformers
from torch import nn

from likewise.errors import InputError
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.models.architectures.padded import PADDED, padded_classifier_names, rectangle
from likewise.text.packed import Packed, pack
from models.architectures.families import SIZES, VOCABULARY, draw_texts, make_theirs

OTHERS = {
    "albert": {**SIZES, "embedding_size": 16, "pad_token_id": 0},
    "deberta-v2": {**SIZES, "pad_token_id": 0, "relative_attention": True},
    "qwen3": {**SIZES, "num_key_value_heads": 3, "head_dim": 8},
}
T5_SIZES = {"d_model": 24, "d_ff": 40, "d_kv": 8, "num_layers": 2, "num_heads": 3}


@pytest.mark.parametrize("model_type", OTHERS)
def test_other_families_equal_transformers_too(model_type: str):
    config, theirs = make_theirs(model_type, OTHERS[model_type])
    ours = load(config, theirs)
    packed = pack(draw_texts((6, 1, 11)))
    is_token = torch.arange(11)[None, :] < packed.lengths[:, None]
    ids = torch.full(is_token.shape, config["pad_token_id"] or 0)
    ids[is_token] = packed.ids
    found = theirs(input_ids=ids, attention_mask=is_token.long()).last_hidden_state[is_token]
    torch.testing.assert_close(ours(packed), found, atol=1e-5, rtol=0)


def test_types_of_tokens_reach_a_family_that_has_them():
    config, theirs = make_theirs("electra", {**SIZES, "embedding_size": 16, "pad_token_id": 0})
    ours = load(config, theirs)
    ids = torch.from_numpy(draw_texts((7,))[0])
    types = torch.tensor([0, 0, 0, 0, 1, 1, 1])
    packed = Packed(ids=ids, starts=torch.tensor([0, 7]), segments=types)
    found = theirs(input_ids=ids[None], token_type_ids=types[None]).last_hidden_state[0]
    torch.testing.assert_close(ours(packed), found, atol=1e-5, rtol=0)
    assert not torch.allclose(ours(pack([ids.numpy()])), found, atol=1e-3)


@pytest.mark.parametrize("takes_types", [True, False])
def test_the_rectangle_is_padded_on_the_right(takes_types: bool):
    class Typed(nn.Module):
        def forward(self, input_ids, attention_mask, token_type_ids): ...

    class Untyped(nn.Module):
        def forward(self, input_ids, attention_mask): ...

    packed = Packed(
        ids=torch.tensor([5, 6, 7, 8]),
        starts=torch.tensor([0, 1, 4]),
        segments=torch.tensor([1, 0, 1, 1]),
    )
    inputs, is_token = rectangle(packed, Typed() if takes_types else Untyped(), 9)
    assert inputs["input_ids"].tolist() == [[5, 9, 9], [6, 7, 8]]
    assert inputs["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert is_token.sum() == 4
    assert ("token_type_ids" in inputs) == takes_types
    if takes_types:
        assert inputs["token_type_ids"].tolist() == [[1, 0, 0], [0, 1, 1]]


def test_a_head_has_names_for_all_its_weights():
    config = {**SIZES, "model_type": "electra", "embedding_size": 16, "num_labels": 3}
    names = padded_classifier_names(config)
    assert ("classifier.out_proj.weight",) in names.values()
    assert len(names) > len(PADDED.names(config))


def test_of_a_model_with_a_decoder_the_encoder_is_taken():
    config = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES)
    theirs = transformers.T5EncoderModel(config).eval()
    ours = load(config.to_dict(), theirs)
    texts = draw_texts((7,))
    found = theirs(input_ids=torch.from_numpy(texts[0])[None]).last_hidden_state[0]
    torch.testing.assert_close(ours(pack(texts)), found, atol=1e-5, rtol=0)


def test_a_shared_weight_is_read_once_and_stays_shared():
    config = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES).to_dict()
    theirs = transformers.T5EncoderModel(transformers.T5Config(**config))
    names = PADDED.names(config)
    assert "model.encoder.embed_tokens.weight" not in names
    ours = load(config, theirs)
    assert ours.model.shared.weight is ours.model.encoder.embed_tokens.weight
    found = to_checkpoint(ours.state_dict(), names)
    assert torch.equal(found["shared.weight"], theirs.state_dict()["shared.weight"])


def test_a_family_that_transformers_does_not_know_is_refused():
    with pytest.raises(InputError, match="made_up"):
        PADDED.build({"model_type": "made_up", "hidden_size": 24})


def test_code_of_the_model_s_own_is_never_run():
    config = {"model_type": "made_up", "auto_map": {"AutoModel": "modeling.Evil"}}
    with pytest.raises(InputError, match="never run"):
        PADDED.build(config)


def test_the_limit_leaves_out_positions_that_no_token_gets():
    roberta_like = {**SIZES, "model_type": "data2vec-text", "pad_token_id": 1}
    assert PADDED.most_tokens(roberta_like) == SIZES["max_position_embeddings"] - 2
    t5 = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES).to_dict()
    assert PADDED.most_tokens(t5) == 1_000_000  # relative positions: no limit of its own


def load(config: dict[str, object], theirs: nn.Module) -> nn.Module:
    ours = PADDED.build(config)
    weights = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    found, _, missing = from_checkpoint(weights, PADDED.names(config))
    assert missing == []
    ours.load_state_dict(found, assign=True)
    return ours.eval()
