"""What a registry answers, and what its store says of how it goes, in one word each."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tests.cli.shell import gitopsreg
from tests.server.house import Answer, ask


def module_versions(url: str, address: str) -> list[str]:
    """Oldest first as declared in tests; [] for a module that is not listed."""
    answer = ask(url, f"/v1/modules/{address}/versions")
    if answer.status == 404:
        return []
    assert answer.status == 200, answer
    return sorted(item["version"] for item in json.loads(answer.body)["modules"][0]["versions"])


def provider_versions(url: str, address: str) -> list[str]:
    answer = ask(url, f"/v1/providers/{address}/versions")
    if answer.status == 404:
        return []
    assert answer.status == 200, answer
    return sorted(item["version"] for item in json.loads(answer.body)["versions"])


def module_download(url: str, address: str, version: str) -> Answer:
    return ask(url, f"/v1/modules/{address}/{version}/download")


def module_archive(url: str, address: str, version: str) -> bytes:
    """The bytes that a client would unpack."""
    answer = module_download(url, address, version)
    assert answer.status == 204, answer
    path, _, query = answer.headers["x-terraform-get"].partition("?")
    archive = ask(url, f"{path.partition('//')[0]}?{query}")
    assert archive.status == 200, archive
    return archive.body


def status(folder: Path, *arguments: str) -> Any:
    """`gitopsreg status` of the store below `folder`."""
    return gitopsreg("status", "--store", folder / "store", "--output", "json", *arguments).json


def conditions(folder: Path, address: str) -> dict[str, str]:
    """A package's conditions, type to reason; abnormal ones are there only when something is abnormal."""
    return {item["type"]: item["reason"] for item in status(folder, address)["conditions"]}


def hook(url: str, name: str, body: bytes, **headers: str) -> Answer:
    return ask(url, f"/hooks/{name}", "POST", {key.replace("_", "-"): value for key, value in headers.items()}, body)


def github_push(url: str, secret: str, *, name: str = "catalog", ref: str = "refs/heads/main", delivery: str) -> Answer:
    """A push as GitHub tells of it, signed with this secret."""
    body = json.dumps({"ref": ref}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hook(
        url,
        name,
        body,
        X_GitHub_Event="push",
        X_GitHub_Delivery=delivery,
        X_Hub_Signature_256=f"sha256={signature}",
        Content_Type="application/json",
    )


def reconcile_now(url: str, token: str) -> None:
    """By the receiver "now", that takes a bearer token."""
    answer = hook(url, "now", b"", Authorization=f"Bearer {token}")
    assert answer.status == 202, answer
