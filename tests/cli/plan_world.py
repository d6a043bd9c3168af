"""A catalog, and a change of it that touches everything that a plan can tell."""

from collections.abc import Mapping
from pathlib import Path

from tests.repositories import a_repository, commit, git

_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"


def namespace(name: str, spec: str) -> dict[str, str]:
    path = f"namespaces/{name}/namespace.yaml"
    return {path: f"{_HEAD}kind: Namespace\nmetadata: {{name: {name}}}\nspec:\n{spec}"}


def module(name: str, spec: str, *, url: str = "") -> dict[str, str]:
    url = url or f"https://git.example.com/acme/{name}.git"
    return {
        f"namespaces/platform/modules/{name}/aws.yaml": (
            f"{_HEAD}kind: Module\nmetadata: {{name: {name}, namespace: platform}}\n"
            f"spec:\n  system: aws\n  source: {{type: git, url: {url!r}}}\n{spec}"
        )
    }


def provider(name: str, keys: str, *versions: str) -> dict[str, str]:
    pins = "".join(f'      - {{version: "{text}", path: content/{name}/{text}}}\n' for text in versions)
    content = {f"content/{name}/{text}/README": "nothing\n" for text in versions}
    return {
        f"namespaces/platform/providers/{name}.yaml": (
            f"{_HEAD}kind: Provider\nmetadata: {{name: {name}, namespace: platform}}\n"
            f"spec:\n  source: {{type: catalog}}\n  verify: {{keys: [{keys}]}}\n  versions:\n    pins:\n{pins}"
        )
    } | content


def key(name: str, fingerprint: str, more: str = "", letter: str = "m") -> dict[str, str]:
    armor = f"    -----BEGIN PGP PUBLIC KEY BLOCK-----\n\n    {letter * 4}\n    -----END PGP PUBLIC KEY BLOCK-----\n"
    return {
        f"namespaces/platform/keys/{name}.yaml": (
            f"{_HEAD}kind: SigningKey\nmetadata: {{name: {name}, namespace: platform}}\n"
            f'spec:\n  fingerprint: "{fingerprint}"\n{more}  publicKey: |\n{armor}'
        )
    }


def registry(spec: str) -> dict[str, str]:
    return {"registry.yaml": f"{_HEAD}kind: Registry\nmetadata: {{name: default}}\nspec:\n{spec}"}


_PLAIN = {path: text for number in range(5) for path, text in module(f"plain{number}", "").items()}

BEFORE: Mapping[str, str] = {
    **registry("  hostname: registry.example.com\n  defaults: {interval: 15m}\n"),
    **namespace("platform", "  owners:\n    - {type: github-team, name: acme/platform}\n  aliases: [infra]\n"),
    **namespace("leaving", "  displayName: Nobody's\n"),
    **key("release", "A" * 40),
    **key("older", "B" * 40),
    **key("oldest", "C" * 40),
    **provider("internal", "release", "1.0.0"),
    **module(
        "vpc", "  versions:\n    constraint: '>= 1.0'\n    blocked:\n      - {version: '1.1.0', reason: leaked}\n"
    ),
    **module("moved", ""),
    **module(
        "pinned",
        "  versions:\n    pins:\n"
        f"      - {{version: '1.0.0', commit: '{'1' * 40}'}}\n      - {{version: '1.1.0', commit: '{'2' * 40}'}}\n",
    ),
    **module("gone", ""),
    **module("breaking", ""),
    **module("resting", ""),
    **_PLAIN,
}

AFTER: Mapping[str, str] = {
    **registry(
        "  hostname: packages.example.com\n  defaults:\n    interval: 1h\n"
        "  guards: {maxRemovedPackages: 50, allowEmpty: true}\n"
    ),
    **namespace(
        "platform",
        "  owners:\n    - {type: github-team, name: acme/platform}\n    - {type: github-team, name: acme/contractors}\n"
        "  allowedSources:\n    - {url: 'https://git.example.com/**'}\n    - {catalog: true}\n  aliases: [base]\n",
    ),
    **namespace("arriving", "  owners:\n    - {type: github-user, name: octocat}\n"),
    **key("release", "A" * 40, letter="n"),
    **key("older", "B" * 40, "  status: revoked\n"),
    **key("newer", "D" * 40, "  scope: {providers: [internal], versions: '>= 2.0'}\n"),
    **provider("internal", "release, newer", "1.0.0", "1.1.0"),
    **module(
        "vpc",
        "  versions:\n    constraint: '>= 1.0, < 2.0'\n    exclude: ['^1\\.3\\.']\n"
        "    yanked:\n      - {version: '1.0.0', reason: 'wrong | table, ask @acme/net #12'}\n"
        "    blocked:\n      - {version: '1.2.0', reason: malware}\n"
        "  deprecation: {message: 'use <b>base</b>', replacement: platform/arrived/aws}\n",
    ),
    **module("moved", "", url="https://git.example.com/other/moved.git"),
    **module("pinned", f"  versions:\n    pins:\n      - {{version: '1.0.0', commit: '{'3' * 40}'}}\n"),
    **module("breaking", "  versions: {constraint: 'one'}\n"),
    **module("resting", "  suspend: true\n"),
    **module("arrived", "  versions:\n    constraint: '~> 1.4'\n"),
    **_PLAIN,
}


def a_clone(path: Path, before: Mapping[str, str] = BEFORE, after: Mapping[str, str] = AFTER) -> Path:
    """main holds what was before; the branch "change", checked out, what comes after."""
    repository = a_repository(path)
    commit(repository, before)
    git(repository, "switch", "--quiet", "--create", "change")
    for gone in before.keys() - after.keys():
        (repository / gone).unlink()
    commit(repository, after)
    return repository
