"""What one would write first: FastAPI, a dictionary, and JSONResponse. For comparison with `hot_path`.

`python benchmarks/plain_app.py FOLDER PORT`: FOLDER holds the documents as files, by the paths that they are served at.
"""

import json
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

FOLDER = Path(sys.argv[1])
DOCUMENTS = {
    f"/{path.relative_to(FOLDER)}": json.loads(path.read_bytes())
    for path in FOLDER.rglob("*")
    if path.is_file() and path.suffix != ".gz"
}

app = FastAPI()


def _found(path: str) -> JSONResponse:
    if path not in DOCUMENTS:
        raise HTTPException(404, "not found")
    return JSONResponse(DOCUMENTS[path])


@app.get("/.well-known/terraform.json")
async def discovery() -> JSONResponse:
    return _found("/.well-known/terraform.json")


@app.get("/v1/modules/{namespace}/{name}/{system}/versions")
async def module_versions(namespace: str, name: str, system: str) -> JSONResponse:
    return _found(f"/v1/modules/{namespace}/{name}/{system}/versions")


@app.get("/v1/providers/{namespace}/{name}/{version}/download/{os}/{arch}")
async def provider_download(namespace: str, name: str, version: str, os: str, arch: str) -> JSONResponse:
    return _found(f"/v1/providers/{namespace}/{name}/{version}/download/{os}/{arch}")


@app.get("/v1/mirror/{host}/{namespace}/{name}/{version}.json")
async def mirror(host: str, namespace: str, name: str, version: str) -> JSONResponse:
    return _found(f"/v1/mirror/{host}/{namespace}/{name}/{version}.json")


if __name__ == "__main__":
    # As uvicorn comes, but for its line a request: the others write none either.
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
