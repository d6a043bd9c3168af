import shlex
from dataclasses import replace
from pathlib import Path

from gitopsreg.cli import again
from gitopsreg.settings import Settings
from gitopsreg.settings.values import Backend

TOLD = Settings(
    catalog="git@git.example.com:acme/catalog.git",
    ref="refs/heads/main",
    path="registry/my catalog",
    store="s3://bucket/prefix?region=eu-central-1",
    backends=(Backend("archive", "file:///mnt/it's"),),
    allow_local_sources=True,
    git_credentials_file=Path("/run/secrets/git"),
)


def test_what_was_told_is_told_again() -> None:
    assert shlex.split(again.reconcile(TOLD)) == [
        *("gitopsreg", "reconcile", "--catalog", "git@git.example.com:acme/catalog.git", "--ref", "refs/heads/main"),
        *("--path", "registry/my catalog", "--store", "s3://bucket/prefix?region=eu-central-1"),
        *("--backend", "archive=file:///mnt/it's", "--allow-local-sources"),
        *("--git-credentials-file", "/run/secrets/git"),
    ]


def test_what_is_not_known_is_left_to_the_reader() -> None:
    assert again.reconcile(Settings()) == "gitopsreg reconcile --catalog … --store …"
    assert (
        again.reconcile(Settings(store="file:///s"), catalog=".") == "gitopsreg reconcile --catalog . --store file:///s"
    )
    assert "--jobs" not in again.reconcile(replace(TOLD, jobs=3))
