import gc
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat

import pytest

from gitopsreg.errors import IntegrityError, StorageError, UpstreamUnavailable
from gitopsreg.index.model import PublicKey
from gitopsreg.model.address import Platform
from gitopsreg.model.constraint import Constraint
from gitopsreg.model.declaration import ProviderDeclaration, VersionRules
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.provider_release import MAX_SIGNATURE, ReleaseFile, VerifiedRelease, verify
from tests.releases import (
    PLATFORMS,
    AReleaseFolder,
    a_pin,
    a_provider_declaration,
    a_provider_zip,
    a_signer,
    a_zip,
    an_entry,
    open_files,
    release_files,
)

ALL = tuple(Platform.parse(text) for text in PLATFORMS)


def verified(folder: AReleaseFolder, declaration: ProviderDeclaration | None = None) -> VerifiedRelease:
    return verify(declaration or a_provider_declaration(), Version.parse("1.0.0"), folder.release_files())


def refused(reason: str, folder: AReleaseFolder, declaration: ProviderDeclaration | None = None) -> str:
    with pytest.raises(IntegrityError) as caught:
        verified(folder, declaration)
    assert caught.value.reason == reason
    return str(caught.value)


def required(*platforms: str) -> ProviderDeclaration:
    wanted = tuple(Platform.parse(text) for text in platforms)
    return replace(a_provider_declaration(), completeness="required-platforms", platforms=wanted)


