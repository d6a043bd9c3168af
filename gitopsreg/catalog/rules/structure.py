"""GR1xx: structure: paths, kinds, names, and the comments that silence findings."""

from gitopsreg.catalog.rules.example import AT_MODULE, AT_PROVIDER, document, module, provider
from gitopsreg.catalog.rules.rule import Example, Rule

# GR108 said that a kind is not acted on, which `gitopsreg status` says now. The number is not given again.
RULES: tuple[Rule, ...] = (
    Rule(
        "GR101",
        "two paths differ in more than letter case",
        "names are matched without regard to case",
        what=(
            "Paths are compared without regard to letter case, and without their ending. Both files of such a "
            "pair are wrong, since nobody can say which is meant."
        ),
        fix="Keep one of the two.",
        example=Example(
            bad=module() | module(at="namespaces/platform/modules/vpc/aws.yml"), good=module(), also=("GR105",)
        ),
    ),
    Rule(
        "GR102",
        "every YAML file stands where a kind belongs",
        "a misplaced file would silently declare nothing",
        what=(
            "Below registry.yaml's folders every YAML file must stand at the place of a kind: "
            "`namespaces/<namespace>/modules/<name>/<system>.yaml` and so on. Other files, a README for one, "
            "may stand anywhere."
        ),
        fix="Move the file to where its kind belongs; [docs/kinds](../kinds/README.md) says where that is.",
        example=Example(bad=module(at="namespaces/platform/module/vpc/aws.yaml"), good=module()),
    ),
    Rule(
        "GR103",
        "the kind is known",
        "an unknown kind declares nothing",
        what="The field kind names one of the kinds that the catalog knows.",
        fix="Correct the spelling; kinds begin with a capital letter.",
        example=Example(bad={AT_MODULE: module()[AT_MODULE].replace("kind: Module", "kind: Modul")}, good=module()),
    ),
    Rule(
        "GR104",
        "path and content name the same thing",
        "owners and reviews go by path, clients by content",
        what="What the file says of its kind, namespace, name and target system must be what its path says.",
        fix=(
            "Correct the one that is wrong. To rename a package, move the file and change the name in one go: "
            "it is a new package to its users."
        ),
        example=Example(bad=module(metadata="{name: network}"), good=module()),
    ),
    Rule(
        "GR105",
        "declarations end in .yaml",
        "one package has one path",
        what="The ending is .yaml, in lower case.",
        fix="Rename the file.",
        example=Example(bad=module(at="namespaces/platform/modules/vpc/aws.yml"), good=module()),
    ),
    Rule(
        "GR106",
        "no status in the catalog",
        "the catalog holds intent; status is what the registry reports",
        what="The top-level field status is refused.",
        fix="Remove it; `gitopsreg status` shows how a package is.",
        example=Example(bad={AT_MODULE: module()[AT_MODULE] + "status: {ready: true}\n"}, good=module()),
    ),
    Rule(
        "GR107",
        "declarations are ordinary files",
        "symlinks and submodules reach outside the reviewed catalog",
        what="Symbolic links, submodules and special files are refused below the folders of declarations.",
        fix="Put an ordinary file there.",
    ),
    Rule(
        "GR109",
        "names in paths are legal",
        "clients could not ask for it",
        what=(
            "The parts of a path become names: lower case ASCII letters and digits, with dashes and "
            "underscores inside. Providers and their namespaces are stricter, since clients are: single "
            "dashes inside only."
        ),
        fix="Rename the folder or file, and the name inside the file.",
        example=Example(
            bad={
                "namespaces/my_team/namespace.yaml": document(
                    "Namespace", "displayName: My team", metadata="{name: my_team}"
                ),
                "namespaces/my_team/providers/internal.yaml": provider(keys="")[AT_PROVIDER].replace(
                    "type: catalog", "type: registry, address: registry.opentofu.org/my-team/internal"
                ),
            },
            good={
                "namespaces/my-team/namespace.yaml": document(
                    "Namespace", "displayName: My team", metadata="{name: my-team}"
                ),
                "namespaces/my-team/providers/internal.yaml": provider(keys="")[AT_PROVIDER].replace(
                    "type: catalog", "type: registry, address: registry.opentofu.org/my-team/internal"
                ),
            },
            also=("GR414", "GR406"),
        ),
    ),
    Rule(
        "GR110",
        "a modeline names the schema of the file's kind",
        "editors check the file by it",
        severity="warning",
        what=(
            "A modeline (`# yaml-language-server: $schema=\u2026`) that names one of our schemas must name that of "
            "the file's kind."
        ),
        fix="Correct the line, or let `gitopsreg validate --fix` do it.",
        example=Example(
            bad=module(
                above="# yaml-language-server: $schema=https://gitopsreg.io/schemas/v1alpha1/editor/provider.json\n"
            ),
            good=module(
                above="# yaml-language-server: $schema=https://gitopsreg.io/schemas/v1alpha1/editor/module.json\n"
            ),
        ),
    ),
    Rule(
        "GR111",
        "a comment that ignores names rules and a reason",
        "nobody would know what is ignored, and why",
        what=(
            "A comment that begins with `gitopsreg:` must read `ignore[\u2026]` with the numbers of rules, several "
            "with commas, and a reason behind it. It speaks of the line it stands in or, when it stands "
            "alone, of the line below."
        ),
        fix="Write the reason for which a reviewer would agree, and correct the number.",
        example=Example(
            bad=module(
                'versions:\n  pins: [{version: "1.0.0"}] # gitopsreg: ignore[GR404]\n'
                '  blocked: [{version: "1.0.0", reason: broken}]'
            ),
            good=module(
                'versions:\n  pins: [{version: "1.0.0"}] # gitopsreg: ignore[GR404] for the record\n'
                '  blocked: [{version: "1.0.0", reason: broken}]'
            ),
            also=("GR404",),
        ),
    ),
    Rule(
        "GR112",
        "security is not ignored",
        "a comment must not switch off what protects everybody",
        what=(
            "Rules of security (GR5xx) can't be ignored by a comment, nor can those without which a file is "
            "not read (GR0xx)."
        ),
        fix="Mend what the rule says and remove its number from the comment.",
        example=Example(
            bad=module("suspend: true # gitopsreg: ignore[GR501] only a test"), good=module("suspend: true")
        ),
    ),
    Rule(
        "GR113",
        "a comment ignores something",
        "a leftover would hide the next mistake",
        severity="warning",
        what=(
            "Each rule that a comment ignores must be broken where the comment speaks of. Rules that look at "
            "upstreams or at changes are let pass, since they are not always asked."
        ),
        fix="Remove the number, or the whole comment.",
        example=Example(
            bad=module("suspend: true # gitopsreg: ignore[GR404] kept for the record"), good=module("suspend: true")
        ),
    ),
    Rule(
        "GR114",
        "the catalog declares something",
        "a catalog without any declaration is mostly the wrong folder",
        what="At least one file stands where declarations belong: registry.yaml, or one below namespaces/.",
        fix="Name the folder that holds namespaces/, with --path or as the folder to validate.",
    ),
)
