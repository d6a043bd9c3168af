"""The protocols' paths. Each route is a plain function: path to package, package to document; no I/O."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from gitopsreg.protocol import discovery, lookup, mirror, modules, providers
from gitopsreg.protocol.document import encode
from gitopsreg.server.answers import STABLE, Answer, respond
from gitopsreg.server.desk import OpenDesk, house

F = TypeVar("F", bound=Callable[..., Any])

router = APIRouter()

_ERROR = {"application/json": {"example": {"errors": ['no module "platform/vpc/aws" is published here']}}}
_SAME = {"description": "The client already has this answer (If-None-Match)."}


def answers(
    into: APIRouter, path: str, *, tags: list[str], summary: str, responses: dict[int | str, dict[str, Any]]
) -> Callable[[F], F]:
    """GET, described on the API page, and HEAD, which needs no words."""

    def add(endpoint: F) -> F:
        into.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            tags=list(tags),
            summary=summary,
            responses=responses,
            response_class=Response,
            response_model=None,
        )
        into.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False, response_model=None)
        return endpoint

    return add


def _json(description: str, example: object, *, missing: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": description, "content": {"application/json": {"example": example}}},
        304: _SAME,
        404: {"description": missing, "content": _ERROR},
    }


@answers(
    router,
    discovery.PATH,
    tags=["discovery"],
    summary="Where the registry's services are",
    responses={200: {"description": "Base URLs by service.", "content": {"application/json": {}}}, 304: _SAME},
)
async def discover(request: Request) -> Response:
    served = house(request).snapshots.current()
    answer = Answer(body=encode(discovery.services()), lifetime=STABLE)
    return respond(request, answer, str(served.snapshot.digest) if served else None)


@answers(
    router,
    discovery.MODULES + "{namespace}/{name}/{system}/versions",
    tags=["modules"],
    summary="List a module's versions",
    responses=_json(
        "The listed versions, newest first.",
        {"modules": [{"source": "https://git.example.com/acme/vpc", "versions": [{"version": "1.2.0"}]}]},
        missing="No such module, or it is archived.",
    ),
)
async def module_versions(namespace: str, name: str, system: str, desk: OpenDesk) -> Response:
    return desk.document(modules.versions(lookup.module(desk.snapshot, namespace, name, system)))


@answers(
    router,
    discovery.MODULES + "{namespace}/{name}/{system}/{version}/download",
    tags=["modules"],
    summary="Where to fetch one version of a module",
    responses={
        204: {
            "description": "The header X-Terraform-Get holds a signed link to the archive, with its checksum.",
            "headers": {"X-Terraform-Get": {"schema": {"type": "string"}}},
        },
        304: _SAME,
        404: {"description": "No such module or version.", "content": _ERROR},
        410: {"description": "The version is blocked; the body says why.", "content": _ERROR},
    },
)
async def module_download(namespace: str, name: str, system: str, version: str, desk: OpenDesk) -> Response:
    package = lookup.module(desk.snapshot, namespace, name, system)
    found = lookup.module_version(package, version)
    return desk.location(modules.location(package, found, desk.link, desk.origin))


@answers(
    router,
    discovery.PROVIDERS + "{namespace}/{provider}/versions",
    tags=["providers"],
    summary="List a provider's versions",
    responses=_json(
        "The listed versions, newest first, with their platforms, and warnings that clients print.",
        {
            "versions": [
                {"version": "1.0.0", "protocols": ["5.0"], "platforms": [{"os": "linux", "arch": "amd64"}]},
            ],
            "warnings": ["version 1.0.0 is yanked: it forgets its state"],
        },
        missing="No such provider, or it is archived.",
    ),
)
async def provider_versions(namespace: str, provider: str, desk: OpenDesk) -> Response:
    return desk.document(providers.versions(lookup.provider(desk.snapshot, namespace, provider)))


@answers(
    router,
    discovery.PROVIDERS + "{namespace}/{provider}/{version}/download/{os}/{arch}",
    tags=["providers"],
    summary="All that installing one platform's build needs",
    responses=_json(
        "Signed links to the zip, the checksums and their signature, and the keys that vouch for it.",
        {"protocols": ["5.0"], "os": "linux", "arch": "amd64", "shasum": "…", "download_url": "https://…"},
        missing="No such provider, version or platform.",
    )
    | {410: {"description": "The version is blocked; the body says why.", "content": _ERROR}},
)
async def provider_download(
    namespace: str,
    provider: str,
    version: str,
    os: str,
    arch: str,
    desk: OpenDesk,
) -> Response:
    package = lookup.provider(desk.snapshot, namespace, provider)
    found = lookup.provider_version(package, version)
    build = lookup.provider_build(package, found, os, arch)
    return desk.document(providers.download(found, build, desk.link, desk.origin))


@answers(
    router,
    discovery.MIRROR + "{host}/{namespace}/{provider}/index.json",
    tags=["network mirror"],
    summary="The versions of a provider that this mirror has",
    responses=_json(
        "The listed versions.", {"versions": {"1.0.0": {}}}, missing="Not a provider of this registry, or archived."
    ),
)
async def mirror_index(host: str, namespace: str, provider: str, desk: OpenDesk) -> Response:
    return desk.document(mirror.index(desk.snapshot, desk.hosts, host, namespace, provider))


@answers(
    router,
    discovery.MIRROR + "{host}/{namespace}/{provider}/{version}.json",
    tags=["network mirror"],
    summary="The archives of one version of a provider",
    responses=_json(
        "One archive a platform; none for a version that is not here, so that clients ask elsewhere.",
        {"archives": {"linux_amd64": {"url": "/artifacts/…", "hashes": ["h1:…", "zh:…"]}}},
        missing="The path can't name a version of a provider.",
    ),
)
async def mirror_version(
    host: str,
    namespace: str,
    provider: str,
    version: str,
    desk: OpenDesk,
) -> Response:
    path = (host, namespace, provider, version)
    return desk.document(mirror.version_document(desk.snapshot, desk.hosts, path, desk.link))
