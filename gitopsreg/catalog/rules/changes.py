"""GR7xx: what a change does to what is published; looked at with `validate --base` only."""

from gitopsreg.catalog.rules.example import key, module, namespace, registry
from gitopsreg.catalog.rules.public_keys import EXPIRED, EXPIRED_FINGERPRINT, LASTING, LASTING_FINGERPRINT
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR701",
        "the pin of a version stays",
        "a published version never changes",
        what=(
            "For a version that is pinned before and after the change, commit, digest and folder are the "
            "same. Adding one that was not there is fine."
        ),
        fix="Publish the new content under a new version.",
        example=Example(
            base=module('versions: {pins: [{version: "1.2.0", commit: ' + "c" * 40 + "}]}"),
            bad=module('versions: {pins: [{version: "1.2.0", commit: ' + "d" * 40 + "}]}"),
            good=module('versions: {pins: [{version: "1.2.0", commit: ' + "c" * 40 + "}]}"),
        ),
    ),
    Rule(
        "GR702",
        "a blocked version stays blocked",
        "what was withdrawn as harmful would be served again",
        what="What a block covered before the change, one covers after it. Blocks may be joined and widened.",
        fix=(
            "Keep the block; mend the fault under a new version. If the block was a mistake, say so in a "
            "comment that ignores this rule."
        ),
        example=Example(
            base=module('versions: {blocked: [{version: "1.1.0", reason: leaked credential}]}'),
            bad=module("versions: {keepLatest: 20}"),
            good=module('versions: {blocked: [{range: "< 1.2.0", reason: leaked credential}]}'),
        ),
    ),
    Rule(
        "GR703",
        "a change removes few packages",
        "a slip could take a registry apart",
        what=(
            "The packages that the change removes are counted against the guards of registry.yaml "
            "(maxRemovedPackages, maxRemovedPercent, allowEmpty). The reconciler does the same before it "
            "publishes."
        ),
        fix="Remove in smaller steps, or raise the guards in a change of its own first.",
        example=Example(
            base=module() | module(name="dns") | module(name="net"), bad=module(), good=module() | module(name="dns")
        ),
    ),
    Rule(
        "GR704",
        "the fingerprint of a key stays",
        "whoever replaces a key decides what is trusted",
        what="The fingerprint of a SigningKey is the same before and after the change.",
        fix=(
            "Declare the new key in a file of its own and name both; set the old one to status: retired. What "
            "it signed stays verifiable."
        ),
        example=Example(
            base=key(EXPIRED, fingerprint=EXPIRED_FINGERPRINT),
            bad=key(LASTING, fingerprint=LASTING_FINGERPRINT),
            good=key(EXPIRED, fingerprint=EXPIRED_FINGERPRINT, more="status: retired\n")
            | key(LASTING, fingerprint=LASTING_FINGERPRINT, name="release-2026"),
        ),
    ),
    Rule(
        "GR705",
        "the text of a key stays",
        "whoever replaces a key decides what is trusted",
        severity="warning",
        what=("The block of a SigningKey changes while its fingerprint does not, as it does when a key is renewed."),
        fix=(
            "Compare the fingerprint of the new block with what the owner says; `gitopsreg validate --online` "
            "computes it."
        ),
        example=Example(
            base=key(LASTING, fingerprint=LASTING_FINGERPRINT),
            bad=key(EXPIRED, fingerprint=LASTING_FINGERPRINT),
            good=key(LASTING, fingerprint=LASTING_FINGERPRINT),
        ),
    ),
    Rule(
        "GR706",
        "a revoked key stays revoked",
        "it may be in the wrong hands",
        what="A SigningKey that was declared revoked does not become active or retired again.",
        fix="Declare a new key.",
        example=Example(
            base=key(LASTING, fingerprint=LASTING_FINGERPRINT, more="status: revoked\n"),
            bad=key(LASTING, fingerprint=LASTING_FINGERPRINT),
            good=key(LASTING, fingerprint=LASTING_FINGERPRINT, more="status: revoked\n"),
        ),
    ),
    Rule(
        "GR707",
        "a source stays",
        "whoever has the new one publishes from now on",
        severity="warning",
        what=(
            "Type, URL, repository, address, connection and path of a package's source are the same before "
            "and after the change."
        ),
        fix="Check who owns the new place. What is published stays as it is.",
        example=Example(
            base=module(),
            bad=module(source="source: {type: git, url: https://github.com/acme-labs/terraform-aws-vpc.git}"),
            good=module(),
        ),
    ),
    Rule(
        "GR708",
        "a tag prefix stays",
        "other tags become versions, and the old ones none",
        severity="warning",
        what="source.tagPrefix is the same before and after the change.",
        fix=(
            "Check the tags: where one with the new prefix names a published version, it must point to the same "
            "commit. What is published stays as it is."
        ),
        example=Example(
            base=module(),
            bad=module(
                source='source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git, tagPrefix: "vpc/v"}'
            ),
            good=module(),
        ),
    ),
    Rule(
        "GR709",
        "the owners of a namespace stay",
        "they decide what is published under its name",
        severity="warning",
        what="The owners of a namespace are the same before and after the change.",
        fix="Let those who own it now review the change.",
        example=Example(
            base=namespace("owners: [{type: github-team, name: acme/platform}]"),
            bad=namespace("owners: [{type: github-team, name: acme/network}]"),
            good=namespace("owners: [{type: github-team, name: acme/platform}]\ndisplayName: Platform"),
        ),
    ),
    Rule(
        "GR710",
        "allowed sources do not grow",
        "they bound where packages come from",
        severity="warning",
        what="allowedSources admits nothing after the change that it did not admit before.",
        fix="Check that everything it admits belongs to those who own the namespace.",
        example=Example(
            base=namespace('allowedSources: [{url: "https://github.com/acme/*"}]'),
            bad=namespace(
                'allowedSources:\n  - {url: "https://github.com/acme/*"}\n  - {url: "https://github.com/**"}'
            ),
            good=namespace('allowedSources: [{url: "https://github.com/acme/*"}]\ndisplayName: Platform'),
        ),
    ),
    Rule(
        "GR711",
        "a yanked version stays yanked",
        "what was found wrong would be offered again",
        severity="warning",
        what="A version that was yanked before the change is yanked after it.",
        fix="Keep the yank; mend the fault under a new version.",
        example=Example(
            base=module('versions: {yanked: [{version: "1.1.0", reason: wrong route table}]}'),
            bad=module(),
            good=module('versions: {yanked: [{version: "1.1.0", reason: wrong route table, visibility: hidden}]}'),
        ),
    ),
    Rule(
        "GR712",
        "the host name stays",
        "every address and lock file of every user holds it",
        what="spec.hostname of registry.yaml is the same before and after the change.",
        fix=(
            "Keep the old name as long as anybody uses it. If nobody does, say so in a comment that ignores this rule."
        ),
        example=Example(
            base=registry("hostname: registry.example.com"),
            bad=registry("hostname: modules.example.com"),
            good=registry("hostname: registry.example.com\nsuspend: false"),
        ),
    ),
    Rule(
        "GR713",
        "guards are not loosened by the change that needs it",
        "a guard would guard nothing",
        what="A change that removes more than the guards before it allow does not also loosen these guards.",
        fix="Loosen the guards in a change of its own, which those who own registry.yaml review; then remove.",
        example=Example(
            base=registry("guards: {maxRemovedPackages: 1, maxRemovedPercent: 100}")
            | module()
            | module(name="dns")
            | module(name="net"),
            bad=registry("guards: {maxRemovedPackages: 2, maxRemovedPercent: 100}") | module(),
            good=registry("guards: {maxRemovedPackages: 2, maxRemovedPercent: 100}")
            | module()
            | module(name="dns")
            | module(name="net"),
        ),
    ),
)
