"""Two small pages for people: what this is, and its API. Plain HTML without scripts, so they work with no internet."""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from gitopsreg.protocol import discovery
from gitopsreg.server.desk import house

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code { font: 0.92em ui-monospace, monospace }
h3 { margin: 1.6rem 0 0.3rem; font-size: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0.3rem 0 }
dd { margin: 0 }
"""


@router.api_route("/", methods=["GET", "HEAD"])
async def start(request: Request) -> HTMLResponse:
    served = house(request).snapshots.current()
    if served is None:
        state = "<p>Nothing is published yet.</p>"
    else:
        root = served.snapshot.root
        state = (
            f"<p>{root.packages} packages of catalog revision <code>{escape(root.revision)}</code>, "
            f"snapshot <code>{served.snapshot.digest}</code>.</p>"
        )
    services = "".join(
        f"<dt>{name}</dt><dd><code>{path}</code></dd>"
        for name, path in (
            ("service discovery", discovery.PATH),
            ("modules", discovery.MODULES),
            ("providers", discovery.PROVIDERS),
            ("provider network mirror", discovery.MIRROR),
        )
    )
    return _page(
        "gitopsreg",
        f'<p>A Terraform and OpenTofu registry.</p>{state}<dl>{services}</dl><p><a href="/docs">API</a></p>',
    )


@router.api_route("/docs", methods=["GET", "HEAD"])
async def api(request: Request) -> HTMLResponse:
    app: FastAPI = request.app
    body = '<p>The same as <a href="/openapi.json">OpenAPI</a>, for tools.</p>'
    return _page("gitopsreg API", body + "".join(_operations(app.openapi())))


def _operations(document: dict[str, Any]) -> Iterator[str]:
    tag = ""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            first = operation.get("tags", [""])[0]
            if first != tag:
                tag = first
                yield f"<h2>{escape(tag.capitalize())}</h2>"
            yield f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{escape(operation['summary'])}</p><dl>"
            for status, answer in operation.get("responses", {}).items():
                yield f"<dt>{escape(status)}</dt><dd>{escape(answer.get('description', ''))}</dd>"
            yield "</dl>"


def _page(title: str, body: str) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>",
        headers=_HEADERS,
    )
