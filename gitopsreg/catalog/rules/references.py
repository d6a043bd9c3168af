"""GR3xx: what one file says of another."""

from gitopsreg.catalog.rules.example import AT_MODULE, module, namespace, other, provider, registry
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR301",
        "a package's namespace is declared",
        "somebody must own it",
        what="`namespaces/<namespace>/namespace.yaml` exists for every package.",
        fix="Declare the namespace, with its owners; `gitopsreg add namespace` writes the file.",
        example=Example(
            bad={"namespaces/network/modules/vpc/aws.yaml": module()[AT_MODULE]},
            good={"namespaces/network/modules/vpc/aws.yaml": module()[AT_MODULE]}
            | namespace("displayName: Network", name="network"),
        ),
    ),
    Rule(
        "GR302",
        "keys that are named exist",
        "without them nothing can be verified",
        what="Each name in verify.keys is that of a SigningKey of the same namespace.",
        fix="Correct the name, or declare the key; `gitopsreg add key` writes the file.",
        example=Example(bad=provider(keys="[releese]"), good=provider(keys="[release]")),
    ),
    Rule(
        "GR303",
        "an alias names nothing else",
        "a name must lead to one place",
        what="An alias is no namespace of the catalog, and no alias of another one.",
        fix="Remove it; an alias is for a name that nobody has any more.",
        example=Example(
            bad=namespace("aliases: [infra]") | namespace("displayName: Infrastructure", name="infra"),
            good=namespace("displayName: Platform") | namespace("displayName: Infrastructure", name="infra"),
        ),
    ),
    Rule(
        "GR304",
        "a pinned folder exists",
        "the version would have no content",
        what="The path of a pin is a folder of the catalog repository, from the catalog's root.",
        fix="Correct the path, or add the folder.",
        example=Example(bad=provider(pin='{version: "1.0.0", path: content/internal/v1}'), good=provider()),
    ),
    Rule(
        "GR305",
        "a replacement exists",
        "users would be sent nowhere",
        severity="warning",
        what="deprecation.replacement names a package of the catalog of the same kind.",
        fix="Correct the address, or declare the package that replaces this one first.",
        example=Example(
            bad=module("deprecation: {message: Use the new one, replacement: platform/networks/aws}")
            | module(name="network"),
            good=module("deprecation: {message: Use the new one, replacement: platform/network/aws}")
            | module(name="network"),
        ),
    ),
    Rule(
        "GR306",
        "replacements do not go round in circles",
        "users would be sent round in circles",
        severity="warning",
        what="Following replacements must end at a package that has none.",
        fix="Remove the replacement of the package that people should use.",
        example=Example(
            bad=module("deprecation: {message: Use the other, replacement: platform/net/aws}")
            | module("deprecation: {message: Use the other, replacement: platform/vpc/aws}", name="net"),
            good=module("deprecation: {message: Use the other, replacement: platform/net/aws}") | module(name="net"),
        ),
    ),
    Rule(
        "GR307",
        "a connection that is named exists",
        "nothing would say where to look, and with which credentials",
        what="Wherever a connection is named, `connections/<name>.yaml` exists.",
        fix="Correct the name, or declare the connection.",
        example=Example(
            bad=module(source="source: {type: git, url: https://github.com/acme/vpc.git, connection: github-acne}")
            | other("Connection", "connections/github-acme.yaml", "type: github"),
            good=module(source="source: {type: git, url: https://github.com/acme/vpc.git, connection: github-acme}")
            | other("Connection", "connections/github-acme.yaml", "type: github"),
        ),
    ),
    Rule(
        "GR308",
        "a storage class that is named exists",
        "nothing would say where the bytes go",
        what="Wherever a storage class is named, `storage/<name>.yaml` exists.",
        fix="Correct the name, or declare the storage class.",
        example=Example(
            bad=registry("defaults: {storageClass: standart}")
            | other("StorageClass", "storage/standard.yaml", "backend: primary"),
            good=registry("defaults: {storageClass: standard}")
            | other("StorageClass", "storage/standard.yaml", "backend: primary"),
        ),
    ),
    Rule(
        "GR309",
        "an access policy that is named exists",
        "nothing would say who may read",
        what="Wherever an access policy is named, `policies/<name>.yaml` exists.",
        fix="Correct the name, or declare the policy.",
        example=Example(
            bad=namespace("defaults: {accessPolicy: intern-read}")
            | other("AccessPolicy", "policies/internal-read.yaml", "default: deny"),
            good=namespace("defaults: {accessPolicy: internal-read}")
            | other("AccessPolicy", "policies/internal-read.yaml", "default: deny"),
        ),
    ),
    Rule(
        "GR310",
        "a namespace that alerts and policies name exists",
        "it would never apply",
        severity="warning",
        what="A namespace in the selection of an alert, or in the resources of a policy, is declared.",
        fix="Correct the name, or remove it.",
        example=Example(
            bad=other(
                "Alert",
                "alerts/ops.yaml",
                "sink: {type: slack, secretRef: slack-webhook}\nselect: {namespaces: [plattform]}",
            ),
            good=other(
                "Alert",
                "alerts/ops.yaml",
                "sink: {type: slack, secretRef: slack-webhook}\nselect: {namespaces: [platform]}",
            ),
        ),
    ),
)