class TestAGoodRelease:
    def test_all_platforms_are_taken_with_their_hashes(self) -> None:
        folder = AReleaseFolder()
        with verified(folder) as release:
            assert [build.platform for build in release.builds] == list(ALL)
            for build in release.builds:
                assert build.filename == folder.zip_name(str(build.platform))
                assert build.zip.sha256 == Sha256.of(folder.files[build.filename])
                assert build.h1.startswith("h1:")
            assert release.protocols == ("5.0",)
            assert release.checksums_filename == folder.sums_name
            assert release.notes == ()

    def test_payloads_are_every_byte_that_the_record_names(self) -> None:
        folder = AReleaseFolder()
        with verified(folder) as release:
            stored = {payload.blob: b"".join(payload.open()) for payload in release.payloads}
            again = {payload.blob: b"".join(payload.open()) for payload in release.payloads}
            named = {release.checksums, release.signature, *(build.zip for build in release.builds)}
        assert stored == again
        assert set(stored) == named
        for blob, data in stored.items():
            assert (blob.sha256, blob.size) == (Sha256.of(data), len(data))
        assert stored[release.checksums] == folder.files[folder.sums_name]
        assert stored[release.signature] == folder.files[folder.signature_name]

    def test_payloads_can_be_read_by_several_threads_at_once(self) -> None:
        folder = AReleaseFolder(platforms=("linux_amd64",))
        executable = an_entry("terraform-provider-hello", mode=0o100755)
        executable.compress_type = zipfile.ZIP_STORED
        folder.files[folder.zip_name()] = a_zip([(executable, bytes(range(256)) * 8000)])
        folder.seal()
        with verified(folder) as release:
            payload = next(item for item in release.payloads if item.blob == release.builds[0].zip)
            read: list[bytes] = []
            threads = [threading.Thread(target=lambda: read.append(b"".join(payload.open()))) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert read == [folder.files[folder.zip_name()]] * 4

    def test_nothing_is_left_open_when_it_is_dropped_without_close(self) -> None:
        verified(AReleaseFolder()).close()  # whatever the libraries open once is open now
        before = open_files()
        release = verified(AReleaseFolder())
        assert len(open_files()) > len(before)
        del release
        gc.collect()
        assert open_files() <= before

    def test_payloads_are_refused_after_close(self) -> None:
        release = verified(AReleaseFolder())
        payload = next(item for item in release.payloads if item.blob == release.builds[0].zip)
        release.close()
        with pytest.raises(StorageError, match="let go"):
            list(payload.open())

    def test_a_release_without_a_manifest_speaks_what_the_catalog_says(self) -> None:
        declaration = replace(a_provider_declaration(), protocols=("6.0",))
        with verified(AReleaseFolder(protocols=None), declaration) as release:
            assert release.protocols == ("6.0",)

    def test_the_manifest_outweighs_the_catalog(self) -> None:
        with verified(AReleaseFolder(protocols=("5.0", "6.0", "5.0"))) as release:
            assert release.protocols == ("5.0", "6.0")

    def test_a_manifest_outside_the_checksums_counts_too(self) -> None:
        folder = AReleaseFolder(protocols=None)
        folder.manifest({"version": 1, "metadata": {"protocol_versions": ["6.0"]}})
        with verified(folder) as release:
            assert release.protocols == ("6.0",)

    def test_other_files_do_no_harm(self) -> None:
        folder = AReleaseFolder()
        folder.files["notes.txt"] = b"listed"
        folder.seal()
        folder.files["CHANGELOG.md"] = b"not listed"
        with verified(folder) as release:
            assert len(release.builds) == 3

    @pytest.mark.pitfall(46)
    def test_pitfall_46_identical_zips_are_taken_and_noted(self) -> None:
        folder = AReleaseFolder(platforms=("linux_amd64", "linux_arm64"))
        folder.files[folder.zip_name("linux_arm64")] = folder.files[folder.zip_name("linux_amd64")]
        folder.seal()
        with verified(folder) as release:
            assert len(release.builds) == 2
            assert len(release.payloads) == 3
            assert "linux_amd64.zip" in release.notes[0]


class TestSignature:
    @pytest.mark.parametrize("which", ["sums_name", "signature_name"])
    def test_a_missing_file_is_named(self, which: str) -> None:
        folder = AReleaseFolder()
        name: str = getattr(folder, which)
        del folder.files[name]
        assert f'"{name}"' in refused("IncompleteRelease", folder)

    def test_a_checksums_file_of_another_version_is_not_taken(self) -> None:
        folder = AReleaseFolder(version="1.0.1")
        assert '"terraform-provider-hello_1.0.0_SHA256SUMS"' in refused("IncompleteRelease", folder)

    @pytest.mark.pitfall(32)
    def test_pitfall_32_only_an_armored_signature_is_explained(self) -> None:
        folder = AReleaseFolder()
        sums = folder.files[folder.sums_name]
        del folder.files[folder.signature_name]
        folder.files[f"{folder.sums_name}.asc"] = a_signer().sign(sums, armor=True)
        assert "gpg --dearmor" in refused("IncompleteRelease", folder)

    @pytest.mark.pitfall(32)
    def test_pitfall_32_armored_signature_under_the_binary_name_is_refused(self) -> None:
        folder = AReleaseFolder()
        folder.files[folder.signature_name] = a_signer().sign(folder.files[folder.sums_name], armor=True)
        assert "binary form" in refused("SignatureInvalid", folder)

    def test_checksums_changed_after_signing_are_refused(self) -> None:
        folder = AReleaseFolder()
        folder.files[folder.sums_name] = folder.files[folder.sums_name].replace(b"  ", b" ")
        refused("SignatureInvalid", folder)

    def test_another_key_is_refused(self) -> None:
        message = refused("KeyNotTrusted", AReleaseFolder(signer=a_signer("stranger")))
        assert a_signer("stranger").public.fingerprint[-16:] not in message  # it is a sub-key that signs
        assert a_signer().key_id in message

    def test_no_key_at_all_is_refused(self) -> None:
        assert "declare a SigningKey" in refused("KeyNotTrusted", AReleaseFolder(), a_provider_declaration(keys=()))

    @pytest.mark.parametrize("scope", ["providers", "versions"])
    def test_a_key_that_does_not_cover_the_version_is_refused(self, scope: str) -> None:
        key = a_signer().declared()
        if scope == "providers":
            key = replace(key, providers=("other",))
        else:
            key = replace(key, versions=Constraint.parse(">= 2.0.0"))
        assert '"1.0.0" of "acme/hello"' in refused(
            "KeyNotTrusted", AReleaseFolder(), a_provider_declaration(keys=(key,))
        )

    def test_a_revoked_key_is_refused(self) -> None:
        key = replace(a_signer().declared(), status="revoked")
        refused("KeyRevoked", AReleaseFolder(), a_provider_declaration(keys=(key,)))

    def test_the_key_that_signed_comes_first_and_revoked_ones_not_at_all(self) -> None:
        old, new, gone, lost = (a_signer(name) for name in ("old", "new", "gone", "lost"))
        keys = (
            replace(old.declared(), status="retired"),
            replace(gone.declared(), status="revoked"),
            replace(lost.declared(), public_key=lost.revoked_by_owner()),
            new.declared(),
        )
        with verified(AReleaseFolder(signer=new), a_provider_declaration(keys=keys)) as release:
            assert [key.key_id for key in release.keys] == [new.key_id, old.key_id]

    @pytest.mark.pitfall(33)
    def test_pitfall_33_each_key_is_its_own_entry_with_one_armor_block(self) -> None:
        keys = (a_signer("old").declared(), a_signer("new").declared())
        with verified(AReleaseFolder(signer=a_signer("new")), a_provider_declaration(keys=keys)) as release:
            assert len(release.keys) == 2
            for key in release.keys:
                assert isinstance(key, PublicKey)
                assert key.armor.count("-----BEGIN") == 1

    def test_the_signature_is_judged_before_anything_it_covers(self) -> None:
        folder = AReleaseFolder(signer=a_signer("stranger"))
        opened: list[str] = []
        files = folder.release_files()

        def watched(file: ReleaseFile) -> ReleaseFile:
            def opening() -> Iterator[bytes]:
                opened.append(file.name)
                return file.open()

            return replace(file, open=opening)

        with pytest.raises(IntegrityError):
            verify(a_provider_declaration(), Version.parse("1.0.0"), {n: watched(f) for n, f in files.items()})
        assert set(opened) == {folder.sums_name, folder.signature_name}


class TestChecksums:
    @pytest.mark.pitfall(29)
    def test_pitfall_29_signed_blank_line_is_refused_all_the_same(self) -> None:
        folder = AReleaseFolder()
        folder.seal(folder.sums() + b"\n")
        assert "is blank" in refused("ChecksumsInvalid", folder)

    @pytest.mark.pitfall(31)
    def test_pitfall_31_signed_binary_marks_are_refused_all_the_same(self) -> None:
        folder = AReleaseFolder()
        folder.seal(folder.sums().replace(b"  ", b" *"))
        assert "sha256sum without -b" in refused("ChecksumsInvalid", folder)

    def test_a_zip_that_is_not_what_was_signed_is_refused(self) -> None:
        folder = AReleaseFolder()
        folder.files[folder.zip_name()] = a_provider_zip("linux_amd64", salt="evil")
        assert f'"{folder.zip_name()}"' in refused("ChecksumMismatch", folder)

    @pytest.mark.parametrize("name", ["hello_1.0.0_linux_amd64.zip", "terraform-provider-hello_1.0.1_linux_amd64.zip"])
    def test_a_zip_of_another_name_is_refused(self, name: str) -> None:
        folder = AReleaseFolder()
        folder.files[name] = a_provider_zip("linux_amd64")
        folder.seal()
        assert f'"{name}"' in refused("ChecksumsInvalid", folder)

    @pytest.mark.pitfall(37)
    def test_pitfall_37_upper_case_platform_is_refused(self) -> None:
        folder = AReleaseFolder(platforms=("Linux_amd64",))
        assert "all lower case" in refused("ChecksumsInvalid", folder)

    def test_a_pinned_digest_is_that_of_the_checksums(self) -> None:
        folder = AReleaseFolder()
        digest = Sha256.of(folder.files[folder.sums_name])
        rules = VersionRules(pins=(a_pin(sha256=digest),))
        with verified(folder, replace(a_provider_declaration(), versions=rules)) as release:
            assert release.checksums.sha256 == digest
        rules = VersionRules(pins=(a_pin(sha256=Sha256.of(b"other")),))
        assert digest.hex in refused("PinMismatch", folder, replace(a_provider_declaration(), versions=rules))


class TestCompleteness:
    @pytest.mark.pitfall(47)
    def test_pitfall_47_missing_platform_keeps_the_whole_version_back(self) -> None:
        folder = AReleaseFolder()
        del folder.files[folder.zip_name("linux_amd64")]
        message = refused("IncompleteRelease", folder)
        assert '"linux_amd64" is in SHA256SUMS' in message
        assert "no platform of it is published" in message

    @pytest.mark.pitfall(47)
    def test_pitfall_47_platform_that_the_catalog_asks_for_must_be_there(self) -> None:
        declaration = replace(a_provider_declaration(), platforms=(Platform("linux", "arm64"), *ALL))
        assert '"linux_arm64" is required' in refused("IncompleteRelease", AReleaseFolder(), declaration)

    def test_all_missing_platforms_are_named_at_once(self) -> None:
        folder = AReleaseFolder()
        for platform in PLATFORMS[:2]:
            del folder.files[folder.zip_name(platform)]
        message = refused("IncompleteRelease", folder)
        assert all(f'"{platform}"' in message for platform in PLATFORMS[:2])

    def test_a_zip_outside_the_checksums_is_refused(self) -> None:
        folder = AReleaseFolder()
        folder.files[folder.zip_name("freebsd_amd64")] = a_provider_zip("freebsd_amd64")
        assert "freebsd_amd64.zip" in refused("IncompleteRelease", folder)

    def test_of_a_mirror_only_the_required_platforms_are_taken(self) -> None:
        folder = AReleaseFolder()
        del folder.files[folder.zip_name("windows_amd64")]
        with verified(folder, required("linux_amd64", "darwin_arm64")) as release:
            assert [str(build.platform) for build in release.builds] == ["darwin_arm64", "linux_amd64"]

    def test_of_a_mirror_odd_names_beside_the_required_ones_do_no_harm(self) -> None:
        folder = AReleaseFolder()
        folder.files["docs.zip"] = b"not a provider"
        folder.seal()
        with verified(folder, required("linux_amd64")) as release:
            assert len(release.builds) == 1

    def test_of_a_mirror_a_required_platform_must_be_there(self) -> None:
        folder = AReleaseFolder()
        del folder.files[folder.zip_name("linux_amd64")]
        assert '"linux_amd64"' in refused("IncompleteRelease", folder, required("linux_amd64"))
        assert '"plan9_amd64"' in refused("IncompleteRelease", AReleaseFolder(), required("plan9_amd64"))

    def test_of_a_mirror_that_requires_nothing_nothing_is_taken(self) -> None:
        assert "spec.platforms" in refused("IncompleteRelease", AReleaseFolder(), required())

    def test_a_release_without_zips_is_refused(self) -> None:
        assert "lists no zip" in refused("IncompleteRelease", AReleaseFolder(platforms=()))


class TestManifest:
    @pytest.mark.pitfall(36)
    @pytest.mark.parametrize("protocol", [5.0, 5, None, True, ["5.0"]])
    def test_pitfall_36_protocol_that_is_no_string_is_refused(self, protocol: object) -> None:
        assert "must be a string" in refused("ManifestInvalid", AReleaseFolder(protocols=(protocol,)))

    @pytest.mark.parametrize("protocol", ["4.0", "7.0", "x", "", "5.0.0", "v5", "٥"])
    def test_a_protocol_that_no_client_speaks_is_refused(self, protocol: str) -> None:
        assert '"5" and "6"' in refused("ManifestInvalid", AReleaseFolder(protocols=("5.0", protocol)))

    @pytest.mark.parametrize(
        "document",
        ["", "{", "null", "[]", "1", '{"metadata": []}', '{"metadata": {}}', '{"metadata": {"protocol_versions": {}}}'],
    )
    def test_a_malformed_manifest_is_refused(self, document: str) -> None:
        folder = AReleaseFolder()
        folder.manifest(document)
        folder.seal()
        assert "protocol_versions" in refused("ManifestInvalid", folder)

    def test_a_manifest_nested_without_end_is_refused(self) -> None:
        folder = AReleaseFolder()
        folder.manifest("[" * 60_000)
        folder.seal()
        refused("ManifestInvalid", folder)

    def test_an_empty_list_is_refused(self) -> None:
        refused("ManifestInvalid", AReleaseFolder(protocols=()))

    def test_a_manifest_changed_after_signing_is_refused(self) -> None:
        folder = AReleaseFolder()
        folder.manifest({"version": 1, "metadata": {"protocol_versions": ["6.0"]}})
        assert f'"{folder.manifest_name}"' in refused("ChecksumMismatch", folder)

    def test_a_signed_manifest_that_is_not_there_is_refused(self) -> None:
        folder = AReleaseFolder()
        del folder.files[folder.manifest_name]
        assert f'"{folder.manifest_name}"' in refused("IncompleteRelease", folder)


class TestBounds:
    @pytest.mark.parametrize("which", ["sums_name", "signature_name", "manifest_name"])
    def test_a_small_file_that_is_large_is_refused(self, which: str) -> None:
        folder = AReleaseFolder()
        name: str = getattr(folder, which)
        folder.files[name] = b"0" * (1024 * 1024 + 1)
        if which == "manifest_name":
            folder.seal()
        assert f'"{name}"' in refused("TooLarge", folder)

    def test_a_host_that_sends_more_than_it_said_is_stopped(self) -> None:
        files = AReleaseFolder().release_files()
        name = AReleaseFolder().signature_name
        files[name] = replace(files[name], size=10, open=lambda: repeat(b"0" * 1000))
        with pytest.raises(IntegrityError, match=str(MAX_SIGNATURE)):
            verify(a_provider_declaration(), Version.parse("1.0.0"), files)

    def test_a_zip_said_to_be_too_large_is_not_even_opened(self) -> None:
        folder = AReleaseFolder()
        files = folder.release_files()
        files[folder.zip_name()] = replace(files[folder.zip_name()], size=3 * 1024**3, open=lambda: repeat(b""))
        with pytest.raises(IntegrityError) as caught:
            verify(a_provider_declaration(), Version.parse("1.0.0"), files)
        assert caught.value.reason == "TooLarge"

    def test_a_host_that_fails_half_way_leaves_nothing_behind(self) -> None:
        folder = AReleaseFolder()
        files = folder.release_files()

        def breaking() -> Iterator[bytes]:
            yield b"PK"
            raise UpstreamUnavailable("the connection broke", reason="Timeout")

        files[folder.zip_name()] = replace(files[folder.zip_name()], open=breaking)
        before = open_files()
        with pytest.raises(UpstreamUnavailable):
            verify(a_provider_declaration(), Version.parse("1.0.0"), files)
        assert open_files() <= before


@pytest.mark.pitfall(40)
def test_pitfall_40_unusable_zip_keeps_the_whole_version_back() -> None:
    folder = AReleaseFolder()
    folder.files[folder.zip_name("darwin_arm64")] = a_zip([("README.md", b"no executable")])
    folder.seal()
    assert "darwin_arm64.zip" in refused("ArchiveInvalid", folder)


def test_an_unusable_zip_stops_the_release_before_all_of_it_was_fetched() -> None:
    folder = AReleaseFolder()
    folder.files[folder.zip_name("darwin_arm64")] = a_zip([("README.md", b"no executable")])
    folder.seal()
    files = folder.release_files()

    def never() -> Iterator[bytes]:
        pytest.fail("the third zip was asked for")

    files[folder.zip_name("windows_amd64")] = replace(files[folder.zip_name("windows_amd64")], open=never)
    with pytest.raises(IntegrityError, match=r"darwin_arm64\.zip"):
        verify(a_provider_declaration(), Version.parse("1.0.0"), files)


def test_the_same_release_gives_the_same_record_from_any_host() -> None:
    folder = AReleaseFolder()
    backwards = dict(reversed(folder.files.items()))
    with (
        verified(folder) as one,
        verify(a_provider_declaration(), Version.parse("1.0.0"), release_files(backwards)) as two,
    ):
        assert replace(one, payloads=()) == replace(two, payloads=())
        assert json.dumps([build.h1 for build in one.builds]) == json.dumps([build.h1 for build in two.builds])
