"""GR6xx: what upstreams say; looked up with `validate --online` only."""

from gitopsreg.catalog.rules.example import key, module, provider
from gitopsreg.catalog.rules.public_keys import EXPIRED, EXPIRED_FINGERPRINT, LASTING, LASTING_FINGERPRINT
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR601",
        "the repository exists",
        "nothing could be published from it",
        what=(
            "The host answers that there is no repository at the URL, or that it has moved. Hosts that don't "
            "answer are no finding; what they would have said is told as unchecked."
        ),
        fix="Correct the URL. Many hosts also say so when a login is missing.",
        example=Example(bad=module(source="source: {type: git, url: https://github.com/acme/gone.git}"), good=module()),
    ),
    Rule(
        "GR602",
        "the repository has versions",
        "there would be nothing to publish",
        what="The repository has at least one tag that is a version, behind the tag prefix if there is one.",
        fix="Tag a version, or correct source.tagPrefix.",
        example=Example(
            bad=module(
                source='source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git, tagPrefix: "vpc/v"}'
            ),
            good=module(),
        ),
    ),
    Rule(
        "GR603",
        "the constraint admits a version",
        "there would be nothing to publish",
        what="At least one version of the upstream fits versions.constraint.",
        fix="Correct the constraint; the finding names the newest version there is.",
        example=Example(
            bad=module('versions: {constraint: ">= 9.0"}'), good=module('versions: {constraint: ">= 1.0"}')
        ),
    ),
    Rule(
        "GR604",
        "the other rules leave a version",
        "there would be nothing to publish",
        what="After include, exclude, pre-releases and blocks at least one version is left.",
        fix="Loosen the rule that the finding names.",
        example=Example(bad=module('versions: {exclude: ["^1"]}'), good=module('versions: {exclude: ["^0"]}')),
    ),
    Rule(
        "GR605",
        "a pinned version exists",
        "the pin does nothing, or names what has gone",
        what="Every pinned version is one that the upstream has.",
        fix=(
            "Correct the version, or remove the pin. A version that was published and is gone upstream goes "
            "on being served without a pin."
        ),
        example=Example(
            bad=module('versions: {pins: [{version: "1.9.0"}]}'), good=module('versions: {pins: [{version: "1.2.0"}]}')
        ),
    ),
    Rule(
        "GR606",
        "a pinned commit is the tag's",
        "the version would be refused",
        what="The commit of a pin is the one that the tag points to.",
        fix="Find out who moved the tag, or correct the pin: `git rev-parse v1.2.0^{commit}`.",
        example=Example(
            bad=module('versions: {pins: [{version: "1.2.0", commit: ' + "a" * 40 + "}]}"),
            good=module('versions: {pins: [{version: "1.2.0", commit: ' + "c" * 40 + "}]}"),
        ),
    ),
    Rule(
        "GR607",
        "the sub-directory exists in the newest version",
        "the version would be refused",
        what="source.path is a folder of the newest version that would be published, and holds a module.",
        fix="Correct the path, or bound the versions to those that have it.",
        example=Example(
            bad=module(
                source="source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git, path: modules/old}"
            ),
            good=module(),
        ),
    ),
    Rule(
        "GR608",
        "a version passes the gate",
        "the version would be refused",
        what=(
            "The newest version of a module is fetched and packed, the ten newest releases of a provider are "
            "verified, as they would be before they are published."
        ),
        fix="The finding says what is wrong. Release a mended version under a new number.",
        example=Example(
            bad=module(source="source: {type: git, url: https://github.com/acme/unsafe.git}"), good=module()
        ),
    ),
    Rule(
        "GR609",
        "a release is complete",
        "clients on a missing platform would fail",
        what=(
            "A provider's release has its checksums, its signature and the zip of every platform that these "
            "or the catalog name."
        ),
        fix=(
            "Add what is missing under a new version, or name the platforms that count (`completeness: "
            "required-platforms`)."
        ),
        example=Example(bad=provider(pin='{version: "1.0.0", path: content/internal/incomplete}'), good=provider()),
    ),
    Rule(
        "GR610",
        "a key signs one of the last ten releases",
        "a key that signs nothing is the wrong one",
        severity="warning",
        what=(
            "An active key that a provider names signed at least one of the ten newest releases that it may vouch for."
        ),
        fix="Declare the key that signs, or retire this one.",
        example=Example(
            bad=key(EXPIRED, fingerprint=EXPIRED_FINGERPRINT) | provider(),
            good=key(LASTING, fingerprint=LASTING_FINGERPRINT) | provider(),
            also=("GR612",),
        ),
    ),
    Rule(
        "GR611",
        "the fingerprint is the key's",
        "reviewers compare the one, machines use the other",
        what="The fingerprint is computed from the public key and compared with the one that is declared.",
        fix="Ask the owner of the key, by another way than the one it came by, which of the two is right.",
        example=Example(
            bad=key(LASTING, fingerprint="0123456789ABCDEF0123456789ABCDEF01234567"),
            good=key(LASTING, fingerprint=LASTING_FINGERPRINT),
        ),
    ),
    Rule(
        "GR612",
        "a key lasts thirty days more",
        "releases signed after its end are refused",
        severity="warning",
        what=("An active key has not expired and does not within thirty days. What it signed in time stays good."),
        fix="Extend the key and declare it as exported then, or retire it and declare a new one.",
        example=Example(
            bad=key(EXPIRED, fingerprint=EXPIRED_FINGERPRINT),
            good=key(EXPIRED, fingerprint=EXPIRED_FINGERPRINT, more="status: retired\n"),
        ),
    ),
    Rule(
        "GR613",
        "a public key can be used",
        "clients could verify nothing with it",
        what=(
            "The block is one that clients can read: one OpenPGP public key, with its line ends, not revoked, "
            "and bound by more than SHA-1."
        ),
        fix="Paste the output of `gpg --armor --export` as a block scalar (`publicKey: |`).",
        example=Example(
            bad=key(LASTING.replace("mDMEXgvhABYJ", "mDMEXgvhABYK"), fingerprint=LASTING_FINGERPRINT),
            good=key(LASTING, fingerprint=LASTING_FINGERPRINT),
        ),
    ),
)
