"""What may not be looked at, whatever this Python makes of it. Real folders are in tests/cli/test_forbidden.py."""

import os
from pathlib import Path

import pytest

from gitopsreg.transport.forbidden import forbidden


def test_a_python_whose_is_dir_never_raises_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()

    def refused(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    monkeypatch.setattr(Path, "stat", refused)
    assert "permission denied" in str(forbidden(tmp_path))
    monkeypatch.undo()
    assert forbidden(tmp_path) is None
    assert forbidden(tmp_path / "nothing") is None
