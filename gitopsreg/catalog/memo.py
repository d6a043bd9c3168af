"""What is known of files already read, by path and content: an unchanged file costs a look-up. Used by one thread."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gitopsreg.catalog.check import Checked, check_file
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.model.declaration import PackageDeclaration

_Key = tuple[str, str, str]


@dataclass(slots=True)
class Memo:
    """Keeps what the last load used, and nothing older. `parsed` counts the files that had to be read."""

    parsed: int = 0
    _files: dict[_Key, Checked] = field(default_factory=dict)
    _declarations: dict[str, tuple[Checked, Any, PackageDeclaration]] = field(default_factory=dict)
    _around: Any = None

    def check(self, files: list[CatalogFile]) -> list[Checked]:
        """Each file checked by itself."""
        known, self._files = self._files, {}
        checked = []
        for file in files:
            key = (file.path, file.mode, file.oid)
            found = known.get(key)
            if found is None:
                found = check_file(file)
                self.parsed += 1
            self._files[key] = found
            checked.append(found)
        paths = {one.path for one in checked}
        self._declarations = {path: known for path, known in self._declarations.items() if path in paths}
        return checked

    def is_steady(self, around: Any) -> bool:
        """Whether all that lies around the packages is as it was at the last load: what is asked once a load."""
        same = bool(around == self._around)
        self._around = around
        return same

    def known(self, checked: Checked) -> PackageDeclaration | None:
        """The declaration last made of this very file."""
        known = self._declarations.get(checked.path)
        return known[2] if known is not None and known[0] is checked else None

    def forget(self, checked: Checked) -> None:
        """The file makes no declaration now: what was made of it once does not hold any more."""
        self._declarations.pop(checked.path, None)

    def declaration(
        self, checked: Checked, inherited: Any, make: Callable[[], PackageDeclaration]
    ) -> PackageDeclaration:
        """The declaration last made of this very file from equal `inherited` values, or a new one."""
        known = self._declarations.get(checked.path)
        if known is not None and known[0] is checked and known[1] == inherited:
            return known[2]
        made = make()
        self._declarations[checked.path] = (checked, inherited, made)
        return made
