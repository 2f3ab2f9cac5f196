"""Optional packages: imported in the function that needs them, or named with their extra."""

import importlib
from types import ModuleType

from likewise.errors import MissingExtra


def require(package: str, *, extra: str) -> ModuleType:
    """Import `package`, or say which extra of Likewise brings it.

    Args:
        package: dotted module name.
        extra: the name in `pip install "likewise[extra]"`.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is None or package.split(".")[0] != error.name.split(".")[0]:
            raise  # the package is there; something that it needs is not
        raise MissingExtra(package, extra=extra) from error
