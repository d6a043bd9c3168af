"""The servers that `hot_path` compares, each a process of its own with the same answers."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FIRST, LAST = "0", str((os.cpu_count() or 1) - 1)
ALL = f"0-{LAST}"

_NGINX = """daemon off;
worker_processes {workers};
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off; log_not_found off;
    sendfile on; tcp_nopush on; tcp_nodelay on;
    keepalive_requests 1000000000; keepalive_timeout 65;
    open_file_cache max=1000; open_file_cache_valid 60s;
    default_type application/json;
    gzip_static on;
    {temporary}
    server {{ listen 127.0.0.1:{port} reuseport; root {root}; }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`pids` are the processes that serve."""

    name: str
    workers: int
    url: str
    pids: tuple[int, ...]


def nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx_on(folder: Path, workers: int) -> Iterator[Server]:
    port = _free_port()
    prefix = folder / f"nginx-{workers}"
    (prefix / "temporary").mkdir(parents=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path temporary/{kind};" for kind in kinds)
    folder.chmod(0o755)  # its workers may be another user
    text = _NGINX.format(workers=workers, port=port, root=folder / "files", temporary=temporary)
    (prefix / "nginx.conf").write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
    command = [nginx() or "nginx", "-e", "stderr", "-p", str(prefix), "-c", "nginx.conf"]
    with _started(command, workers, f"http://127.0.0.1:{port}") as process:
        yield Server(name="nginx", workers=workers, url=f"http://127.0.0.1:{port}", pids=_children(process.pid))


@contextmanager
def ours(folder: Path, workers: int) -> Iterator[Server]:
    port = _free_port()
    listen = f"127.0.0.1:{port}"
    places = ["--store", str(folder / "store"), "--cache", str(folder / "cache")]
    command = [sys.executable, "-m", "gitopsreg", "serve", *places, "--listen", listen, "--workers", str(workers)]
    command += ["--public-url", "https://registry.example.com", "--output", "json"]
    with _started(command, workers, f"http://{listen}") as process:
        while workers > 1 and len(_children(process.pid)) < workers:
            time.sleep(0.05)
        time.sleep(1.0 if workers > 1 else 0)  # the last one loads
        pids = _children(process.pid) if workers > 1 else (process.pid,)
        yield Server(name="gitopsreg", workers=workers, url=f"http://{listen}", pids=pids)


@contextmanager
def plain(folder: Path) -> Iterator[Server]:
    port = _free_port()
    script = str(Path(__file__).with_name("plain_app.py"))
    command = [sys.executable, script, str(folder / "files"), str(port)]
    with _started(command, 1, f"http://127.0.0.1:{port}") as process:
        yield Server(name="FastAPI", workers=1, url=f"http://127.0.0.1:{port}", pids=(process.pid,))


@contextmanager
def _started(command: list[str], workers: int, url: str) -> Iterator[subprocess.Popen[bytes]]:
    pinned = ["taskset", "-c", FIRST if workers == 1 else ALL, *command]
    process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL)
    try:
        while not _answers(url):
            if process.poll() is not None:
                sys.exit(f"{command[0]} ended with {process.returncode}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return bool(get(f"{url}/.well-known/terraform.json")[0] == 200)
    except OSError:
        return False


def _children(parent: int) -> tuple[int, ...]:
    return tuple(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()
