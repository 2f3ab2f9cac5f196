import pytest
from torch import nn

from likewise.training.dropout import dropout_places, highest_dropout


def test_every_place_of_an_encoder_is_found(new_encoder):
    """One for the embeddings, and in each of two layers one of the states and one of attention."""
    places = dropout_places(new_encoder().backbone)
    assert [value for _, _, value in places] == [0.1] * 5
    assert sorted({name for _, name, _ in places}) == ["dropout"]


def test_dropout_of_torch_is_found():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.25))
    assert dropout_places(module) == [(module[1], "p", 0.25)]


@pytest.mark.parametrize(("asked", "expected"), [(None, 0.1), (0.0, 0.0), (0.3, 0.3)])
def test_what_is_asked_for_stands_before_the_models_own(new_encoder, asked, expected):
    assert highest_dropout(new_encoder().module, asked) == expected


def test_a_table_has_none_unless_asked(new_static):
    assert highest_dropout(new_static().module, None) == 0.0
    assert highest_dropout(new_static().module, 0.2) == 0.2


def test_where_there_is_no_place_asking_does_not_help():
    assert highest_dropout(nn.Linear(2, 2), 0.2) == 0.0
