"""The folder that workers live in: the SSH directory under the name that libssh2 looks for, and an empty repository.

It lies where temporary files do, and whoever clears up there may take any of it away.
"""

import os
import tempfile
from pathlib import Path

from gitopsreg.transport import git


class Home:
    """Ours alone, under a name that nobody knows before; never mended in place, for by then others know the name."""

    def __init__(self, ssh: Path | None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gitopsreg-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self.scratch = self.path / "scratch.git"
        git.create(self.scratch)
        if ssh:
            (self.path / ".ssh").symlink_to(ssh.absolute())
        self._made = self._content()

    def is_whole(self) -> bool:
        """Whether all is there that was made."""
        return self._made <= self._content()

    def remove(self) -> None:
        self._folder.cleanup()

    def _content(self) -> set[str]:
        return {f"{at}/{name}" for at, folders, files in os.walk(self.path) for name in (*folders, *files)}
