import torch

from likewise.models.architectures.roberta import ROBERTA, counted_positions, padding_of
from likewise.text.packed import pack
from models.architectures.families import draw_texts, make_twins


def test_positions_are_counted_from_behind_the_padding():
    packed = pack([[5, 6, 7], [8], [9, 9]])
    assert counted_positions(packed, padding_id=1).tolist() == [2, 3, 4, 2, 2, 3]


def test_a_padding_token_inside_a_text_keeps_its_own_place():
    packed = pack([[5, 1, 7], [1, 8]])
    assert counted_positions(packed, padding_id=1).tolist() == [2, 1, 3, 1, 2]


def test_a_text_with_a_padding_token_inside_equals_that_of_transformers():
    twins = make_twins("roberta")
    texts = draw_texts((6, 9))
    texts[0][3] = texts[1][0] = twins.config["pad_token_id"]
    theirs, ours = twins.hidden(texts)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_the_padding_is_1_where_nothing_is_stated():
    assert padding_of({}) == 1
    assert padding_of({"pad_token_id": None}) == 1
    assert padding_of({"pad_token_id": 0}) == 0


def test_the_limit_of_a_published_checkpoint_is_512():
    assert ROBERTA.most_tokens({"max_position_embeddings": 514, "pad_token_id": 1}) == 512
