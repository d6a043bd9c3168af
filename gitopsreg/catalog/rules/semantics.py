"""GR401 to GR416: what the declaration of a package or key must make sense of by itself."""

from gitopsreg.catalog.rules.example import AT_PROVIDER, key, module, provider
from gitopsreg.catalog.rules.public_keys import LASTING, LASTING_FINGERPRINT
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR401",
        "constraints can be read",
        "it would be unclear which versions are meant",
        what=(
            "Version constraints are read as Terraform reads them: comparisons with `=`, `!=`, `>`, `>=`, "
            "`<`, `<=` and `~>`, joined by commas; `1.*` stands for every version of 1. Constraints of "
            "modules and of providers differ in details, and each is read as its own."
        ),
        fix="Correct the operator or the number.",
        example=Example(
            bad=module('versions: {constraint: "=> 1.0"}'), good=module('versions: {constraint: ">= 1.0"}')
        ),
    ),
    Rule(
        "GR402",
        "regular expressions can be read",
        "it would be unclear which versions are meant",
        what=(
            "Patterns of include, exclude and match are regular expressions of at most 200 characters, without "
            "look-arounds, flags and back references: what is left can be matched quickly, whatever it says."
        ),
        fix="Say it more simply; most patterns are a literal beginning.",
        example=Example(
            bad=module('versions: {exclude: ["^1.(?!0)"]}'), good=module('versions: {exclude: ["^0\\\\."]}')
        ),
    ),
    Rule(
        "GR403",
        "a version is pinned, yanked or blocked once",
        "it would be unclear which entry counts",
        what=(
            "In each of the three lists a version stands once. Versions that differ in build metadata only "
            "are the same to clients."
        ),
        fix="Keep one of the two.",
        example=Example(
            bad=module('versions: {yanked: [{version: "1.0.0", reason: slow}, {version: "1.0.0", reason: broken}]}'),
            good=module('versions: {yanked: [{version: "1.0.0", reason: broken}]}'),
        ),
    ),
    Rule(
        "GR404",
        "a version is not pinned and blocked",
        "the block wins, the pin does nothing",
        severity="warning",
        what="A pinned version is not blocked, neither by its number nor by a range.",
        fix="Remove the pin, or the block when it was a mistake.",
        example=Example(
            bad=module('versions: {pins: [{version: "1.0.0"}], blocked: [{range: "< 2.0.0", reason: broken}]}'),
            good=module('versions: {blocked: [{range: "< 2.0.0", reason: broken}]}'),
        ),
    ),
    Rule(
        "GR405",
        "a source of type catalog has pins",
        "they are the list of its versions",
        what="A source of type catalog publishes exactly its pins, so there is at least one.",
        fix="Add a pin with the version and its folder.",
        example=Example(
            bad=module(source="source: {type: catalog}"),
            good=module(
                source='source: {type: catalog}\nversions: {pins: [{version: "1.0.0", path: content/internal/1.0.0}]}'
            ),
        ),
    ),
    Rule(
        "GR406",
        "pins have a path exactly for sources of type catalog",
        "the path is the content there, only there",
        what=(
            "A pin of a source of type catalog says in which folder the version lies; pins of other sources "
            "have no path."
        ),
        fix="Add the path, or remove it; source.path is the folder inside another repository.",
        example=Example(
            bad=module('versions: {pins: [{version: "1.0.0", path: modules/vpc}]}'),
            good=module('versions: {pins: [{version: "1.0.0"}]}'),
        ),
    ),
    Rule(
        "GR407",
        "folders stay inside",
        "a path must not reach outside the repository",
        what=(
            "A path is made of plain folder names, joined by slashes: nothing that begins with a slash, no "
            "dots alone, no backslashes, no .git."
        ),
        fix="Write the folder from the root of the repository.",
        example=Example(
            bad=module(source="source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git, path: ../vpc}"),
            good=module(
                source="source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git, path: modules/vpc}"
            ),
        ),
    ),
    Rule(
        "GR408",
        "verification is on",
        "clients refuse providers without a valid signature",
        what="verify.required is true, or absent.",
        fix="Remove the field, and sign the releases.",
        example=Example(
            bad={AT_PROVIDER: provider()[AT_PROVIDER].replace("[release]", "[release], required: false")},
            good=provider(),
        ),
    ),
    Rule(
        "GR409",
        "a fingerprint is 40 or 64 hex digits",
        "a reviewer compares it with the key's",
        what=("A fingerprint is written as 40 hex digits (64 for newer keys), in any letter case and without spaces."),
        fix="Copy it from `gpg --fingerprint`, without the spaces. The short key id is not enough.",
        example=Example(
            bad=key(LASTING, fingerprint="295B 12D9 9895"), good=key(LASTING, fingerprint=LASTING_FINGERPRINT)
        ),
    ),
    Rule(
        "GR410",
        "a tag prefix has plain characters",
        "it is compared with the names of tags",
        what="A tag prefix holds letters, digits and `. _ / + @ -` only. It is no pattern.",
        fix="Write what all tags of the module begin with; the rest of a tag is its version.",
        example=Example(
            bad=module(source='source: {type: git, url: https://github.com/acme/modules.git, tagPrefix: "vpc/*"}'),
            good=module(source='source: {type: git, url: https://github.com/acme/modules.git, tagPrefix: "vpc/v"}'),
        ),
    ),
    Rule(
        "GR411",
        "commits and digests are whole",
        "a shortened one can come to mean something else",
        what="A commit has 40 lower case hex digits, a digest 64.",
        fix="Write the whole of it: `git rev-parse v1.4.2^{commit}`.",
        example=Example(
            bad=module('versions: {pins: [{version: "1.0.0", commit: 9c1d0f3}]}'),
            good=module('versions: {pins: [{version: "1.0.0", commit: 9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566}]}'),
        ),
    ),
    Rule(
        "GR412",
        "versions are MAJOR.MINOR.PATCH",
        "clients read no others",
        what=(
            "A version has three numbers, as Semantic Versioning has it, with no v in front and no leading "
            "zeros; a pre-release and build metadata may follow."
        ),
        fix="Write all three numbers; the prefix of the tags belongs in source.tagPrefix.",
        example=Example(
            bad=module('versions: {pins: [{version: "v1.4"}]}'), good=module('versions: {pins: [{version: "1.4.0"}]}')
        ),
    ),
    Rule(
        "GR413",
        "durations are sensible",
        "the registry would hammer upstreams, or never look",
        what="Times are neither too short nor too long for what they are used for.",
        fix="Write a duration inside the range that the finding names.",
        example=Example(bad=module("interval: 1s"), good=module("interval: 15m")),
    ),
    Rule(
        "GR414",
        "the source type is acted on by this release",
        "it is accepted, and nothing happens",
        severity="warning",
        what="The catalog's format knows more types of sources than this release acts on.",
        fix="Set suspend: true to say that you know, or take another source for now.",
        example=Example(
            bad=module(source="source: {type: registry, address: registry.opentofu.org/acme/vpc/aws}"),
            good=module(
                "suspend: true", source="source: {type: registry, address: registry.opentofu.org/acme/vpc/aws}"
            ),
        ),
    ),
    Rule(
        "GR415",
        "a provider names its keys",
        "without keys nothing can be verified",
        what=("A provider names at least one SigningKey in verify.keys, unless its upstream brings its own keys."),
        fix="Declare the public key that signs the releases, and name it.",
        example=Example(bad=provider(keys=""), good=provider()),
    ),
    Rule(
        "GR416",
        "required platforms are named",
        "there would be nothing to wait for",
        what=(
            "completeness: required-platforms says that a release is whole when it has the platforms that are "
            "listed, so some are."
        ),
        fix="List the platforms, or remove completeness.",
        example=Example(
            bad=provider("completeness: required-platforms"),
            good=provider("completeness: required-platforms\nplatforms: [linux_amd64]"),
        ),
    ),
)
