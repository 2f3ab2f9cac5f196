"""How vectors lie: what is known of spheres, cones and hubs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew

from likewise.evaluation.geometry import alignment, measure_geometry, positive_cosines


def cloud(n: int = 400, width: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_vectors_spread_over_a_sphere_are_uniform_and_have_no_direction():
    found = measure_geometry(cloud(1500, 256))
    # |x - y|² is 2 - 2c with c of variance 1 / D: E exp(4c) is about exp(8 / D)
    assert found["uniformity"] == pytest.approx(-4 + 8 / 256, abs=0.01)
    assert found["anisotropy"] == pytest.approx(0, abs=0.005)


def test_vectors_that_are_all_one_are_as_bad_as_can_be():
    found = measure_geometry(np.ones((50, 8), np.float32))
    assert found["uniformity"] == pytest.approx(0, abs=1e-6)
    assert found["anisotropy"] == pytest.approx(1)


def test_a_cone_is_anisotropic_and_less_uniform():
    spread, cone = measure_geometry(cloud()), measure_geometry(cloud() + 1.0)
    assert cone["anisotropy"] > 0.4 > spread["anisotropy"]
    assert cone["uniformity"] > spread["uniformity"] + 1


def test_a_text_that_is_near_to_all_is_a_hub():
    points = cloud(300, 200)
    hub = np.concatenate([points, np.tile(points.mean(axis=0), (3, 1))])
    assert measure_geometry(hub)["hubness"] > 3
    assert measure_geometry(cloud(300, 3))["hubness"] < 1


def test_hubness_is_the_skewness_of_how_often_a_text_is_found():
    points = cloud(120, 40)
    length = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosines = length @ length.T
    np.fill_diagonal(cosines, -2)
    times = np.bincount(np.argsort(-cosines, axis=1)[:, :10].ravel(), minlength=120)
    assert measure_geometry(points)["hubness"] == pytest.approx(skew(times))


@given(st.integers(0, 3), st.floats(0.1, 100))
def test_the_length_of_vectors_changes_nothing(seed: int, factor: float):
    points = cloud(40, 8, seed)
    found, stretched = measure_geometry(points), measure_geometry(points * np.float32(factor))
    assert stretched == pytest.approx(found, abs=1e-4)


def test_of_many_vectors_a_sample_tells_nearly_the_same():
    points = cloud(3000, 32)
    first, other = measure_geometry(points, seed=0), measure_geometry(points, seed=1)
    assert first == measure_geometry(points, seed=0)
    assert first["uniformity"] == pytest.approx(other["uniformity"], abs=0.02)


def test_few_vectors_say_nothing():
    assert measure_geometry(cloud(19)) == {}


def test_alignment_is_the_mean_squared_distance_of_pairs_that_belong_together():
    left, right = cloud(30, 8, 1), cloud(30, 8, 2)
    a, b = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (left, right))
    cosines = (a * b).sum(axis=1).astype(np.float64)
    assert alignment(cosines) == pytest.approx(((a - b) ** 2).sum(axis=1).mean(), abs=1e-6)
    found = measure_geometry(cloud(), {"relevant_cosines": cosines})
    assert next(iter(found)) == "alignment"
    assert found["alignment"] == pytest.approx(alignment(cosines))
    assert "alignment" not in measure_geometry(cloud())


def test_positives_are_what_is_relevant_or_in_the_top_fifth_of_the_scale():
    cosines = np.array([0.1, 0.2, 0.3, 0.4])
    scored = {"cosines": cosines, "gold": np.array([0.0, 5.0, 3.9, 4.0])}
    assert positive_cosines(scored).tolist() == [0.2, 0.4]
    labelled = {"cosines": cosines, "gold": np.array([0, 1, 1, 0])}
    assert positive_cosines(labelled).tolist() == [0.2, 0.3]
    assert positive_cosines({"relevant_cosines": cosines}).tolist() == cosines.tolist()
    assert not len(positive_cosines({"cosines": cosines, "gold": np.ones(4)}))
    assert not len(positive_cosines({"values": {}}))
