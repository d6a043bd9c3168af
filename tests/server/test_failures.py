"""Errors as answers."""

import json

from gitopsreg.protocol.links import LinkSigner
from tests.server.house import a_registry, ask


def test_a_bug_is_500_in_json_and_reported_without_a_traceback_for_the_client() -> None:
    reports: list[str] = []

    def signer() -> LinkSigner:
        raise RuntimeError("a bug with details")

    with a_registry(signer=signer, report=reports.append) as url:
        answer = ask(url, "/v1/modules/platform/vpc/aws/1.0.0/download")
        assert ask(url, "/healthz").status == 200
    assert answer.status == 500
    assert json.loads(answer.body) == {"errors": ["the registry failed to answer; its log says why"]}
    assert reports == [
        "GET /v1/modules/platform/vpc/aws/1.0.0/download failed: RuntimeError: a bug with details",
    ]
