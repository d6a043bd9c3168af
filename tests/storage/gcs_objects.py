"""Buckets, objects and upload sessions by the rules of Google Cloud Storage, without HTTP: what `gcs_server` serves.

https://cloud.google.com/storage/docs/json_api/v1/objects and …/docs/performing-resumable-uploads
"""

import json
import re
import time
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import md5
from itertools import count
from threading import RLock
from typing import Any

import google_crc32c

QUANTUM = 256 * 1024  # a part that is not the last is a multiple of it
PAGE = 3  # objects: a page may hold fewer than were asked for
_generations = count(int(time.time() * 1e6))


class Refusal(Exception):
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


@dataclass(frozen=True, kw_only=True)
class Object:
    name: str
    data: bytes
    about: dict[str, Any]
    generation: int = field(default_factory=lambda: next(_generations))
    created: float = field(default_factory=time.time)

    @cached_property
    def crc32c(self) -> str:
        return b64encode(google_crc32c.Checksum(self.data).digest()).decode()

    @cached_property
    def md5(self) -> str:
        return b64encode(md5(self.data).digest()).decode()

    def resource(self) -> dict[str, Any]:
        """https://cloud.google.com/storage/docs/json_api/v1/objects#resource-representations: numbers are strings."""
        moment = datetime.fromtimestamp(self.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "kind": "storage#object",
            "name": self.name,
            "size": str(len(self.data)),
            "generation": str(self.generation),
            "metageneration": "1",
            "timeCreated": moment,
            "updated": moment,
            "crc32c": self.crc32c,
            "md5Hash": self.md5,
            "etag": f"C{self.generation}",
            **{name: self.about[name] for name in ("contentType", "cacheControl", "metadata") if name in self.about},
        }


@dataclass(kw_only=True)
class Session:
    """A resumable upload: https://cloud.google.com/storage/docs/performing-resumable-uploads#chunked-upload"""

    name: str
    about: dict[str, Any]
    query: dict[str, str]
    data: bytearray = field(default_factory=bytearray)
    made: Object | None = None


@dataclass(kw_only=True)
class Fault:
    """What happens to the next request whose line holds `request`, and to none after it.

    "lost": it is done, and not answered. "cut": of the body, the request's or the answer's, `after` bytes arrive.
    "status": nothing is done, and `after` is the answer's status. "damaged": a byte of the body is another.
    "stuck": nothing is kept of a part, and all is said to be well.
    """

    request: str
    how: str
    after: int = 0

    def damage(self, body: bytes) -> bytes:
        middle = len(body) // 2
        if not body or self.how != "damaged":
            return body
        return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@dataclass
class Bucket:
    name: str
    objects: dict[str, Object] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # "METHOD path?query", in order
    private: bool = False  # whether a token must come with each request
    denied: bool = False
    terse: bool = False  # as emulators are: it does not say what it is that was not found
    ahead: float = 0.0  # seconds that its clock is ahead of ours
    lock: RLock = field(default_factory=RLock)

    def fault(self, line: str) -> Fault | None:
        with self.lock:
            self.requests.append(line)
            found = next((fault for fault in self.faults if fault.request in line), None)
            if found:
                self.faults.remove(found)
            return found

    def find(self, name: str, query: dict[str, str]) -> Object:
        found = self.objects.get(name)
        wanted = query.get("generation", "")
        if found is None or (wanted and wanted != str(found.generation)):
            shown = f"{name}#{wanted}" if wanted else name
            message = "Not Found" if self.terse else f"No such object: {self.name}/{shown}"
            raise Refusal(404, "notFound", message)
        self.check(found, query)
        return found

    def check(self, found: Object | None, query: dict[str, str]) -> None:
        """https://cloud.google.com/storage/docs/request-preconditions: generation 0 stands for "absent"."""
        now = {
            "ifGenerationMatch": found.generation if found else 0,
            "ifMetagenerationMatch": 1 if found else 0,
        }
        for name, value in now.items():
            if name in query and not re.fullmatch(r"[0-9]{1,19}", query[name]):
                raise Refusal(400, "invalid", f"Invalid value for {name}")
            if name in query and int(query[name]) != value:
                message = "At least one of the pre-conditions you specified did not hold."
                raise Refusal(412, "conditionNotMet", message)

    def insert(self, name: str, data: bytes, about: dict[str, Any], query: dict[str, str]) -> Object:
        if not name or len(name.encode()) > 1024:
            raise Refusal(400, "required", "Required")
        with self.lock:
            self.check(self.objects.get(name), query)
            made = Object(name=name, data=data, about=about)
            self.verify(made)
            self.objects[name] = made
        return made

    def verify(self, made: Object) -> None:
        """https://cloud.google.com/storage/docs/data-validation: what was sent with the bytes must be theirs."""
        for given, true in (("crc32c", made.crc32c), ("md5Hash", made.md5)):
            if made.about.get(given, true) != true:
                raise Refusal(400, "invalid", f"Provided {given} doesn't match calculated {true}.")

    def delete(self, name: str, query: dict[str, str]) -> None:
        with self.lock:
            self.find(name, query)
            del self.objects[name]

    def listing(self, query: dict[str, str]) -> dict[str, Any]:
        """https://cloud.google.com/storage/docs/json_api/v1/objects/list: by name, in UTF-8 order."""
        prefix, after = query.get("prefix", ""), query.get("pageToken", "")
        with self.lock:
            names = sorted(name for name in self.objects if name.startswith(prefix) and name > after)
            most = min(int(query.get("maxResults", "1000")), PAGE)
            items = [self.objects[name].resource() for name in names[:most]]
        fields = re.search(r"items\(([^)]*)\)", query.get("fields", ""))
        if fields:
            items = [{name: item[name] for name in fields[1].split(",")} for item in items]
        page: dict[str, Any] = {"kind": "storage#objects"} | ({"items": items} if items else {})
        return page | ({"nextPageToken": names[most - 1]} if len(names) > most else {})

    def receive(self, session: Session, body: bytes, span: str, proof: str) -> Object | None:
        """Bytes of an upload by their Content-Range; the object, when they were the last."""
        found = re.fullmatch(r"bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+|\*)", span)
        if not found or (found[1] is None and body):
            raise Refusal(400, "invalid", "Failed to parse Content-Range header.")
        if session.made is not None:
            return session.made
        start, total = int(found[1] or len(session.data)), found[3]
        if found[1] is not None and int(found[2]) - start + 1 != len(body):
            raise Refusal(400, "invalid", "Content-Range and Content-Length differ.")
        last = total != "*" and start + len(body) == int(total)
        if not last and len(body) % QUANTUM:
            raise Refusal(400, "invalid", "A part that is not the last must be a multiple of 256 KiB.")
        self.persist(session, start, body)
        if not last:
            return None
        about = session.about | json.loads(f'{{"crc32c": "{proof}"}}' if proof else "{}")
        session.made = self.insert(session.name, bytes(session.data), about, session.query)
        return session.made

    def persist(self, session: Session, start: int, body: bytes) -> None:
        """Bytes at an offset that is persisted already are ignored; a gap is an error."""
        if start > len(session.data):
            raise Refusal(400, "invalid", "Bytes before these are missing.")
        session.data += body[len(session.data) - start :]
