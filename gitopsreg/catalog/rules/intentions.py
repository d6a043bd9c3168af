"""GR417 and on: what declarations of other kinds must make sense of by themselves, and how packages are delivered."""

from gitopsreg.catalog.rules.example import module, namespace, other
from gitopsreg.catalog.rules.rule import Example, Rule

AT_DISCOVERY = "namespaces/platform/discoveries/modules.yaml"
GITHUB = other("Connection", "connections/github-acme.yaml", "type: github")
FOUND = """\
connection: github-acme
scope: {organization: acme}
produces: Module
match: {name: "^terraform-(?P<system>[a-z0-9]+)-(?P<name>[a-z0-9-]+)$"}
"""

RULES: tuple[Rule, ...] = (
    Rule(
        "GR417",
        "a discovery says where it looks and what it makes",
        "what it finds would have no address",
        what=(
            "A discovery in repositories names its connection, what it produces, and a pattern whose groups "
            "give the parts of the address. One of a registry needs neither."
        ),
        fix="Add the field or the group that is missing.",
        example=Example(
            bad=GITHUB | other("Discovery", AT_DISCOVERY, FOUND.replace("(?P<system>[a-z0-9]+)-", "")),
            good=GITHUB | other("Discovery", AT_DISCOVERY, FOUND),
        ),
    ),
    Rule(
        "GR418",
        "a discovery's fields fit what it finds",
        "they would do nothing",
        what=(
            "Every field of a discovery has an effect on what it finds: there is no target system in "
            "providers, and no topic, visibility or group of a name in a registry."
        ),
        fix="Remove the field.",
        example=Example(
            bad=GITHUB | other("Discovery", AT_DISCOVERY, FOUND + "template: {platforms: [linux_amd64]}"),
            good=GITHUB | other("Discovery", AT_DISCOVERY, FOUND + 'template: {versions: {constraint: ">= 1.0"}}'),
        ),
    ),
    Rule(
        "GR419",
        "discoveries do not overlap",
        "it would be unclear whose template counts",
        severity="warning",
        what=(
            "No two discoveries may find the same repository for the same namespace. What their patterns "
            "begin and end with tells them apart."
        ),
        fix="Make the patterns differ in how they begin or end, or make one discovery of the two.",
        example=Example(
            bad=GITHUB
            | other("Discovery", AT_DISCOVERY, FOUND)
            | other("Discovery", "namespaces/platform/discoveries/others.yaml", FOUND),
            good=GITHUB
            | other("Discovery", AT_DISCOVERY, FOUND)
            | other("Discovery", "namespaces/platform/discoveries/others.yaml", FOUND.replace("^terraform-", "^tf-")),
        ),
    ),
    Rule(
        "GR420",
        "resources of a policy are patterns of addresses",
        "they would admit nobody",
        what=(
            "A resource of a policy is a pattern of addresses: `module:namespace/name/system`, "
            "`provider:namespace/type`, or `*` for everything. A star inside stands for any characters but a "
            "slash."
        ),
        fix="Write all parts of the address.",
        example=Example(
            bad=other(
                "AccessPolicy",
                "policies/read.yaml",
                'rules: [{name: all, subjects: [{type: anonymous}], resources: ["platform/vpc/aws"]}]',
            ),
            good=other(
                "AccessPolicy",
                "policies/read.yaml",
                'rules: [{name: all, subjects: [{type: anonymous}], resources: ["module:platform/vpc/aws"]}]',
            ),
        ),
    ),
    Rule(
        "GR421",
        "a connection says how its host is reached",
        "no request could be made",
        what=(
            "A connection to a host of one's own says where it is, one of type opentofu-git which repository it "
            "is, and its method of authentication is one that the type of host knows."
        ),
        fix="Add baseUrl (or url, for opentofu-git), or choose another method.",
        example=Example(
            bad=other("Connection", "connections/forge.yaml", "type: gitea"),
            good=other("Connection", "connections/forge.yaml", "type: gitea\nbaseUrl: https://git.example.com"),
        ),
    ),
    Rule(
        "GR422",
        "stored bytes outlive links to them",
        "a link that was just handed out would lead nowhere",
        what="gc.graceAfterUnreferenced of a storage class is longer than redirectTTL.",
        fix="Lengthen the one or shorten the other.",
        example=Example(
            bad=other(
                "StorageClass",
                "storage/standard.yaml",
                "backend: primary\nredirectTTL: 2d\ngc: {graceAfterUnreferenced: 1d}",
            ),
            good=other(
                "StorageClass",
                "storage/standard.yaml",
                "backend: primary\nredirectTTL: 10m\ngc: {graceAfterUnreferenced: 30d}",
            ),
        ),
    ),
    Rule(
        "GR423",
        "what is delivered by reference lies elsewhere",
        "clients would be sent nowhere",
        what=(
            "delivery: reference leaves the bytes where they are and sends clients there. That is possible for modules "
            "of sources of type git and opentofu-git and for providers of type opentofu-git. Nothing is fetched, so "
            "there is no digest of an archive to compare a pin with."
        ),
        fix="Remove delivery: what has no other place is stored.",
        example=Example(
            bad=module(
                source="""\
source: {type: catalog}
delivery: reference
versions: {pins: [{version: "1.0.0", path: content/internal/1.0.0}]}
"""
            ),
            good=module("delivery: reference"),
        ),
    ),
    Rule(
        "GR424",
        "clients can read what is delivered by reference",
        "they would be asked for a login that they don't have",
        severity="warning",
        what=(
            "The credentials of a connection are the registry's: whoever is sent to the repository itself needs a "
            "login of their own there."
        ),
        fix="Set delivery: store, or remove the connection where the repository is open to all who use it.",
        example=Example(
            bad=module(
                "delivery: reference",
                source="source: {type: git, url: https://github.com/acme/vpc.git, connection: github-acme}",
            )
            | other("Connection", "connections/github-acme.yaml", "type: github"),
            good=module(source="source: {type: git, url: https://github.com/acme/vpc.git, connection: github-acme}")
            | other("Connection", "connections/github-acme.yaml", "type: github"),
        ),
    ),
    Rule(
        "GR430",
        "owners have names that a forge knows",
        "it would ask nobody for a review, in silence",
        severity="warning",
        what=(
            "An owner of type github-team is written organization/team, a github-user or gitlab-user without "
            "white space, an e-mail address as one. What a forge can't read in CODEOWNERS it skips in "
            "silence."
        ),
        fix="Write the name as the forge shows it, without an @ in front.",
        example=Example(
            bad=namespace("owners: [{type: github-team, name: platform}]"),
            good=namespace("owners: [{type: github-team, name: acme/platform}]"),
        ),
    ),
)
