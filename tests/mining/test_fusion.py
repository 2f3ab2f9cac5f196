import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.mining.fusion import fuse
from likewise.mining.neighbours import Ranking


def ranking(*rows: list[int]) -> Ranking:
    positions = np.array(rows)
    return Ranking(positions=positions, scores=np.where(positions < 0, -np.inf, 0.5))


lists = st.lists(st.permutations(range(6)).map(lambda p: p[:4]), min_size=1, max_size=4)


@given(lists, st.integers(1, 7), st.integers(0, 3))
@settings(deadline=None)
def test_weights_are_one_over_sixty_and_the_rank_from_one(rows, depth, cut):
    rows = [row[:cut] + [-1] * (4 - cut) if i == 0 else row for i, row in enumerate(rows)]
    places, sources = fuse([ranking(row) for row in rows], depth=depth)
    weights: dict[int, float] = {}
    for row in rows:
        for rank, place in enumerate(row, 1):
            if place >= 0:
                weights[place] = weights.get(place, 0) + 1 / (60 + rank)
    expected = sorted(weights, key=lambda place: (-round(weights[place], 12), place))
    found = [place for place in places[0].tolist() if place >= 0]
    if len(rows) == 1:
        expected = rows[0][: max(cut, 0)]
    assert found == expected[:depth]
    for place, flags in zip(places[0].tolist(), sources[0].tolist(), strict=True):
        assert flags == sum(2**i for i, row in enumerate(rows) if place >= 0 and place in row)


def test_rows_do_not_mix_and_an_empty_row_stays_empty():
    one, two = ranking([3, 1], [-1, -1], [2, -1]), ranking([1, 5], [-1, -1], [4, 2])
    places, sources = fuse([one, two], depth=3)
    assert places.tolist() == [[1, 3, 5], [-1, -1, -1], [2, 4, -1]]
    assert sources.tolist() == [[3, 1, 2], [0, 0, 0], [3, 2, 0]]
    places, sources = fuse([ranking([-1]), ranking([-1])], depth=2)
    assert places.tolist() == [[-1, -1]]
    assert sources.tolist() == [[0, 0]]
