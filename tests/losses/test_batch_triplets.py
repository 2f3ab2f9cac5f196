import pytest
import torch

from likewise.losses.batch_triplets import find_hardest, relate_labels


def test_rows_are_positives_of_others_with_their_label_and_negatives_of_the_rest():
    same, other = relate_labels(torch.tensor([7, 7, 3]), loss="batch_all")
    assert same.tolist() == [[False, True, False], [True, False, False], [False] * 3]
    assert other.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]])
def test_labels_without_a_triplet_are_refused_in_the_name_of_the_loss(labels):
    with pytest.raises(ValueError, match=r"^batch_hard needs a label with two rows"):
        relate_labels(torch.tensor(labels), loss="batch_hard")


def test_the_hardest_are_the_farthest_positive_and_the_nearest_negative():
    line = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])
    labels = torch.tensor([0, 0, 0, 1, 1])
    positive, negative = find_hardest(line, labels, distance="euclidean", loss="batch_hard")
    assert positive.tolist() == [4, 3, 4, 3, 3]
    assert negative.tolist() == [6, 5, 2, 2, 5]
