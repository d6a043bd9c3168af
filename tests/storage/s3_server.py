"""An S3 to test against: moto in a process of its own, one for all tests of a worker, and a bucket for each store.

`python -m tests.storage.s3_server` prints its port and serves until its standard input ends.
"""

import atexit
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.s3 import S3Store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SECRET = "the-secret-that-no-message-may-show"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_numbers = count()


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """No variable of AWS but these, for a moment: a store takes its credentials from here when it is opened."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@cache
def endpoint() -> str:
    """The server's URL; the first call starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.s3_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_stop, process)
    assert process.stdout is not None
    return f"http://127.0.0.1:{int(process.stdout.readline())}"


def _stop(process: "subprocess.Popen[str]") -> None:
    with process:
        process.kill()


@cache
def client() -> "S3Client":
    import boto3

    with environment(**CREDENTIALS):
        return boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint())


def new_address(prefix: str = "", **options: str) -> StoreAddress:
    """The address of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    client().create_bucket(Bucket=name)
    return StoreAddress(scheme="s3", place=name, prefix=prefix, options={"endpoint": endpoint(), **options})


def open_store(address: StoreAddress) -> S3Store:
    with environment(**CREDENTIALS):
        return S3Store(address)


def new_store() -> S3Store:
    return open_store(new_address("a/prefix"))


_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OneAtATime:
    """moto looks at a condition and then writes, and other threads may write between: here none can."""

    def __init__(self, application: _Application) -> None:
        self._application = application
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            return self._application(environ, start_response)


def main() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
