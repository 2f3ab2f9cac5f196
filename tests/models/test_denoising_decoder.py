import math

import numpy as np
import pytest
import torch
from torch import Tensor

from likewise.errors import InputError
from likewise.losses.token_cross_entropy import token_cross_entropy
from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.layers import Decodes, initialise
from likewise.models.architectures.mlm_heads import MLM_FAMILIES, MlmHead
from likewise.models.build import load
from likewise.models.denoising_decoder import (
    IGNORED,
    DenoisingDecoder,
    VectorAttention,
    build_decoder,
)
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed, pack
from models.architectures.families import draw_texts, make_twins

DECODING = [name for name in ARCHITECTURES if name not in {"static", "padded"}]
LENGTHS = (5, 2, 9, 3, 17, 40)
D = 12

each_family = pytest.mark.parametrize("family", DECODING)


def make_decoder(family: str, *, tie: bool = True, seed: int = 0) -> DenoisingDecoder:
    """Over a small random backbone, every weight drawn, and wide enough to matter."""
    twins = make_twins(family, seed=seed)
    head = MlmHead(MLM_FAMILIES[family], twins.config)
    backbone = twins.ours
    assert isinstance(backbone, Decodes)
    decoder = DenoisingDecoder(backbone, head, n_in=D, filler=0, longest=512, tie=tie)
    draw = torch.Generator().manual_seed(seed)
    for part in (decoder.crosses, head):
        initialise(part, std=0.3, generator=draw)
    return decoder.eval()


def draw_vectors(n: int, *, seed: int = 5) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed))


def loss_of(decoder: DenoisingDecoder, vectors: Tensor, texts: Packed) -> Tensor:
    states, labels = decoder(vectors, texts)
    return token_cross_entropy(states, decoder.table, decoder.head.bias, labels)


@pytest.fixture
def decoder(tiny_encoder: Encoder) -> DenoisingDecoder:
    return build_decoder(tiny_encoder, seed=3)


@each_family
def test_a_later_token_changes_no_earlier_score(family: str):
    decoder, texts = make_decoder(family), draw_texts([40, 8])
    vectors, before = draw_vectors(2), decoder.scores(draw_vectors(2), pack(texts))
    for place in (1, 20, 39):
        changed = [texts[0].copy(), texts[1]]
        changed[0][place] = texts[0][place] % 100 + 10
        after = decoder.scores(vectors, pack(changed))
        torch.testing.assert_close(after[:place], before[:place])
        torch.testing.assert_close(after[40:], before[40:])
        assert not torch.allclose(after[place], before[place])


@each_family
def test_texts_together_score_as_each_alone(family: str):
    decoder, texts, vectors = make_decoder(family), draw_texts(LENGTHS), draw_vectors(len(LENGTHS))
    together = decoder.scores(vectors, pack(texts)).split(list(LENGTHS))
    for i, (text, found) in enumerate(zip(texts, together, strict=True)):
        alone = decoder.scores(vectors[i : i + 1], pack([text]))
        torch.testing.assert_close(found, alone, atol=1e-4, rtol=1e-4)


@each_family
def test_the_loss_is_that_of_the_next_tokens(family: str):
    """By the definition: the mean of -log softmax(score)[next token] over all but the last."""
    decoder, texts, vectors = make_decoder(family), draw_texts(LENGTHS), draw_vectors(len(LENGTHS))
    scores = decoder.scores(vectors, pack(texts)).log_softmax(dim=1).split(list(LENGTHS))
    each = [
        -found[torch.arange(len(text) - 1), torch.from_numpy(text[1:])]
        for text, found in zip(texts, scores, strict=True)
    ]
    expected = torch.cat(each).mean()
    torch.testing.assert_close(loss_of(decoder, vectors, pack(texts)), expected)


@each_family
def test_every_weight_gets_a_gradient(family: str):
    decoder, texts = make_decoder(family), draw_texts(LENGTHS)
    vectors = draw_vectors(len(LENGTHS)).requires_grad_()
    loss_of(decoder, vectors, pack(texts)).backward()
    named = {**dict(decoder.named_parameters()), **named_backbone(decoder)}
    assert [name for name, p in named.items() if p.grad is None or not p.grad.any()] == []
    assert vectors.grad is not None
    assert bool((vectors.grad != 0).any(dim=1).all())


