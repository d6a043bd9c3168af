"""One more file for a catalog: tried with the loader first, then written whole or not at all. Replaces nothing."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import CatalogFile, CatalogFiles
from gitopsreg.catalog.layout import slot
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.loader import parse
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.report import Finding
from gitopsreg.errors import ConfigError, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The catalog as it would be with the file. `findings` are those that the file brings, here or elsewhere."""

    place: Path
    path: str
    text: str
    loaded: Loaded
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def write(self) -> None:
        """Raises ConfigError when somebody was quicker, or the folder can't be written."""
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            write_new(self.place, self.text)
        except FileExistsError as error:
            raise ConfigError(f"{quoted(str(self.place))} is there already: it was made just now") from error
        except OSError as error:
            raise ConfigError(f"{quoted(str(self.place))} can't be written: {error.strerror or error}") from error


class CatalogFolder:
    """A directory with a catalog, as authors have it. Raises ConfigError when it is none."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = read_directory(root)
        if not self._files.files:
            raise ConfigError(
                f"{quoted(str(root))} holds no catalog: name the folder that holds registry.yaml, "
                "or make one with 'gitopsreg new-catalog'"
            )
        self.loaded = load(self._files)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """All that are declared, well or badly."""
        found = (slot(file.path) for file in self._files.files)
        return tuple(sorted(one.namespace for one in found if one.kind == "Namespace"))

    def keys(self, namespace: str) -> tuple[str, ...]:
        """The names of the namespace's signing keys."""
        found = (slot(file.path) for file in self._files.files)
        return tuple(sorted(one.name for one in found if one.kind == "SigningKey" and one.namespace == namespace))

    def need_namespace(self, name: str) -> None:
        """Raises ConfigError, with the one that was meant, when the catalog has no such namespace."""
        if name not in self.namespaces:
            advice = did_you_mean(name, self.namespaces) or f"add it first, 'gitopsreg add namespace {name} --owner …'"
            raise ConfigError(f"the catalog has no namespace {quoted(name)}: {advice}")

    def try_file(self, path: str, text: str) -> Trial:
        """Raises ConfigError when the path, or one that means the same, is taken."""
        for file in self._files.files:
            if same_place(file.path) == same_place(path):
                raise ConfigError(
                    f"{quoted(file.path)} is there already: {_told(file)}; change that, or choose another name"
                )
        refuse_links(self.root, path)
        data = text.encode()
        file = CatalogFile(path=path, mode="file", size=len(data), oid="", read=lambda: data)
        loaded = load(_with(self._files, file))
        known = {_about(finding) for finding in self.loaded.findings}
        return Trial(
            place=self.root / path,
            path=path,
            text=text,
            loaded=loaded,
            findings=tuple(finding for finding in loaded.findings if _about(finding) not in known),
        )


def refuse_links(root: Path, path: str) -> None:
    """What is written must land in this catalog: Git would not follow a link either. Raises ConfigError."""
    folder = root
    for part in path.split("/")[:-1]:
        folder /= part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise ConfigError(f"{quoted(str(folder))} is no ordinary folder: a declaration must lie in one")


def write_new(place: Path, text: str) -> None:
    """Whole or not at all, and only if nothing is there. Raises OSError."""
    made = _made(place, text)
    try:
        os.link(made, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        place.touch(exist_ok=False)
        made.replace(place)
    finally:
        made.unlink(missing_ok=True)


def _made(place: Path, text: str) -> Path:
    """The text in a file beside the place."""
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
    made = Path(name)
    made.chmod(0o666 & ~_umask())
    return made


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _with(files: CatalogFiles, file: CatalogFile) -> CatalogFiles:
    return replace(files, files=tuple(sorted((*files.files, file), key=lambda one: one.path)))


def same_place(path: str) -> str:
    """Two paths with the same result can't both be in a catalog."""
    return path.lower().removesuffix(".yaml").removesuffix(".yml")


def _about(finding: Finding) -> tuple[str, str, str, str]:
    return finding.rule, finding.path, finding.pointer, finding.message


def _told(file: CatalogFile) -> str:
    """What a file declares, in a few words."""
    try:
        document = parse(file.read()).document if file.mode == "file" else None
    except OSError:
        document = None
    if document is None:
        return "it can't be read"
    root = Cursor(document.value)
    source = root / "spec" / "source"
    words = [(root / "kind").text or "a document without a kind", str(slot(file.path).address or slot(file.path).name)]
    words += ["from", (source / "type").text, (source / "url").text] if (source / "type").text else []
    words += ["with fingerprint", print_] if (print_ := (root / "spec" / "fingerprint").text) else []
    return " ".join(_short(word) for word in words if word)


def _short(word: str) -> str:
    return quoted(word)[1:-1]
