import pytest
import torch

from likewise.losses import LOSSES, cosine, mnr, softmax_nli
from likewise.models.encoder import Encoder
from likewise.training.batch import collate
from likewise.training.examples import build_examples
from likewise.training.objective import objective_of
from training.small_runs import labelled, make_data, nli, scored, softmax

CPU = torch.device("cpu")


def prepare(encoder: Encoder, data, *, contrastive: bool):
    examples = build_examples(encoder, data)
    rows = torch.arange(len(data)).numpy()
    batch = collate(examples, rows, layout="contrast" if contrastive else "rows", device=CPU)
    with torch.no_grad():
        return batch, encoder.embed(batch.packed)


def embed(encoder: Encoder, texts: list[str]) -> torch.Tensor:
    return torch.from_numpy(encoder.encode(texts, precision="float32"))


def test_a_score_meets_its_own_pair(tiny_encoder: Encoder):
    data = scored(8)
    batch, embeddings = prepare(tiny_encoder, data, contrastive=False)
    u, v = (embed(tiny_encoder, data.texts(role)) for role in ("sentence1", "sentence2"))
    expected = cosine(u, v, torch.tensor(data.numbers("score") / 5))
    found = objective_of(LOSSES["cosine"]).loss(embeddings, batch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


def test_a_label_meets_its_own_pair_and_the_head(tiny_encoder: Encoder):
    data = nli(9)
    batch, embeddings = prepare(tiny_encoder, data, contrastive=False)
    objective = softmax(tiny_encoder)
    u, v = (embed(tiny_encoder, data.texts(role)) for role in ("premise", "hypothesis"))
    expected = softmax_nli(u, v, torch.tensor(data.labels()), objective.head)
    found = objective.loss(embeddings, batch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


def test_negatives_mask_and_options_reach_the_loss(tiny_encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=["letter", "Letter!", "bridge"],
        negative=["planet", "violin", "garden"],
    )
    batch, embeddings = prepare(tiny_encoder, data, contrastive=True)
    sides = [embed(tiny_encoder, data.texts(r)) for r in ("anchor", "positive", "negative")]
    collides = torch.zeros(3, 6, dtype=torch.bool)
    collides[0, 1] = collides[1, 0] = True  # the two letters
    expected = mnr(*sides, collides, scale=7.0, symmetric=True)
    found = objective_of(LOSSES["mnr"], scale=7.0, symmetric=True).loss(embeddings, batch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)


def test_a_batch_in_which_nothing_is_left_to_tell_apart_teaches_nothing(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "apple"], positive=["river", "River."])
    batch, embeddings = prepare(tiny_encoder, data, contrastive=True)
    embeddings.requires_grad_()
    loss = objective_of(LOSSES["mnr"]).loss(embeddings, batch)
    loss.backward()
    assert loss == 0
    assert not embeddings.grad.any()


@pytest.mark.parametrize("name", [name for name, spec in LOSSES.items() if spec.grouped])
@pytest.mark.parametrize("names", [("a",), tuple("abcdef")], ids=["one label", "no two of a label"])
def test_a_batch_without_a_triplet_teaches_nothing(name: str, names, tiny_encoder: Encoder):
    """An uneven set of classes has such batches; the run goes on."""
    batch, embeddings = prepare(tiny_encoder, labelled(6, names=names), contrastive=False)
    embeddings.requires_grad_()
    loss = objective_of(LOSSES[name]).loss(embeddings, batch)
    loss.backward()
    assert loss == 0
    assert not embeddings.grad.any()


@pytest.mark.parametrize("name", [name for name, spec in LOSSES.items() if spec.grouped])
def test_labels_by_name_group_as_numbers_do(name: str, tiny_encoder: Encoder):
    spec = LOSSES[name]
    data = labelled(9, names=("river", "apple", "engine"))
    batch, embeddings = prepare(tiny_encoder, data, contrastive=False)
    vectors = embed(tiny_encoder, data.texts("text"))
    expected = spec.function(vectors, torch.arange(9) % 3)
    found = objective_of(spec).loss(embeddings, batch)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)
