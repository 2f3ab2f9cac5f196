"""Masked-language modelling: what it learns, what it keeps, and what it refuses."""

import json
import math
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.mlm import train_mlm
from likewise.methods.recipe import resolve_options
from likewise.methods.run import Tell, train
from likewise.models.architectures.mlm_heads import MlmHead
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.models.mlm_head import HEAD_FILE, find_head
from likewise.training.events import Evaluated, Event, StepDone
from training.small_runs import (
    Crash,
    Log,
    crash_after,
    make_data,
    make_fit,
    pairs,
    same_weights,
    series,
    weights,
)

SENTENCES = [form(*topic) for topic in TOPICS for form in (question, answer)]
LEARN = {"batch_size": 16, "learning_rate": 5e-3, "warmup": 0.0, "dropout": 0.0}


def texts(*given: str) -> Dataset:
    return make_data("texts", text=list(given or SENTENCES))


def head_of(encoder: Encoder) -> dict[str, torch.Tensor]:
    head: MlmHead = find_head(encoder.contents, seed=0).head
    return {name: tensor.clone() for name, tensor in head.state_dict().items()}


def learnt(notes: list[str]) -> tuple[float, float]:
    """The shares of held-out tokens that were guessed before and after."""
    before, after = re.findall(r"([\d.]+)% guessed", " ".join(notes))
    return float(before) / 100, float(after) / 100


def losses(notes: list[str]) -> tuple[float, float]:
    """The mean cross-entropy of held-out tokens before and after."""
    before, after = re.findall(r"loss ([\d.]+)", " ".join(notes))
    return float(before), float(after)


def test_words_are_guessed_that_were_never_seen_there(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, epochs=25, **LEARN)
    train_mlm(fit, texts())
    before, after = learnt(fit.notes)
    words = Counter(word for text in SENTENCES for word in text.lower().split())
    commonest = max(words.values()) / words.total()  # what guessing always the same is worth
    assert before < 0.1
    assert after > 2 * commonest


def test_the_head_is_fresh_then_goes_on(tiny_encoder: Encoder, tmp_path: Path):
    log, more = Log(), Log()
    fit = make_fit(tiny_encoder, tmp_path / "a", observers=[log], epochs=20, **LEARN)
    train_mlm(fit, texts())
    assert "the base has no masked-language head: a new one is trained with it" in fit.notes
    folder = tiny_encoder.save(tmp_path / "model")
    again = make_fit(load(folder, device="cpu"), tmp_path / "b", observers=[more], **LEARN)
    train_mlm(again, texts())
    assert "the base brings its masked-language head, and training goes on with it" in again.notes
    assert more.steps[0].loss < 0.6 * log.steps[0].loss
    assert learnt(again.notes)[0] == pytest.approx(learnt(fit.notes)[1], abs=1e-3)


def test_the_same_encoder_goes_on_without_being_saved(tiny_encoder: Encoder, tmp_path: Path):
    train_mlm(make_fit(tiny_encoder, tmp_path / "a", **LEARN), texts())
    fit = make_fit(tiny_encoder, tmp_path / "b", **LEARN)
    train_mlm(fit, texts())
    assert any("goes on with it" in note for note in fit.notes)


def test_a_head_whose_model_was_trained_on_since_is_told(tiny_encoder: Encoder, tmp_path: Path):
    train_mlm(make_fit(tiny_encoder, tmp_path / "a", **LEARN), texts())
    METHODS["mnr"].function(make_fit(tiny_encoder, tmp_path / "b"), pairs())
    fit = make_fit(tiny_encoder, tmp_path / "c", **LEARN)
    train_mlm(fit, texts())
    assert any("was itself trained on since" in note for note in fit.notes)


