"""GR5xx: security: secrets, names that mislead, ownership. None of these can be ignored by a comment."""

from gitopsreg.catalog.rules.example import AT_MODULE, module, namespace
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR501",
        "no secrets in the catalog",
        "whoever reads the catalog could use them: revoke it, then remove it",
        what=(
            "The whole text of every file, comments too, is searched for what looks like a token, an access "
            "key or a private key of a well-known kind. Reports never repeat it."
        ),
        fix=(
            "Revoke it first: it is in the history of the repository now. Then remove it and name a secret "
            "that the server knows instead."
        ),
        example=Example(bad=module("description: A network # ghp_" + "0" * 36), good=module("description: A network")),
    ),
    Rule(
        "GR502",
        "no credentials in URLs",
        "whoever reads the catalog could use them: revoke them, then remove them",
        what="No user name, password or token in a URL (git@ of SSH is no secret).",
        fix="Revoke what was written, remove it, and name a connection, whose credentials the server holds.",
        example=Example(
            bad=module(source='source: {type: git, url: "https://robot:hunter2@git.example.com/vpc.git"}'),
            good=module(source='source: {type: git, url: "https://git.example.com/vpc.git"}'),
        ),
    ),
    Rule(
        "GR503",
        "URLs are safe",
        "other schemes and odd URLs reach further than a repository",
        what=(
            "A URL has the scheme https or ssh (http with a warning, file where the operator allows it), a "
            "host, and a path without white space, backslashes and dots alone."
        ),
        fix="Write it plainly.",
        example=Example(
            bad=module(source="source: {type: git, url: git://git.example.com/vpc.git}"),
            good=module(source="source: {type: git, url: https://git.example.com/vpc.git}"),
        ),
    ),
    Rule(
        "GR504",
        "reserved names stay with their owners",
        "a package under a public name would stand in for it",
        what=(
            "Namespaces that public registries give to others (hashicorp, aws, \u2026) may hold mirrors of just "
            "these packages, and nothing else."
        ),
        fix="Choose a namespace of your own. For a mirror, take source type registry with the same address.",
        example=Example(
            bad={"namespaces/hashicorp/modules/vpc/aws.yaml": module()[AT_MODULE]}
            | namespace("displayName: HashiCorp", name="hashicorp"),
            good={"namespaces/acme/modules/vpc/aws.yaml": module()[AT_MODULE]}
            | namespace("displayName: Acme", name="acme"),
        ),
    ),
    Rule(
        "GR505",
        "a source is one that the namespace allows",
        "owners decide where packages come from",
        what=("When a namespace has allowedSources, the source of each of its packages must fit one of the entries."),
        fix="Take a source that is allowed, or ask the owners of the namespace to allow this one.",
        example=Example(
            bad=namespace('allowedSources: [{url: "https://github.com/acme/*"}]')
            | module(source="source: {type: git, url: https://github.com/acne/terraform-aws-vpc.git}"),
            good=namespace('allowedSources: [{url: "https://github.com/acme/*"}]') | module(),
        ),
    ),
    Rule(
        "GR506",
        "URLs are encrypted",
        "anybody on the way could change what is fetched",
        severity="warning",
        what="A URL with http:// is accepted for hosts that have nothing else, and told.",
        fix="Write https://.",
        example=Example(
            bad=module(source="source: {type: git, url: http://git.example.com/vpc.git}"),
            good=module(source="source: {type: git, url: https://git.example.com/vpc.git}"),
        ),
    ),
    Rule(
        "GR507",
        "ownership is not granted and used in one change",
        "nobody gives rights to themselves",
        what=(
            "With a base to compare with: a change that makes somebody an owner of a namespace must not also "
            "touch the packages and keys of that namespace, nor be made by that owner."
        ),
        fix="Make two changes: the owners of now review the first, the owners of then make the second.",
        example=Example(
            base=namespace("owners: [{type: github-team, name: acme/platform}]") | module(),
            bad=namespace(
                "owners:\n  - {type: github-team, name: acme/platform}\n  - {type: github-team, name: acme/contractors}"
            )
            | module('versions: {constraint: ">= 2.0"}'),
            good=namespace("owners: [{type: github-team, name: acme/platform}]")
            | module('versions: {constraint: ">= 2.0"}'),
            also=("GR709",),
        ),
    ),
    Rule(
        "GR508",
        "names and hosts have no look-alike letters",
        "a reviewer would see another name than the one used",
        what=(
            "Names, paths, URLs and owners are looked through for letters of other scripts that look like "
            "ASCII letters, such as a Cyrillic \u0435. Text for people may be in any script."
        ),
        fix="Type the name anew.",
        example=Example(
            bad=module(source="source: {type: git, url: https://github.com/acme/modules.git, path: n\u0435twork}"),
            good=module(source="source: {type: git, url: https://github.com/acme/modules.git, path: network}"),
        ),
    ),
    Rule(
        "GR509",
        "a name does not look like another",
        "users would mistake one package for the other",
        severity="warning",
        what=(
            "Two namespaces of the catalog, or one of it and a well-known public one, must differ in more "
            "than 0 and o, 1, l and i, 5 and s, rn and m, dashes and underscores."
        ),
        fix="Choose a name that nobody mistakes for the other.",
        example=Example(
            bad=namespace("displayName: Platform two", name="p1atform"),
            good=namespace("displayName: Network", name="network"),
        ),
    ),
    Rule(
        "GR510",
        "no invisible characters",
        "a reviewer would not see what a program reads",
        what=(
            "Characters that change the direction of text, that have no width (the joiners of scripts and "
            "emoji aside), and tag characters are refused anywhere in a file."
        ),
        fix="Remove the character; type the line anew if you can't find it.",
        example=Example(bad=module("description: A \u202enetwork"), good=module("description: A network")),
    ),
)
