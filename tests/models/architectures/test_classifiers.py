import pytest
import torch
import transformers

from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.classifiers import CLASSIFIERS
from models.architectures.families import CONFIGS

each_family = pytest.mark.parametrize("family", CLASSIFIERS)


def test_every_native_family_that_transformers_can_classify_with_has_a_head():
    assert set(ARCHITECTURES) - set(CLASSIFIERS) == {"padded", "static"}


@each_family
def test_prefix_and_class_are_those_of_transformers(family: str):
    model_type, sizes = CONFIGS[family]
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    theirs = transformers.AutoModelForSequenceClassification.from_config(config)
    classifier = CLASSIFIERS[family]
    assert type(theirs).__name__ == classifier.architecture
    assert f"{theirs.base_model_prefix}." == classifier.prefix


@each_family
def test_a_head_turns_one_state_a_pair_into_a_logit_a_class(family: str):
    model_type, sizes = CONFIGS[family]
    config = transformers.AutoConfig.for_model(model_type, **sizes).to_dict()
    head = CLASSIFIERS[family].build(config, 5)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    logits = head.eval()(torch.ones(4, 24, dtype=torch.bfloat16))
    assert logits.shape == (4, 5)
    assert logits.dtype == torch.float32


@each_family
def test_every_weight_of_a_head_has_a_name(family: str):
    model_type, sizes = CONFIGS[family]
    config = transformers.AutoConfig.for_model(model_type, **sizes).to_dict()
    classifier = CLASSIFIERS[family]
    assert classifier.names(config).keys() == classifier.build(config, 2).state_dict().keys()