def test_the_head_that_is_kept_is_the_one_of_the_best_encoder(
    new_encoder: Callable[[], Encoder], tmp_path: Path
):
    """The second of four evaluations is the best: encoder and head are those of step 8."""
    options: dict[str, Any] = {"epochs": 4, "keep": "best", "evaluations": 4, **LEARN}
    values = series([0.1, 0.9, 0.5, 0.3])
    heads: dict[int, dict[str, torch.Tensor]] = {}
    bodies: dict[int, dict[str, torch.Tensor]] = {}

    def evaluate(encoder: Encoder) -> Evaluated:
        heads[len(heads)] = head_of(encoder)
        bodies[len(bodies)] = weights(encoder)
        return values(encoder)

    fit = make_fit(new_encoder(), tmp_path, evaluate=evaluate, **options)
    train_mlm(fit, texts())
    assert fit.progress is not None
    assert fit.progress.best_step == fit.progress.step // 2
    assert same_weights(weights(fit.encoder), bodies[1])
    assert same_weights(head_of(fit.encoder), heads[1])
    assert not same_weights(heads[1], heads[3])
    assert any(f"the head too is that of step {fit.progress.best_step}" in n for n in fit.notes)


def test_the_last_head_is_kept_with_the_last_encoder(
    new_encoder: Callable[[], Encoder], tmp_path: Path
):
    options: dict[str, Any] = {"epochs": 4, "evaluations": 4, **LEARN}
    best = make_fit(
        new_encoder(), tmp_path / "a", evaluate=series([0.9, 0.1, 0.1, 0.1]), keep="last", **options
    )
    plain = make_fit(new_encoder(), tmp_path / "b", keep="last", **options)
    for fit in (best, plain):
        train_mlm(fit, texts())
    assert same_weights(weights(best.encoder), weights(plain.encoder))
    assert same_weights(head_of(best.encoder), head_of(plain.encoder))


def test_the_head_stops_and_goes_on_bit_for_bit(new_encoder: Callable[[], Encoder], tmp_path: Path):
    options: dict[str, Any] = {"epochs": 3, "checkpoint_every": 5, **LEARN, "dropout": None}
    whole = make_fit(new_encoder(), tmp_path / "whole", **options)
    train_mlm(whole, texts())
    with pytest.raises(Crash):
        train_mlm(
            make_fit(new_encoder(), tmp_path / "cut", observers=[crash_after(8)], **options),
            texts(),
        )
    resumed = make_fit(new_encoder(), tmp_path / "cut", resume=True, **options)
    train_mlm(resumed, texts())
    assert same_weights(weights(resumed.encoder), weights(whole.encoder))
    assert same_weights(head_of(resumed.encoder), head_of(whole.encoder))
    assert learnt(resumed.notes) == learnt(whole.notes)


def test_a_batch_in_parts_trains_the_same(new_encoder: Callable[[], Encoder], tmp_path: Path):
    logs = []
    for part, budget in (("a", 8192), ("b", 64)):
        log = Log()
        fit = make_fit(
            new_encoder(), tmp_path / part, observers=[log], micro_tokens=budget, **LEARN
        )
        train_mlm(fit, texts())
        logs.append([step.loss for step in log.steps])
    assert logs[0] == pytest.approx(logs[1], abs=1e-4)


def test_pieces_alone_are_another_task_than_whole_words(
    new_encoder: Callable[[], Encoder], tmp_path: Path
):
    spelt = texts(*(f"xylo{i} zebra{i} the river" for i in range(40)))  # in letters, here
    first = []
    for whole in (True, False):
        log = Log()
        fit = make_fit(new_encoder(), tmp_path / str(whole), observers=[log], epochs=1, **LEARN)
        train_mlm(fit, spelt, whole_words=whole, held_out=0)
        first.append(log.steps[0].loss)
    assert first[0] != first[1]


def test_held_out_texts_are_not_trained_on(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], epochs=1, **LEARN)
    train_mlm(fit, texts(), held_out=4)
    assert sum(step.rows for step in log.steps) == 124
    assert any(note.startswith("4 held-out texts") for note in fit.notes)


@pytest.mark.parametrize("held_out", [0, 500])
def test_nothing_is_held_out_where_none_is_wanted_or_all_are_few(
    held_out: int, tiny_encoder: Encoder, tmp_path: Path
):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], epochs=1, **LEARN)
    train_mlm(fit, texts(*SENTENCES[:60]), held_out=held_out)
    assert sum(step.rows for step in log.steps) == 60
    assert not any("to guess" in note for note in fit.notes)
    assert any("60 texts are too few" in note for note in fit.notes) == (held_out > 0)


