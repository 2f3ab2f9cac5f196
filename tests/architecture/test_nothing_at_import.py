"""Importing a module changes nothing in the process that imports it."""

import json
import os
import subprocess
import sys

from architecture.source import modules

KEPT = ("PATH", "HOME", "PYTHONPATH", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

# Third-party packages may do as they like at import; they are imported first, so that each
# difference that is seen afterwards is the work of the module of ours that was just imported.
IN_A_FRESH_PROCESS = """
import importlib, json, locale, logging, os, pathlib, random, signal, sys, threading, warnings

names, packages = json.loads(sys.stdin.read())
for package in packages:
    importlib.import_module(package)
import numpy, torch

def state():
    ours = [n for n in sorted(logging.root.manager.loggerDict) if n.startswith("likewise")]
    loggers = [logging.root, *map(logging.getLogger, ours)]
    touched = [l for l in loggers if l.handlers or l.level or l.filters]
    return {
        "environment": dict(os.environ),
        "warning filters": [repr(f) for f in warnings.filters],
        "logging handlers": [(l.name, repr(l.handlers), repr(l.filters), l.level) for l in touched],
        "torch seed": torch.random.get_rng_state().numpy().tobytes().hex(),
        "torch threads, type, device": repr(
            (torch.get_num_threads(), torch.get_default_dtype(), torch.get_default_device(),
             torch.is_grad_enabled(), torch.get_float32_matmul_precision())
        ),
        "numpy seed": repr(numpy.random.get_state()),
        "random seed": repr(random.getstate()),
        "threads": sorted(t.name for t in threading.enumerate()),
        "signals": [repr(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)],
        "folder": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion and hooks": repr((sys.getrecursionlimit(), sys.excepthook)),
    }

before, found = state(), []
for name in names:
    importlib.import_module(name)
    after = state()
    found += [f"{name} changes {part}" for part in before if before[part] != after[part]]
    before = after
json.dump(found, sys.stdout)
"""


def test_no_module_changes_the_process_that_imports_it():
    ours = [module.name for module in modules() if module.name != "likewise.__main__"]
    others = set()
    for module in modules():
        at_the_top = [node for node in module.import_froms() if node in module.tree.body]
        others |= {str(node.module) for node in at_the_top}
        others |= {name for name in module.plain_imports() if not name.startswith("likewise")}
    others = {
        name for name in others if name.split(".")[0] not in {"likewise", "datasets", "faiss"}
    }
    # not the environment of the tests, which have imported our modules already
    needed = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS],
        env=needed,
        input=json.dumps([ours, sorted(others)]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
