"""A Google Cloud Storage to test against: the documented JSON API, and the XML API's GET with a signed URL.

Strict: what the reference does not allow is refused. One server for all tests of a worker, and a bucket for each store.
Not gcp-storage-emulator, which ignores ifGenerationMatch and serves one request at a time: races could not be tested.
"""

import atexit
import json
import re
import secrets
import socket
import time
from contextlib import suppress
from email.message import Message
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.gcs import GcsStore
from tests.storage.gcs_identity import Identity
from tests.storage.gcs_objects import QUANTUM, Bucket, Fault, Object, Refusal, Session

_numbers = count()


class GcsServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.buckets: dict[str, Bucket] = {}
        self.identity = Identity()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def bucket(self) -> Bucket:
        """A new one."""
        made = Bucket(f"bucket-{next(_numbers)}")
        self.buckets[made.name] = made
        return made

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error, and neither is one that doesn't trust us."""


class Handler(BaseHTTPRequestHandler):
    server: GcsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    routes: ClassVar[list[tuple[str, str, str]]] = [
        ("GET", r"/storage/v1/b/([^/]+)/o", "list_objects"),
        ("GET", r"(?:/download)?/storage/v1/b/([^/]+)/o/([^/]+)", "get_object"),
        ("DELETE", r"/storage/v1/b/([^/]+)/o/([^/]+)", "delete_object"),
        ("POST", r"/upload/storage/v1/b/([^/]+)/o", "begin_upload"),
        ("PUT", r"/upload/storage/v1/b/([^/]+)/o", "continue_upload"),
        ("DELETE", r"/upload/storage/v1/b/([^/]+)/o", "cancel_upload"),
        ("GET", r"/(bucket-[0-9]+|no-such-bucket)/(.+)", "get_signed"),
    ]
    secure = False

    def do_CONNECT(self) -> None:
        """As a proxy this server is every host of Google's, with a certificate for each."""
        self.send_response(200)
        self.end_headers()
        host = self.path.rpartition(":")[0]
        self.connection = self.server.identity.context(host).wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure, self.close_connection = True, False

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def handle_request(self) -> None:
        self.url = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(self.url.query, keep_blank_values=True).items()}
        self.fault: Fault | None = None
        try:
            if not self.server.identity.answer(self):
                self.answer_storage()
        except Refusal as refusal:
            self.refuse(refusal)

    do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815 - as http.server calls them

    def answer_storage(self) -> None:
        for method, pattern, name in self.routes:
            found = re.fullmatch(pattern, self.url.path)
            if found and method == self.command:
                self.bucket = self.server.buckets.get(found[1]) or Bucket("")
                self.fault = self.bucket.fault(f"{self.command} {self.path}")
                self.body = self.read_body()
                if self.fault and self.fault.how == "status":
                    raise Refusal(self.fault.after, "backendError", "Backend Error")
                self.admit(signed=name == "get_signed")
                getattr(self, name)(*map(unquote, found.groups()[1:]))
                return
        raise Refusal(404, "notFound", "Not Found")

    def read_body(self) -> bytes:
        if "transfer-encoding" in self.headers:
            raise Refusal(411, "lengthRequired", "Length Required")
        length = int(self.headers.get("content-length", "0"))
        if self.fault and self.fault.how == "cut" and self.command != "GET":
            return self.rfile.read(self.fault.after)
        body = self.rfile.read(length)
        return self.fault.damage(body) if self.fault else body

    def admit(self, *, signed: bool) -> None:
        if not self.bucket.name:
            raise Refusal(404, "notFound", "The specified bucket does not exist.")
        token = self.headers.get("authorization", "")
        if token and not self.secure:
            raise Refusal(400, "insecure", "A token came over plain HTTP.")
        if (self.bucket.private or token) and not signed and not self.server.identity.knows(token):
            raise Refusal(401, "authError", "Invalid Credentials")
        if self.bucket.denied:
            raise Refusal(403, "forbidden", "The caller does not have storage.objects access.")

    # Reading

    def list_objects(self) -> None:
        self.send_json(200, self.bucket.listing(self.query))

    def get_object(self, name: str) -> None:
        found = self.bucket.find(name, self.query)
        if self.query.get("alt", "json") == "media":
            self.send_media(found, found.about.get("contentType", "application/octet-stream"), {})
        else:
            self.send_json(200, found.resource())

    def get_signed(self, name: str) -> None:
        """https://cloud.google.com/storage/docs/access-control/signed-urls: the URL may override these headers."""
        self.server.identity.verify(self, time.time() + self.bucket.ahead)
        found = self.bucket.find(name, self.query)
        headers = {"Content-Disposition": self.query.get("response-content-disposition", "inline")}
        self.send_media(found, self.query.get("response-content-type", ""), headers)

    def send_media(self, found: Object, content_type: str, headers: dict[str, str]) -> None:
        """https://cloud.google.com/storage/docs/xml-api/reference-headers; ranges as in RFC 9110, 14.2."""
        size, start, end = len(found.data), 0, len(found.data)
        wanted = self.headers.get("range")
        if wanted is not None:
            span = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{1,18})?", wanted)
            if not span or (span[2] and int(span[2]) < int(span[1])):
                raise Refusal(400, "invalid", "Invalid Range header")
            start, end = int(span[1]), min(size, int(span[2]) + 1 if span[2] else size)
            if start >= size:
                raise Refusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        headers |= {
            "Content-Type": content_type,
            "X-Goog-Generation": str(found.generation),
            "X-Goog-Metageneration": "1",
            "X-Goog-Stored-Content-Length": str(size),
            "X-Goog-Hash": f"crc32c={found.crc32c},md5={found.md5}",
            "Cache-Control": found.about.get("cacheControl", "public, max-age=3600"),
        }
        self.send(206 if wanted else 200, found.data[start:end], headers)

    # Writing

    def delete_object(self, name: str) -> None:
        self.bucket.delete(name, self.query)
        self.send(204, b"", {})

    def begin_upload(self) -> None:
        match self.query.get("uploadType"):
            case "multipart":
                about, data = self.related()
                made = self.bucket.insert(about.get("name") or self.query.get("name", ""), data, about, self.query)
                self.send_json(200, made.resource())
            case "media":
                about = {"contentType": self.headers.get("content-type")}
                made = self.bucket.insert(self.query.get("name", ""), self.body, about, self.query)
                self.send_json(200, made.resource())
            case "resumable":
                self.begin_session()
            case other:
                raise Refusal(400, "invalid", f"Invalid uploadType: {other}")

    def related(self) -> tuple[dict[str, Any], bytes]:
        """Metadata and bytes: https://cloud.google.com/storage/docs/uploading-objects-from-memory (multipart)."""
        kind = Message()
        kind["content-type"] = self.headers.get("content-type", "")
        boundary = kind.get_param("boundary")
        if kind.get_content_type() != "multipart/related" or not isinstance(boundary, str):
            raise Refusal(400, "invalid", "Multipart must be multipart/related.")
        mark = b"--" + boundary.encode()
        head, metadata, data, tail = self.body.split(mark)
        if head or tail.strip() != b"--" or not data.endswith(b"\r\n"):
            raise Refusal(400, "badContent", "Malformed multipart body.")
        head, data = data.split(b"\r\n\r\n", 1)
        own = re.search(rb"(?i)content-type: *([^\r]+)", head)
        about = {"contentType": own[1].decode()} if own else {}
        return about | json.loads(metadata.split(b"\r\n\r\n", 1)[1]), data[:-2]

    def begin_session(self) -> None:
        about = json.loads(self.body or b"{}")
        name = about.get("name") or self.query.get("name", "")
        token = secrets.token_hex(16)
        self.bucket.sessions[token] = Session(name=name, about=about, query=self.query)
        scheme = "https" if self.secure else "http"
        location = f"{scheme}://{self.headers['host']}{self.url.path}?uploadType=resumable&upload_id={token}"
        self.send(200, b"", {"Location": location})

    def session(self) -> Session:
        try:
            return self.bucket.sessions[self.query["upload_id"]]
        except KeyError:
            raise Refusal(404, "notFound", "No such upload session.") from None

    def continue_upload(self) -> None:
        session = self.session()
        span = self.headers.get("content-range", "")
        if self.fault and self.fault.how == "cut":  # whole quanta of what came are kept
            start = int(re.findall(r"[0-9]+", span)[0])
            self.bucket.persist(session, start, self.body[: len(self.body) // QUANTUM * QUANTUM])
            self.hang_up()
            return
        if self.fault and self.fault.how == "stuck":
            self.send(308, b"", {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {})
            return
        proof = re.search(r"crc32c=([^,]+)", self.headers.get("x-goog-hash", ""))
        made = self.bucket.receive(session, self.body, span, proof[1] if proof else "")
        if made:
            self.send_json(200, made.resource())
        else:
            self.send(308, b"", {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {})

    def cancel_upload(self) -> None:
        self.session()
        del self.bucket.sessions[self.query["upload_id"]]
        self.send(499, b"", {})

    # Answering

    def send_json(self, status: int, document: object) -> None:
        self.send(status, json.dumps(document).encode(), {"Content-Type": "application/json; charset=UTF-8"})

    def refuse(self, refusal: Refusal) -> None:
        """https://cloud.google.com/storage/docs/json_api/v1/status-codes: of bytes only the message, as text."""
        if self.query.get("alt") == "media":
            self.send(refusal.status, refusal.message.encode(), {"Content-Type": "text/html; charset=UTF-8"})
            return
        details = {"message": refusal.message, "domain": "global", "reason": refusal.reason}
        error = {"code": refusal.status, "message": refusal.message, "errors": [details]}
        self.send_json(refusal.status, {"error": error})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if self.fault and self.fault.how == "lost":
            self.hang_up()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.fault and self.fault.how == "cut":
            self.wfile.write(body[: self.fault.after])
            self.hang_up()
        else:
            self.wfile.write(self.fault.damage(body) if self.fault else body)

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        pass


@cache
def server() -> GcsServer:
    """The first call starts it."""
    made = GcsServer()
    atexit.register(made.stop)
    return made


def address(bucket: Bucket, prefix: str = "a/prefix") -> StoreAddress:
    return StoreAddress(scheme="gs", place=bucket.name, prefix=prefix, options={"endpoint": server().url})


def new_store() -> GcsStore:
    return GcsStore(address(server().bucket()))