def test_texts_without_two_tokens_are_left_out_and_counted(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], **LEARN)
    train_mlm(fit, texts("a guide", "river", "the river here", "apple"), held_out=0)
    assert sum(step.rows for step in log.steps) == 2
    assert "texts without two tokens that could be hidden are left out: 2" in fit.notes


def test_a_prompt_is_never_hidden(tiny_folder: Path, tmp_path: Path):
    settings = {"prompts": {"p": "how do people "}, "default_prompt_name": "p"}
    (tiny_folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    encoder = load(tiny_folder, device="cpu")
    fit = make_fit(encoder, tmp_path / "run", epochs=1, **LEARN)
    with pytest.raises(InputError, match="none of 2 texts has two tokens"):
        train_mlm(fit, texts("river", "apple"))


def refused(encoder: Encoder, data: Dataset, folder: Path, **given: Any) -> InputError:
    options = {key: given.pop(key) for key in ("matryoshka", "adaptive_layers") if key in given}
    fit = make_fit(encoder, folder / "run", **options)
    with pytest.raises(InputError) as caught:
        train_mlm(fit, data, **given)
    assert not (folder / "run").exists()
    return caught.value


def test_texts_of_one_word_are_refused(tiny_encoder: Encoder, tmp_path: Path):
    error = refused(tiny_encoder, texts("river", "apple", "the"), tmp_path)
    assert "none of 3 texts has two tokens" in error.problem
    assert error.mend == "give whole sentences"
    assert error.where.path == "memory.jsonl"


def test_texts_of_another_script_than_the_vocabulary_s_are_refused(
    tiny_encoder: Encoder, tmp_path: Path
):
    error = refused(tiny_encoder, texts("გარბალი მენტოვა", "ჭირვა ნოლდა სული"), tmp_path)
    assert "% of the tokens are unknown" in error.problem
    assert "--base scratch:small:own" in error.mend


def test_many_unknown_words_are_told(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, epochs=1, **LEARN)
    train_mlm(fit, texts(*(f"{text} გარბალი მენტოვა" for text in SENTENCES[:20])))
    (told,) = [note for note in fit.notes if "are unknown" in note]
    assert "scratch:small:own" in told


def test_one_text_again_and_again_is_refused(tiny_encoder: Encoder, tmp_path: Path):
    error = refused(tiny_encoder, texts(*["the river here"] * 5), tmp_path)
    assert "all 5 rows have the same text" in error.problem


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_out_of_range_is_refused(probability: float):
    with pytest.raises(InputError, match="probability"):
        resolve_options("mlm", {"probability": probability})


def test_fewer_held_out_texts_than_none_are_refused():
    with pytest.raises(InputError, match="held_out"):
        resolve_options("mlm", {"held_out": -1})


@pytest.mark.parametrize("option", [{"matryoshka": (8,)}, {"adaptive_layers": 1}])
def test_what_is_about_vectors_is_refused(
    option: dict[str, Any], tiny_encoder: Encoder, tmp_path: Path
):
    assert (
        "does not go with this method" in refused(tiny_encoder, texts(), tmp_path, **option).problem
    )


def test_a_static_base_is_refused(word_vectors: str, tmp_path: Path):
    error = refused(load(word_vectors, device="cpu"), texts(), tmp_path)
    assert "cannot guess a word from its neighbours" in error.problem


def test_a_vocabulary_without_a_mask_is_refused(tiny_folder: Path, tmp_path: Path):
    file = tiny_folder / "tokenizer.json"
    file.write_text(file.read_text().replace("[MASK]", "[OTHER]"))
    error = refused(load(tiny_folder, device="cpu"), texts(), tmp_path)
    assert "no token that hides another" in error.problem
    assert "scratch:small:own" in error.mend
    assert "tsdae" in error.mend


WORDS = {
    "who": ("ሰላጥ", "ደብሩ", "ከፈኖ", "መጋዲ"),
    "does": ("ጠርቶን", "ነበጋ", "ዘሪም", "ቀሙሳ"),
    "what": ("ለፎቅ", "ሐመዝ", "ወጊታ", "ገረሱም"),
}


def ethiopic() -> list[str]:
    """Sentences of made-up words whose middle one follows from the first."""
    draw = random.Random(5)
    who, does, what = WORDS.values()
    made = {
        f"{who[i]} {does[i]} {draw.choice(what)} {draw.choice(what)} {draw.choice(what)}"
        for i in range(4)
        for _ in range(200)
    }
    return sorted(made)


def test_a_vocabulary_of_one_s_own_learns_what_bert_s_cannot_spell(tmp_path: Path):
    data = texts(*ethiopic())
    theirs, own = (
        load(name, device="cpu", texts=data.texts("text"))
        for name in ("scratch:mini", "scratch:mini:own")
    )
    unknown, total = theirs.count_unknown(data.texts("text"))
    assert unknown == total - 2 * len(data)  # all but the tokens around a text
    assert own.count_unknown(data.texts("text"))[0] == 0
    one, other = own.encode(data.texts("text")[:2])
    assert not np.allclose(one, other, atol=1e-3)
    refused(theirs, data, tmp_path)
    fit = make_fit(own, tmp_path / "own", epochs=6, batch_size=16, learning_rate=2e-3, dropout=0.0)
    train_mlm(fit, data)
    before, after = losses(fit.notes)
    assert before > math.log(len(own.backbone.tokens)) - 0.5  # any token is as likely
    assert after < math.log(12)  # one of the twelve words


def run(base: str, file: Path, out: Path, **settings: Any) -> Any:
    usual: dict[str, Any] = {"precision": "float32", "epochs": 2, "batch_size": 16}
    return train(base, file, method="mlm", out=out, **(usual | settings))


def test_a_run_leaves_a_model_that_another_run_goes_on_with(
    tiny_folder: Path, texts_file: Path, tmp_path: Path
):
    first = run(str(tiny_folder), texts_file, tmp_path / "a")
    assert (tmp_path / "a" / "model" / HEAD_FILE).is_file()
    assert "the base has no masked-language head: a new one is trained with it" in first.notes
    recipe = tomllib.loads((tmp_path / "a" / "recipe.toml").read_text())
    assert recipe["training"]["keep"] == "last"
    assert recipe["options"] == {"probability": 0.15, "whole_words": True, "held_out": 500}
    second = run(str(tmp_path / "a" / "model"), texts_file, tmp_path / "b")
    assert any("training goes on with it" in note for note in second.notes)
    other = train(
        str(tmp_path / "a" / "model"), texts_file, method="simcse", out=tmp_path / "c", epochs=1
    )
    assert not (other.folder / "model" / HEAD_FILE).exists()


def test_a_run_may_be_measured_on_pairs_meanwhile(
    tiny_folder: Path, texts_file: Path, scored_file: Path, tmp_path: Path
):
    done = run(
        str(tiny_folder), texts_file, tmp_path / "a", dev=scored_file, allow_leak=True, keep="best"
    )
    assert done.evaluation is not None
    assert (done.folder / "model" / HEAD_FILE).is_file()


def test_a_run_from_nothing_says_what_it_starts_from_and_goes_on(texts_file: Path, tmp_path: Path):
    base = "scratch:mini:own"

    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"checkpoint_every": 2, "max_tokens": 16}
    whole = run(base, texts_file, tmp_path / "whole", **options)
    assert tomllib.loads((whole.folder / "recipe.toml").read_text())["base"] == base
    manifest = json.loads((whole.folder / "manifest.json").read_text())
    assert len(manifest["base_sha256"]) == 64
    assert any("4 layers, 256 wide, 4 heads" in note for note in manifest["notes"])
    with pytest.raises(KeyboardInterrupt):
        run(base, texts_file, tmp_path / "cut", tell=Tell(observers=(stop,)), **options)
    resumed = run(base, texts_file, tmp_path / "cut", existing="resume", **options)
    assert same_weights(weights(resumed.model), weights(whole.model))
    assert same_weights(head_of(resumed.model), head_of(whole.model))
