import json

import pytest

from gitopsreg.catalog.reports.formats import FORMATS, OF_SERVICES, renderer
from tests.catalog.reports.examples import EVERYTHING, a_report


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_text_that_ends_its_last_line_and_is_the_same_each_time(name: str) -> None:
    text = renderer(name)(EVERYTHING)
    assert text.endswith("\n")
    assert "\x1b" not in text
    assert text == renderer(name)(EVERYTHING)
    assert renderer(name)(a_report()) == "" or name not in {"jsonl", "azure"}


def test_services_are_formats() -> None:
    assert set(OF_SERVICES) < set(FORMATS)


def test_json_is_one_document() -> None:
    assert json.loads(renderer("json")(EVERYTHING))["summary"]["errors"] == 3