def named_backbone(decoder: DenoisingDecoder) -> dict[str, torch.nn.Parameter]:
    backbone = decoder.backbone
    assert isinstance(backbone, torch.nn.Module)
    return dict(backbone.named_parameters())


@each_family
def test_the_gradient_is_the_slope_of_the_loss(family: str):
    """A step along the gradient of length h changes the loss by h times its norm, in float64."""
    decoder, texts = make_decoder(family).double(), pack(draw_texts((4, 6)))
    backbone = decoder.backbone
    assert isinstance(backbone, torch.nn.Module)
    backbone.double()
    vectors = draw_vectors(2).double().requires_grad_()
    parameters = [vectors, *decoder.parameters(), *backbone.parameters()]

    def value() -> Tensor:
        states, labels = decoder(vectors, texts, dtype=torch.float64)
        return token_cross_entropy(states, decoder.table, decoder.head.bias, labels)

    gradients = torch.autograd.grad(value(), parameters)
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    ends = []
    for h in (1e-5, -1e-5):
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter += h / norm * gradient
            ends.append(float(value()))
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= h / norm * gradient
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(norm, rel=1e-4)


def test_another_vector_gives_other_scores_and_only_to_its_text(decoder: DenoisingDecoder):
    texts = pack([[2, 60, 61, 3], [2, 70, 3]])
    vectors = torch.randn(2, 32)
    before = decoder.scores(vectors, texts)
    vectors[0] += 1.0
    after = decoder.scores(vectors, texts)
    assert not torch.allclose(before[:4], after[:4])
    torch.testing.assert_close(before[4:], after[4:])


