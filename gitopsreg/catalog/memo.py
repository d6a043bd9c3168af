"""What is known of a catalog since it was last loaded: an unchanged namespace costs a look-up. Used by one thread."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitopsreg.catalog.check import CheckEach, Checked, check_each
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.catalog.loader import MAX_BYTES
from gitopsreg.catalog.part import CheckedPart
from gitopsreg.catalog.report import Finding
from gitopsreg.model.catalog import Part
from gitopsreg.model.declaration import PackageDeclaration

_Key = tuple[str, str, str]
_File = tuple[Checked, Any, PackageDeclaration]


@dataclass(slots=True, kw_only=True)
class Files:
    """One part's files; `declared` are those that must be declarations, `size` is what is read of them, in bytes."""

    files: tuple[CatalogFile, ...]
    declared: tuple[CatalogFile, ...]
    size: int
    part: CheckedPart | None = None


@dataclass(slots=True, kw_only=True)
class Made:
    """The declarations made of one part, and what they were made of; `around` is what every part inherits. `files` are
    by path: (file, what it inherited, its declaration); `before` those of the last load.
    """

    part: CheckedPart
    errors: Mapping[str, Finding]
    around: Any
    declared: Part = field(default_factory=Part)
    files: dict[str, _File] = field(default_factory=dict)
    before: Mapping[str, _File] = field(default_factory=dict)

    def declaration(self, one: Checked, inherited: Any, make: Callable[[], PackageDeclaration]) -> PackageDeclaration:
        """The declaration last made of this very file from equal `inherited` values, or a new one."""
        known = self.before.get(one.path)
        is_same = known is not None and known[0] is one and known[1] == inherited
        found = known if known is not None and is_same else (one, inherited, make())
        self.files[one.path] = found
        return found[2]


@dataclass(slots=True)
class Memo:
    """Keeps what the last load used, and nothing older. `check` is who reads files; `parsed` counts them."""

    check: CheckEach = check_each
    parsed: int = 0
    _files: dict[str, Files] = field(default_factory=dict)
    _sound: dict[str, CheckedPart] = field(default_factory=dict)
    _top: CheckedPart | None = None
    _made: dict[str, Made] = field(default_factory=dict)
    _around: Any = None
    _names: tuple[str, ...] = ()
    _twins: tuple[tuple[str, str], ...] = ()

    def sort(self, parts: Mapping[str, tuple[CatalogFile, ...]]) -> Mapping[str, Files]:
        """The parts with declarations in them."""
        found = {name: self._sorted(name, files) for name, files in parts.items()}
        return {name: files for name, files in found.items() if files.declared}

    def _sorted(self, name: str, files: tuple[CatalogFile, ...]) -> Files:
        known = self._files.get(name)
        if known is not None and (known.files is files or known.files == files):
            return known
        declared = tuple(file for file in files if file.mode != "file" or is_declaration(file.path))
        return Files(files=files, declared=declared, size=sum(f.size for f in declared if f.size <= MAX_BYTES))

    def parts(self, found: Mapping[str, Files]) -> Mapping[str, CheckedPart]:
        """Each part with its files checked, those that are new by `check`, all at once."""
        fresh = {name: files for name, files in found.items() if files.part is None}
        known = {name: self._known(name) for name in fresh}
        new = [file for name, files in fresh.items() for file in files.declared if _key(file) not in known[name]]
        checked = dict(zip(map(_key, new), self.check(new), strict=True))
        self.parsed += len(new)
        for name, files in fresh.items():
            keys = map(_key, files.declared)
            files.part = self._part(name, [known[name].get(key) or checked[key] for key in keys])
        self._files = dict(found)
        return {name: files.part for name, files in found.items() if files.part is not None}

    def _known(self, name: str) -> dict[_Key, Checked]:
        known = self._files.get(name)
        if known is None or known.part is None:
            return {}
        return dict(zip(map(_key, known.declared), known.part.checked, strict=True))

    def _part(self, name: str, checked: Iterable[Checked]) -> CheckedPart:
        """The same object as before while it holds the same."""
        every = tuple(checked)
        known = self._files.get(name)
        before = known.part if known else None
        same = before is not None and len(before.checked) == len(every)
        if same and before is not None and all(map(_is, before.checked, every)):
            return before
        return CheckedPart(name, every)

    def is_sound(self, part: CheckedPart, top: CheckedPart) -> bool:
        """Whether nothing was wrong between the files of this part and of `top`, which all parts may lean on."""
        if top is not self._top:
            self._sound, self._top = {}, top
        return self._sound.get(part.name) is part

    def found_sound(self, part: CheckedPart) -> None:
        self._sound[part.name] = part

    def forget_but(self, names: Mapping[str, Any]) -> None:
        """Of parts that are no more nothing is kept."""
        for name in self._made.keys() - names.keys():
            del self._made[name]
        for name in self._sound.keys() - names.keys():
            del self._sound[name]

    def twins(
        self, names: Iterable[str], find: Callable[[Iterable[str]], Iterable[tuple[str, str]]]
    ) -> Iterable[tuple[str, str]]:
        """What `find` says of the names, asked again only when they are others."""
        if (every := tuple(names)) != self._names:
            self._names, self._twins = every, tuple(find(every))
        return self._twins

    def lean_on(self, around: Any) -> None:
        """From now on every part inherits this: the same object while it is equal."""
        if around != self._around:
            self._around = around

    def made(self, part: CheckedPart, errors: Mapping[str, Finding]) -> Part | None:
        """What was last made of this very part, with the same `errors` in its files and the same around it."""
        known = self._made.get(part.name)
        if known is None or known.part is not part or known.around is not self._around:
            return None
        return known.declared if known.errors == errors else None

    def make(self, part: CheckedPart, errors: Mapping[str, Finding], fill: Callable[[Made], Part]) -> Part:
        """What `fill` makes of the part now."""
        known = self._made.get(part.name)
        made = Made(part=part, errors=errors, around=self._around, before=known.files if known else {})
        made.declared, made.before = fill(made), {}
        self._made[part.name] = made
        return made.declared


def _key(file: CatalogFile) -> _Key:
    return file.path, file.mode, file.oid


def _is(one: Checked, other: Checked) -> bool:
    return one is other
