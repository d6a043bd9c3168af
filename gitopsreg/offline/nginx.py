"""The rules that a web server needs to serve the export, as two files for nginx. Pure.

`maps.conf` belongs into `http`, `locations.conf` into `server`. They name no folder: the export may move.
"""

from collections.abc import Iterable

_MAPS = """\
# The X-Terraform-Get of every module, which no plain file can say. Include this in http {{ }}.
map_hash_bucket_size 1024;
map_hash_max_size {size};
geo $gitopsreg_dollar {{ default "$"; }}
map $uri $gitopsreg_module {{
    default "";
{lines}}}
"""

LOCATIONS = """\
# Include this in server { }, where root is the folder www of the export.
location ~ ^/v1/modules/[^/]+/[^/]+/[^/]+/[^/]+/download$ {
    add_header X-Terraform-Get $gitopsreg_module always;
    add_header Cache-Control no-cache;
    if ($gitopsreg_module) { return 204; }
    # Exported, but this nginx has not been reloaded since: clients try again.
    if (-f $request_filename) {
        add_header Retry-After 5 always;
        return 503;
    }
    return 404;
}
location ~ ^/v1/.+(?:\\.zip|\\.tar\\.gz|_SHA256SUMS|_SHA256SUMS\\.sig)$ {
    types { application/zip zip; }
    default_type application/octet-stream;
    gzip off;
    gunzip off;
    add_header Cache-Control "public, max-age=31536000, immutable";
    add_header X-Content-Type-Options nosniff;
}
location /v1/ {
    types { }
    default_type application/json;
    add_header Cache-Control no-cache;
}
location = /.well-known/terraform.json {
    types { }
    default_type application/json;
    add_header Cache-Control "public, max-age=300";
}
"""


def maps(locations: Iterable[tuple[str, str]]) -> str:
    """`maps.conf` for (path of a module's download, its location)."""
    lines = sorted(f"    {_quoted(path)} {_quoted(location)};\n" for path, location in locations)
    return _MAPS.format(size=max(2048, 2 * len(lines)), lines="".join(lines))


def _quoted(text: str) -> str:
    """A value as nginx reads it; it has no way to write a dollar but a variable that holds one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${gitopsreg_dollar}")
    return f'"{escaped}"'
