"""GR2xx: the shape of a document: fields, types and values."""

from gitopsreg.catalog.rules.example import module
from gitopsreg.catalog.rules.rule import Example, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GR201",
        "a value has the right type",
        "an unquoted 1.10 is the number 1.1, not version 1.10",
        what=(
            "A value must be a string, a number, a boolean, a list or a mapping, as the field wants it. What "
            "YAML 1.1 and 1.2 read differently (yes, 0x10, 1e3, 2026-10-01) is of no type until it is quoted."
        ),
        fix=(
            "Quote versions, dates and words that are to be strings; `gitopsreg validate --fix` does it where "
            "nothing can be misread."
        ),
        example=Example(
            bad=module("versions: {pins: [{version: 1.10}]}"), good=module('versions: {pins: [{version: "1.10.0"}]}')
        ),
    ),
    Rule(
        "GR202",
        "no unknown fields",
        "a misspelt field would silently do nothing",
        what="Only the fields of the kind's schema may be written; nothing is ignored in silence.",
        fix="Correct the spelling or remove the field; the page of the kind lists all fields.",
        example=Example(
            bad=module('versions: {constraints: ">= 1.0"}'), good=module('versions: {constraint: ">= 1.0"}')
        ),
    ),
    Rule(
        "GR203",
        "no missing fields",
        "the declaration says too little to act on",
        what="A field that the kind can't do without is there.",
        fix="Add the field.",
        example=Example(bad=module(source=""), good=module()),
    ),
    Rule(
        "GR204",
        "a value is one of those allowed",
        "nothing is known to do about another",
        what="Where a field takes one of a few words, it is one of these.",
        fix="Write one of the words that the finding lists.",
        example=Example(
            bad=module('versions: {yanked: [{version: "1.0.0", reason: broken, visibility: invisible}]}'),
            good=module('versions: {yanked: [{version: "1.0.0", reason: broken, visibility: hidden}]}'),
        ),
    ),
    Rule(
        "GR205",
        "a value has the right shape",
        "it could not be used",
        what="Length, range, pattern and number of items are within what the schema allows.",
        fix="The finding says what would be right.",
        example=Example(bad=module("versions: {keepLatest: -1}"), good=module("versions: {keepLatest: 20}")),
    ),
)
