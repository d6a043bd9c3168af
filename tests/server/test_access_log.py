"""The record of each request."""

from gitopsreg.server.access_log import Access
from tests.server.house import a_registry, ask


def test_a_record_tells_what_was_answered_and_keeps_signatures_to_itself() -> None:
    records: list[Access] = []
    with a_registry(on_access=records.append) as url:
        location = ask(url, "/v1/modules/platform/vpc/aws/1.0.0/download").headers["x-terraform-get"]
        body = ask(url, location, headers={"User-Agent": "Terraform/1.11.4"}).body
        ask(url, "/nothing")
    found = {record.path: record for record in records}
    assert {(record.method, record.status) for record in records} == {("GET", 204), ("GET", 200), ("GET", 404)}
    assert "signature" not in repr(records)
    archive = found[location.partition("?")[0]]
    assert archive.sent == len(body)
    assert (archive.client, archive.user_agent) == ("127.0.0.1", "Terraform/1.11.4")
    assert archive.seconds > 0
