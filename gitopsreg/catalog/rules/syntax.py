"""GR0xx: YAML syntax and limits: what keeps a file from being read at all."""

from gitopsreg.catalog.rules.example import AT_MODULE, module
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR001",
        "the file is YAML",
        "nothing can be read from it otherwise",
        what=(
            "The file is parsed as YAML 1.1/1.2. The finding stands where the parser gave up, which can be a "
            "line or two below the slip."
        ),
        fix=(
            "Look at the marked line and the one above: an open bracket or quote, a tab, a missing space "
            "behind a colon."
        ),
        example=Example(bad=module('versions: {constraint: ">= 1.0"'), good=module('versions: {constraint: ">= 1.0"}')),
    ),
    Rule(
        "GR002",
        "the file is UTF-8 text",
        "other encodings and control characters hide what a reviewer should see",
        what=(
            "The file must be UTF-8, with or without a byte order mark, and hold no control characters but "
            "tabs and line breaks."
        ),
        fix="Save the file as UTF-8 and remove the marked character.",
        example=Example(bad=module('description: "A network\x07"'), good=module('description: "A network"')),
    ),
    Rule(
        "GR003",
        "no anchors and aliases",
        "a few lines of them can unfold to gigabytes",
        what="Anchors (`&name`) and aliases (`*name`) are refused, wherever they stand.",
        fix=(
            "Write the value out where it is needed. What many packages share belongs in spec.defaults of the "
            "namespace or of the registry."
        ),
        example=Example(
            bad=module("description: &words A network\ndeprecation: {message: *words}"),
            good=module("description: A network\ndeprecation: {message: A network}"),
        ),
    ),
    Rule(
        "GR004",
        "a key stands once",
        "readers disagree on which of two values counts",
        what="A mapping holds each key once, at every depth.",
        fix="Keep one of the two.",
        example=Example(bad=module("suspend: false\nsuspend: true"), good=module("suspend: true")),
    ),
    Rule(
        "GR005",
        "one document a file",
        "the path of a file is the identity of what it declares",
        what="A second document, behind a line of three dashes, is refused.",
        fix="Put each document into a file of its own, at the path of what it declares.",
        example=Example(
            bad={
                AT_MODULE: module()[AT_MODULE]
                + "---\n"
                + module(name="dns")["namespaces/platform/modules/dns/aws.yaml"]
            },
            good=module() | module(name="dns"),
        ),
    ),
    Rule(
        "GR006",
        "only plain YAML tags",
        "other tags make objects of the reader's language",
        what=(
            "Explicit tags are refused, except the plain ones (`!!str`, `!!int`, `!!bool`, \u2026) on a value that "
            "is of that type."
        ),
        fix="Remove the tag; quote what is to be a string.",
        example=Example(bad=module("description: !network A network"), good=module("description: A network")),
    ),
    Rule(
        "GR007",
        "a file has at most 256 KiB",
        "the catalog is untrusted input with a limit",
        what="The size of each file is looked at before it is read.",
        fix=(
            "A declaration of this size is a list that grew by itself: replace pins by a constraint, or split "
            "the package."
        ),
    ),
    Rule(
        "GR008",
        "nested at most 32 deep",
        "the catalog is untrusted input with a limit",
        what="Mappings and lists may stand inside each other 32 times.",
        fix="No field needs this: look for a bracket that was opened instead of closed.",
        example=Example(
            bad=module("versions: " + "{a: " * 33 + "1" + "}" * 33), good=module("versions: {keepLatest: 1}")
        ),
    ),
    Rule(
        "GR009",
        "keys are strings",
        "an unquoted yes or 1.10 as a key is not what it looks like",
        what=(
            "A key must be a string. Numbers, booleans, dates and empty keys are refused, also yes, no, on "
            "and off, which only some readers take for booleans."
        ),
        fix="Put the key in quotes.",
        example=Example(
            bad=module(metadata="{name: vpc, labels: {yes: network}}"),
            good=module(metadata='{name: vpc, labels: {"yes": network}}'),
        ),
    ),
    Rule(
        "GR010",
        "no merge keys",
        "what a file says must be readable in the file",
        what=(
            "The key `<<` merges another mapping into this one in YAML 1.1 and is an ordinary key in YAML "
            "1.2. It is refused."
        ),
        fix=(
            "Write the fields out; what many packages share belongs in spec.defaults of the namespace or of "
            "the registry."
        ),
        example=Example(
            bad=module("versions:\n  <<: {prereleases: true}"), good=module("versions:\n  prereleases: true")
        ),
    ),
    Rule(
        "GR011",
        "the file is not empty",
        "an empty declaration is a slip; remove the file to remove the package",
        what="A file without a document, or with comments only, declares nothing.",
        fix="Declare something in it, or remove the file.",
        example=Example(bad={AT_MODULE: "# to do\n"}, good=module()),
    ),
    Rule(
        "GR012",
        "at most 150,000 files",
        "the catalog is untrusted input with a limit",
        what="Files below the folders of declarations are counted, whatever they hold.",
        fix="Move what is no declaration out of these folders; split a registry of this size by namespace.",
    ),
    Rule(
        "GR013",
        "the file can be read",
        "what can't be read can't be checked",
        what="The operating system refused to hand out the file.",
        fix="Look at the permissions of the file and of the folders above it.",
    ),
    Rule(
        "GR014",
        "all declarations have at most 64 MiB",
        "the catalog is untrusted input with a limit",
        what="The sizes of all declarations are added up; a file that stands at many paths counts as often.",
        fix="Look for generated or copied files; split a registry of this size by namespace.",
    ),
)
