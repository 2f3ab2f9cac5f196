import pytest

from likewise.models.folder.contents import ModelFolder, PoolingConfig, TailModule


@pytest.mark.parametrize("modes", [(), ("mean", "median")])
def test_only_known_poolings_can_be_named(modes: tuple[str, ...]):
    with pytest.raises(ValueError, match="pooling modes are cls, max"):
        PoolingConfig(modes=modes)


def test_only_known_modules_can_follow_the_pooling():
    with pytest.raises(ValueError, match="one of Dense, Normalize, LayerNorm; found LSTM"):
        TailModule(kind="LSTM")


def test_a_default_prompt_must_exist():
    with pytest.raises(ValueError, match='no prompt named "query"'):
        ModelFolder(config={}, weights={}, default_prompt="query")


def test_a_similarity_must_be_known():
    with pytest.raises(ValueError, match="similarity is one of"):
        ModelFolder(config={}, weights={}, similarity="hamming")  # type: ignore[arg-type]
