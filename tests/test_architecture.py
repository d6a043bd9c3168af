"""Walls that import-linter does not draw: each library has one door, and only the wiring names back ends."""

import grimp
import pytest

DOORS = {
    "anyio": {"gitopsreg.server.hands"},
    "apscheduler": {"gitopsreg.wiring.ticking"},
    "azure": {"gitopsreg.storage.azure_client"},
    "boto3": {"gitopsreg.storage.s3_client"},
    "botocore": {"gitopsreg.storage.s3_client"},
    "deflate": {"gitopsreg.upstream.archive"},
    "google": {"gitopsreg.storage.gcs_client"},
    "google_crc32c": {"gitopsreg.storage.gcs_client"},
    # one asks where a repository went, one asks other registries, one fetches files
    "httpx": {"gitopsreg.transport.http", "gitopsreg.transport.http_json", "gitopsreg.transport.http_download"},
    "isal": {"gitopsreg.upstream.zip_content"},
    "jsonschema": {"gitopsreg.catalog.strict"},
    # one reads and writes the index, one reads what strangers wrote, one keeps checked files
    "orjson": {"gitopsreg.index.codec", "gitopsreg.upstream.opentofu_git_reading", "gitopsreg.catalog.pack"},
    "pygit2": {"gitopsreg.transport.git"},
    "pysequoia": {"gitopsreg.upstream.signature", "gitopsreg.offline.secret_key"},  # one verifies, one signs
    "requests": {"gitopsreg.storage.gcs_client"},
    "semantic_version": {"gitopsreg.model.version"},
    "urllib3": {"gitopsreg.storage.s3_client"},
    "yaml": {"gitopsreg.catalog.loader", "gitopsreg.catalog.plain"},  # one tells what is wrong, one is quick
}
ROOMS = {
    "fastapi": "gitopsreg.server",
    "pydantic_settings": "gitopsreg.settings",
    "rich": "gitopsreg.cli",
    "starlette": "gitopsreg.server",
    "typer": "gitopsreg.cli",
    "uvicorn": "gitopsreg.server",
}
BACK_ENDS = {
    "gitopsreg.storage.memory",
    "gitopsreg.storage.filesystem",
    "gitopsreg.storage.azure",
    "gitopsreg.storage.gcs",
    "gitopsreg.storage.s3",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("gitopsreg", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(graph: grimp.ImportGraph, library: str) -> None:
    assert graph.find_modules_that_directly_import(library) == DOORS[library]


@pytest.mark.parametrize("library", ROOMS)
def test_a_framework_stays_in_its_room(graph: grimp.ImportGraph, library: str) -> None:
    importers = graph.find_modules_that_directly_import(library)
    assert importers
    assert {name for name in importers if not name.startswith(ROOMS[library])} == set()


@pytest.mark.parametrize("store", sorted(BACK_ENDS))
def test_only_the_wiring_names_back_ends(graph: grimp.ImportGraph, store: str) -> None:
    outside = {
        name for name in graph.find_modules_that_directly_import(store) if not name.startswith("gitopsreg.storage")
    }
    assert outside <= {"gitopsreg.wiring.stores"}


def test_the_server_gets_a_store_without_a_way_to_write() -> None:
    from gitopsreg.storage.filesystem import FilesystemReader

    assert not {"put", "replace", "delete"} & set(dir(FilesystemReader))
