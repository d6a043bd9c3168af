"""The rules that a web server needs to serve the export, as two files for nginx. Pure.

`maps.conf` belongs into `http`, `locations.conf` into `server`. They name no folder: the export may move.
"""

import re
from collections import Counter
from collections.abc import Iterable

_MAPS = """\
# The X-Terraform-Get of every module, which no plain file can say. Include this in http {{ }}.
map_hash_bucket_size 1024;
map_hash_max_size {size};
geo $g_d {{ default "$"; }}
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
    add_header Cache-Control "public, max-age=3600";
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
    found = sorted(locations)
    spelt = Counter(path.lower() for path, _ in found)
    # nginx compares plain keys without regard to letter case, and refuses two that are then the same.
    lines = [
        f"    {_quoted(path) if spelt[path.lower()] == 1 else _exactly(path)} {_quoted(location)};\n"
        for path, location in found
    ]
    return _MAPS.format(size=max(2048, 2 * len(lines)), lines="".join(lines))


def _exactly(path: str) -> str:
    """A key that minds letter case: a regular expression. Paths hold letters, digits and ``/._+-`` only."""
    return f'"~^{re.escape(path)}$"'.replace("\\", "\\\\")


def _quoted(text: str) -> str:
    """A value as nginx reads it; it has no way to write a dollar but a variable that holds one.

    The variable's name is short: nginx refuses values of more than 4,096 bytes, and a folder of 500 dollars fits.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${g_d}")
    return f'"{escaped}"'
