"""Whatever happens in a worker, its owner gets an answer, and no more of it than it can take."""

import os
from pathlib import Path
from threading import Thread

import pytest

from gitopsreg.transport import child
from gitopsreg.transport.credentials import CredentialsFile
from gitopsreg.transport.git import Callbacks
from gitopsreg.transport.worker import Setup


def test_a_failure_that_nobody_thought_of_is_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("https://robot:hunter2@git.example.com\n")
    setup = Setup(home=tmp_path, scratch=tmp_path, credentials=CredentialsFile(file), allow_local=True)
    answer = setup.answer({"url": "https://git.example.com/x", "operation": "refs", "seconds": "hunter2"})
    assert answer["reason"] == "UpstreamError"
    assert answer["error"].startswith('"https://git.example.com/x" can\'t be read: TypeError')
    assert "hunter2" not in answer["error"]


def test_what_a_server_says_meanwhile_is_not_listened_to() -> None:
    """In whatever encoding it may say it."""
    assert Callbacks(lambda _: None, ()).sideband_progress is None


def test_an_answer_without_end_is_cut_off() -> None:
    read, write = os.pipe()

    def talk() -> None:
        with os.fdopen(write, "wb", buffering=0) as pipe:
            try:
                for _ in range(200):
                    pipe.write(b"x" * 1024 * 1024)
            except BrokenPipeError:
                pass

    talker = Thread(target=talk)
    talker.start()
    with os.fdopen(read, "rb"), pytest.raises(OverflowError):
        child._line(read, float("inf"))
    talker.join()