def test_cross_attention_to_one_vector_is_that_of_torch_over_one_key():
    """Its weights of queries and keys may be any, and get no gradient."""
    ours = VectorAttention(8, 8, eps=1e-6, dropout=0.0, norms=False)
    initialise(ours, std=0.5, generator=torch.Generator().manual_seed(2))
    theirs = torch.nn.MultiheadAttention(8, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight[16:] = ours.value.weight
        theirs.in_proj_bias[16:] = ours.value.bias = torch.nn.Parameter(torch.randn(8))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    x, vectors = torch.randn(6, 8), torch.randn(2, 8)
    owners = torch.tensor([0, 0, 0, 1, 1, 1])
    key = vectors[:, None]
    expected, _ = theirs(x.view(2, 3, 8), key, key)
    torch.testing.assert_close(ours(x, vectors, owners), x + expected.reshape(6, 8))
    expected.square().sum().backward()
    assert float(theirs.in_proj_weight.grad[:16].abs().max()) < 1e-6


def test_tied_weights_are_those_of_the_encoder(tiny_encoder: Encoder):
    tied, own = (build_decoder(tiny_encoder, tie=tie, seed=3) for tie in (True, False))
    encoders = {id(p) for p in tiny_encoder.module.parameters()}
    assert tied.backbone is tiny_encoder.backbone
    assert not encoders & {id(p) for p in tied.parameters()}  # saved once, with the encoder
    assert own.backbone is not tiny_encoder.backbone
    assert len(own.state_dict()) == len(tied.state_dict()) + len(tiny_encoder.backbone.state_dict())
    texts, vectors = pack([[2, 60, 61, 3], [2, 70, 3]]), torch.randn(2, 32)
    torch.testing.assert_close(own.scores(vectors, texts), tied.scores(vectors, texts))
    loss_of(own, vectors, texts).backward()
    assert all(p.grad is None for p in tiny_encoder.module.parameters())
    loss_of(tied, vectors, texts).backward()
    assert all(p.grad is not None for p in tiny_encoder.backbone.parameters())


def test_a_fresh_decoder_knows_nothing(decoder: DenoisingDecoder):
    """Near log V, which is the loss of equal scores."""
    texts = pack([[2, *range(40 + i, 50 + i), 3] for i in range(20)])
    loss = float(loss_of(decoder, torch.randn(20, 32), texts).detach())
    assert loss == pytest.approx(math.log(len(decoder.table)), abs=0.15)


def test_the_seed_draws_the_new_weights(tiny_encoder: Encoder):
    first, second, other = (build_decoder(tiny_encoder, seed=s).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = [name for name, tensor in first.items() if tensor.dim() > 1]
    assert not any(torch.equal(first[name], other[name]) for name in drawn)


def test_labels_are_the_tokens_that_follow_without_those_of_a_prompt(decoder: DenoisingDecoder):
    packed = pack([[2, 60, 61, 62, 3], [2, 70, 71, 3]])
    texts = Packed(ids=packed.ids, starts=packed.starts, pooled=packed.positions() >= 2)
    states, labels = decoder(torch.randn(2, 32), texts)
    assert len(states) == len(labels)
    assert labels[labels != IGNORED].tolist() == [61, 62, 3, 71, 3]


def test_bfloat16_is_near_to_float32(decoder: DenoisingDecoder):
    texts, vectors = pack([[2, 60, 61, 3], [2, 70, 3]]), torch.randn(2, 32)
    narrow, labels = decoder(vectors, texts, dtype=torch.bfloat16)
    assert narrow.dtype == torch.bfloat16
    wide, _ = decoder(vectors, texts)
    torch.testing.assert_close(narrow.float(), wide, atol=0.1, rtol=0.1)
    loss = token_cross_entropy(narrow, decoder.table, decoder.head.bias, labels)
    assert loss.dtype == torch.float32


def test_a_text_of_one_token_has_nothing_to_write(decoder: DenoisingDecoder):
    with pytest.raises(ValueError, match="one token"):
        decoder(torch.randn(1, 32), pack([[2]]))


def test_texts_that_were_learnt_are_written_from_their_vectors(decoder: DenoisingDecoder):
    texts = [[2, 60, 61, 62, 3], [2, 70, 3], [2, 80, 81, 82, 83, 84, 3]]
    vectors = 2 * torch.eye(3, 32)
    backbone = decoder.backbone
    assert isinstance(backbone, torch.nn.Module)
    optimiser = torch.optim.Adam([*decoder.parameters(), *backbone.parameters()], lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        loss_of(decoder, vectors, pack(texts)).backward()
        optimiser.step()
    assert decoder.rebuild(vectors, begin=[2], end=3, most=9) == texts
    assert decoder.rebuild(vectors, begin=[2], end=3, most=4) == [text[:4] for text in texts]
    assert decoder.rebuild(vectors[:2], begin=[2, 60], end=3, most=9)[0] == texts[0]
    without_end = decoder.rebuild(vectors[1:2], begin=[2], end=None, most=6)
    assert (len(without_end[0]), without_end[0][:3]) == (6, texts[1])


def test_rebuilding_takes_the_likeliest_token_each_time(decoder: DenoisingDecoder):
    vector = torch.randn(1, 32)
    (written,) = decoder.rebuild(vector, begin=[2], end=None, most=7)
    for place in range(1, 7):
        scores = decoder.scores(vector, pack([written[:place]]))
        assert int(scores[-1].argmax()) == written[place]


def test_a_family_without_layers_of_ours_is_refused(word_table: str):
    with pytest.raises(InputError, match='"static" has no layers') as caught:
        build_decoder(load(word_table, device="cpu"), seed=0)
    assert "simcse" in caught.value.mend


@pytest.fixture
def word_table(tmp_path) -> str:
    rows = (f"{word} {i} {i + 1}\n" for i, word in enumerate(("apple", "river")))
    path = tmp_path / "vectors.txt"
    path.write_text("".join(rows))
    return f"static:{path}"


def test_only_the_families_named_here_decode():
    decoding = {name for name in ARCHITECTURES if isinstance(make_twins(name).ours, Decodes)}
    assert decoding == set(DECODING)
    assert np.all([make_twins(name).ours.norms_after for name in DECODING if name != "modernbert"])
