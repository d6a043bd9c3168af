"""Who checks: a mark of our own code and of the libraries that decide. What another program found may not hold here."""

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import gitopsreg

_LIBRARIES = ("yaml", "jsonschema", "semantic_version")


@cache
def program() -> str:
    """Our version, our files, and the libraries: a result of other rules is none."""
    package = Path(gitopsreg.__file__).parent
    folders = [package, package / "catalog", package / "catalog" / "rules", package / "model", _schemas(package)]
    found = [gitopsreg.__version__, sys.version]
    for folder in folders:
        found += [_mark(path) for path in sorted(folder.iterdir()) if path.suffix in {".py", ".json"}]
    for library in _LIBRARIES:
        spec = find_spec(library)
        found.append(_mark(Path(spec.origin)) if spec and spec.origin else library)
    return "\n".join(found)


def _schemas(package: Path) -> Path:
    """As catalog.schema finds them, whose library is slow to import."""
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def _mark(path: Path) -> str:
    found = path.stat()
    return f"{path}:{found.st_size}:{found.st_mtime_ns}"
