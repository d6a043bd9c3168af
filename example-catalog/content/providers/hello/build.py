#!/usr/bin/env python3
"""Make the release files of the example provider: a zip a platform, manifest, SHA256SUMS and its signature.

    build.py 1.0.0 1.1.0 --key ~/hello.asc             sign with this exported private key
    build.py 1.0.0 1.1.0 --key ~/hello.asc --new-key   make the key first, and its SigningKey declaration
    build.py 1.0.0 1.1.0 --check                       compare what is here with what would be made; needs no key

Same version and same key give the same bytes on every machine. Needs Python 3.11 and, to sign, gpg. The private key
never belongs in a catalog: the one that signed the files beside this script was thrown away.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
DECLARATION = HERE.parents[2] / "namespaces/platform/keys/example-release.yaml"
PLATFORMS = ("darwin_arm64", "linux_amd64", "windows_amd64")
PROTOCOLS = {"1.0.0": ["5.0"]}  # later versions speak 6.0
DATE = (2026, 1, 1, 12, 0, 0)  # of every file in a zip
SIGNED = "20260101T120000"  # of every signature: in the past, since clients refuse one from the future
SCRIPT = """\
#!/bin/sh
# terraform-provider-hello {version} for {platform}: an example, no working plugin.
echo "terraform-provider-hello {version} shows how a provider is published and can't be run" >&2
exit 1
"""
TEXT = "terraform-provider-hello {version} for {platform}: an example, no working plugin.\r\n"
README = "# hello\n\nShows how a provider is published: signed, hashed, one zip a platform. It is no working plugin.\n"


def main() -> int:
    arguments = read_arguments()
    if arguments.check:
        return check(arguments.versions)
    with tempfile.TemporaryDirectory() as home:
        os.environ["GNUPGHOME"] = home
        if arguments.new_key:
            make_key(arguments.key)
        else:
            gpg("--import", str(arguments.key))
        for version in arguments.versions:
            write(version)
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="+", metavar="VERSION")
    parser.add_argument("--key", type=Path, help="file with the armored private key")
    parser.add_argument("--new-key", action="store_true", help="make that file, and declare its public half")
    parser.add_argument("--check", action="store_true", help="make nothing, compare")
    arguments = parser.parse_args()
    if not arguments.check and not arguments.key:
        parser.error("--key is needed to sign")
    return arguments


def check(versions: list[str]) -> int:
    """Everything but the signature can be made again without the key."""
    different = [
        f"{version}/{name}"
        for version in versions
        for name, data in release(version).items()
        if not (HERE / version / name).is_file() or (HERE / version / name).read_bytes() != data
    ]
    sys.stdout.write("\n".join(f"differs: {name}" for name in different) or "nothing differs")
    sys.stdout.write("\n")
    return 1 if different else 0


def write(version: str) -> None:
    folder = HERE / version
    folder.mkdir(exist_ok=True)
    for name, data in release(version).items():
        (folder / name).write_bytes(data)
    sums = folder / f"terraform-provider-hello_{version}_SHA256SUMS"
    sums.with_name(sums.name + ".sig").unlink(missing_ok=True)
    gpg("--detach-sign", "--digest-algo", "SHA512", str(sums))  # binary: clients can't read an armored one


def release(version: str) -> dict[str, bytes]:
    """Every file of a release but its signature, by name."""
    prefix = f"terraform-provider-hello_{version}_"
    files = {f"{prefix}{platform}.zip": build(version, platform) for platform in PLATFORMS}
    manifest = {"version": 1, "metadata": {"protocol_versions": PROTOCOLS.get(version, ["6.0"])}}
    files[f"{prefix}manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    lines = [f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())]
    files[f"{prefix}SHA256SUMS"] = "".join(lines).encode()
    return files


def build(version: str, platform: str) -> bytes:
    """One platform's zip: an executable with its mode and a README, no folder entries, not compressed."""
    windows = platform.startswith("windows_")
    name = f"terraform-provider-hello_v{version}{'.exe' if windows else ''}"
    content = (TEXT if windows else SCRIPT).format(version=version, platform=platform)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for file, mode, text in (("README.md", 0o100644, README), (name, 0o100755, content)):
            entry = zipfile.ZipInfo(file, DATE)
            entry.create_system = 3  # Unix: the mode counts
            entry.external_attr = mode << 16
            archive.writestr(entry, text.encode())
    return data.getvalue()


def make_key(path: Path) -> None:
    """A new RSA key, which every client can read, and the document that declares its public half."""
    path.touch(mode=0o600, exist_ok=False)
    gpg("--quick-gen-key", "Example release <release@example.com>", "rsa3072", "sign", "never")
    path.write_bytes(gpg("--armor", "--export-secret-keys"))
    fields = [line.split(":") for line in gpg("--list-keys", "--with-colons").decode().splitlines()]
    fingerprint = next(line[9] for line in fields if line[0] == "fpr")
    armor = textwrap.indent(gpg("--armor", "--export", fingerprint).decode(), "    ")
    DECLARATION.write_text(
        f"""\
# yaml-language-server: $schema=../../../../schemas/signing-key.json
# The public half of the key that signs this namespace's providers. The private half is in no repository.
# Compare the fingerprint with the publisher by another way before you merge a key.
apiVersion: gitopsreg.io/v1alpha1
kind: SigningKey
metadata: {{name: example-release, namespace: platform}}
spec:
  type: pgp
  fingerprint: "{fingerprint}"
  status: active # retired: still verifies what it signed · revoked: verifies nothing any more
  scope: {{versions: ">= 1.0.0"}} # without providers: every provider of this namespace
  publicKey: |
{armor}"""
    )


def gpg(*arguments: str) -> bytes:
    fixed = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    command = [*fixed, "--faked-system-time", f"{SIGNED}!", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"gpg {arguments[0]} failed:\n{done.stderr.decode()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
