"""Who asks, at Google: tokens for keys and for machines, IAM's signBlob, and the check of a signed URL.

With HTTPS_PROXY naming the test's server and REQUESTS_CA_BUNDLE its authority, Google's libraries talk to their real
host names and get here.
"""

import json
import re
import secrets
import ssl
from base64 import b64decode, b64encode, urlsafe_b64decode
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import trustme
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.storage.gcs_objects import Refusal

if TYPE_CHECKING:
    from tests.storage.gcs_server import Handler

ACCOUNT = "registry@project.iam.gserviceaccount.com"
_METADATA = {"Metadata-Flavor": "Google"}
_LONGEST = 7 * 24 * 60 * 60


class Identity:
    """One service account; every token given out is its."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.may_sign = True
        self.machine = ACCOUNT  # the account of the machine, as its metadata tell
        self.asked: list[str] = []

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def authority(self) -> trustme.CA:
        return trustme.CA()

    def context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host).configure_cert(context)
        return context

    def key_file(self, folder: Path) -> Path:
        """https://cloud.google.com/iam/docs/keys-create-delete, with this account's real key."""
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        content = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "1",
            "private_key": self.key.private_bytes(serialization.Encoding.PEM, form, plain).decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        path = folder / "key.json"
        path.write_text(json.dumps(content))
        return path

    def knows(self, authorization: str) -> bool:
        return authorization.removeprefix("Bearer ") in self.tokens

    def answer(self, request: "Handler") -> bool:
        """False for what is no question of identity."""
        host, path = request.headers.get("host", ""), request.url.path
        if host == "oauth2.googleapis.com":
            request.send_json(200, self.grant(body(request).decode()))
        elif host == "iamcredentials.googleapis.com":
            self.asked.append(f"{request.command} {path}")
            self.sign_blob(request)
        elif path == "/" or path.startswith("/computeMetadata/v1/"):
            self.tell_machine(request, path.removeprefix("/computeMetadata/v1"))
        else:
            return False
        return True

    def token(self) -> dict[str, Any]:
        made = f"ya29.{secrets.token_hex(16)}"
        self.tokens.add(made)
        return {"access_token": made, "expires_in": 3600, "token_type": "Bearer"}

    def grant(self, form: str) -> dict[str, Any]:
        """https://developers.google.com/identity/protocols/oauth2/service-account#httprest"""
        assertion = parse_qs(form)["assertion"][0]
        signed, _, signature = assertion.rpartition(".")
        claims = json.loads(urlsafe_b64decode(signed.split(".")[1] + "=="))
        try:
            self.check(urlsafe_b64decode(signature + "=="), signed.encode())
        except InvalidSignature:
            raise Refusal(400, "invalid_grant", "Invalid JWT Signature.") from None
        if claims["iss"] != ACCOUNT or "devstorage.read" not in claims["scope"]:
            raise Refusal(400, "invalid_grant", "Invalid claims.")
        return self.token()

    def tell_machine(self, request: "Handler", path: str) -> None:
        """https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys"""
        if request.headers.get("metadata-flavor") != "Google":
            raise Refusal(403, "forbidden", "Missing Metadata-Flavor:Google header.")
        if path in {"/", "/project/project-id"}:
            request.send(200, b"project", _METADATA | {"Content-Type": "application/text"})
        elif path in {f"/instance/service-accounts/{name}/" for name in ("default", self.machine)}:
            about = {"email": self.machine, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}
            request.send(200, json.dumps(about).encode(), _METADATA | {"Content-Type": "application/json"})
        elif re.fullmatch(r"/instance/service-accounts/[^/]+/token", path):
            request.send(200, json.dumps(self.token()).encode(), _METADATA | {"Content-Type": "application/json"})
        else:
            raise Refusal(404, "notFound", "Not Found")

    def sign_blob(self, request: "Handler") -> None:
        """https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob"""
        content = body(request)
        if request.url.path != f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signBlob":
            raise Refusal(404, "notFound", "Not Found")
        if not self.knows(request.headers.get("authorization", "")):
            raise Refusal(401, "authError", "Request had invalid authentication credentials.")
        if not self.may_sign:
            raise Refusal(403, "forbidden", "Permission 'iam.serviceAccounts.signBlob' denied.")
        payload = b64decode(json.loads(content)["payload"])
        signature = self.key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        request.send_json(200, {"keyId": "1", "signedBlob": b64encode(signature).decode()})

    def check(self, signature: bytes, message: bytes) -> None:
        self.key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, request: "Handler", now: float) -> None:
        """https://cloud.google.com/storage/docs/authentication/canonical-requests, and …/signatures#string-to-sign"""
        url = urlsplit(request.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            signature = bytes.fromhex(query.pop("X-Goog-Signature"))
            date, names = query["X-Goog-Date"], query["X-Goog-SignedHeaders"]
            scope = f"{date[:8]}/auto/storage/goog4_request"
            known = query["X-Goog-Algorithm"], query["X-Goog-Credential"]
            lifetime = int(query["X-Goog-Expires"])
            signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except (KeyError, ValueError):
            raise Refusal(400, "MissingSecurityHeader", "Your request was missing a required header") from None
        if "host" not in names.split(";") or known != ("GOOG4-RSA-SHA256", f"{ACCOUNT}/{scope}"):
            raise Refusal(403, "SignatureDoesNotMatch", "Access denied.")
        pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
        canonical = "\n".join(
            [
                request.command,
                url.path,
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{' '.join(request.headers[name].split())}" for name in names.split(";")),
                "",
                names,
                "UNSIGNED-PAYLOAD",
            ]
        )
        text = "\n".join(["GOOG4-RSA-SHA256", date, scope, sha256(canonical.encode()).hexdigest()])
        try:
            self.check(signature, text.encode())
        except InvalidSignature:
            raise Refusal(403, "SignatureDoesNotMatch", "Access denied.") from None
        if not 0 < lifetime <= _LONGEST or not signed - 900 <= now < signed + lifetime:
            raise Refusal(400, "ExpiredToken", "Invalid argument.")


def body(request: "Handler") -> bytes:
    return request.rfile.read(int(request.headers.get("content-length", "0")))
