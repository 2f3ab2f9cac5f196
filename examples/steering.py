"""Near means what you train: the same reviews, once by topic and once by sentiment.

    python examples/steering.py TRAIN DEV [--base minilm] [--out runs/steering] [--minutes 3]

TRAIN and DEV have the columns text, label (the sentiment) and domain (the topic). Two models start
from the same weights and see the same texts; only the labels differ. Both are then asked, on texts
that neither saw, how many of the ten nearest neighbours share the topic, how many the sentiment.
"""

import argparse
from pathlib import Path

import likewise

SIDES = {"topic": "domain", "sentiment": "label"}  # what near shall mean: its column


def steer(train, dev, *, base, out, **training):
    """Train one model a side, and measure every model on every side.

    Returns:
        Model to {side: result}; the models are the base and one a side.
    """
    held_out = {side: read(dev, column) for side, column in SIDES.items()}
    models = {base: likewise.load(base)}
    for side, column in SIDES.items():
        run = likewise.train(
            base, read(train, column), dev=held_out[side], out=out / side, **training
        )
        models[f"by {side}"] = run.model
    return {
        name: {side: likewise.evaluate(model, data) for side, data in held_out.items()}
        for name, model in models.items()
    }


def read(file, column):
    """The texts with one of their labels."""
    return likewise.read(file, kind="labelled", columns={"text": "text", "label": column})


def main():
    """Print how near texts are in topic and in sentiment, model by model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("dev")
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--out", type=Path, default=Path("runs/steering"))
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, each side")
    parser.add_argument("--max-tokens", type=int, default=64, help="train on the first so many")
    given = parser.parse_args()
    training = {"minutes": given.minutes, "max_tokens": given.max_tokens}
    found = steer(given.train, given.dev, base=given.base, out=given.out, **training)
    print(f"{'neighbours of the same':24}{'':4}{'topic':24}sentiment")
    for name, results in found.items():
        cells = []
        for result in results.values():
            low, high = result.interval
            value = result.scores[result.primary].value
            cells.append(f"{value:.3f} ({low:.3f} to {high:.3f})")
        print(f"{name:28}{cells[0]:24}{cells[1]}")


if __name__ == "__main__":
    main()
