"""What a plain YAML scalar means. Where YAML 1.1 and 1.2 disagree it means nothing: the author must say which."""

import re
from dataclasses import dataclass

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_OLD_BOOLEANS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), "true"),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), "false"),
}
_WORDS = _NULL | _TRUE | _FALSE | _OLD_BOOLEANS.keys()
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]{1,100}|[0-9]{1,100}\.[0-9]{0,100})")
_EXPONENT = re.compile(r"[-+]?(?:\.[0-9]{1,100}|[0-9]{1,100}(?:\.[0-9]{0,100})?)[eE][-+]?[0-9]{1,100}")
_OCTAL = re.compile(r"[-+]?0o?([0-7_]{1,100})")
_HEX = re.compile(r"[-+]?0x([0-9a-fA-F_]{1,100})")
_BINARY = re.compile(r"[-+]?0b([01_]{1,100})")
_SEPARATED = re.compile(r"[-+]?[0-9][0-9_]{0,100}(?:\.[0-9_]{0,100})?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]{0,20}(?::[0-5]?[0-9]){1,9}(?:\.[0-9_]{0,20})?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}\S{0,40}(?:[ \t]+\S{1,6})?)?"
)
_DIGITS = re.compile(r"[-+]?[0-9]+")
_SPECIAL = {".inf", "-.inf", "+.inf", ".nan"}
_STARTS = frozenset("0123456789+-.")


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A plain scalar that is no string to every reader: no schema type admits it.

    `reads` is what some reader takes it for ("the number 8"); `plain` the unambiguous way to write that, or "".
    """

    raw: str
    reads: str
    plain: str = ""


# Stands in for a value that was refused: a problem says so already, and no other check need complain.
REFUSED = Ambiguous("", "")

Scalar = str | int | float | bool | Ambiguous | None


def classify(raw: str) -> Scalar:
    """The value of an unquoted scalar."""
    if raw in _WORDS:
        return _word(raw)
    if raw[0] not in _STARTS:
        return raw
    return _number(raw)


def _word(raw: str) -> Scalar:
    if raw in _NULL:
        return None
    if raw in _OLD_BOOLEANS:
        return Ambiguous(raw, f"the boolean {_OLD_BOOLEANS[raw]} to some readers", _OLD_BOOLEANS[raw])
    return raw in _TRUE


def _number(raw: str) -> Scalar:
    if _INTEGER.fullmatch(raw):
        return int(raw)
    if _DECIMAL.fullmatch(raw):
        return float(raw)
    return _disputed(raw) or raw


def _disputed(raw: str) -> Ambiguous | None:
    """What JSON has no word for, and what only some readers take for a number or a date."""
    if raw.lower() in _SPECIAL or _EXPONENT.fullmatch(raw):
        number = float(raw.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return Ambiguous(raw, f"the number {number:g}")
    for pattern, base in ((_OCTAL, 8), (_HEX, 16), (_BINARY, 2)):
        if (found := pattern.fullmatch(raw)) and (digits := found[1].replace("_", "")):
            value = int(digits, base) * (-1 if raw[0] == "-" else 1)
            plain = raw.lstrip("0_") if raw.isdecimal() else str(value)
            return Ambiguous(raw, f"the number {value} to some readers", plain or "0")
    if _SEPARATED.fullmatch(raw) or _DIGITS.fullmatch(raw):
        plain = raw.replace("_", "").lstrip("+0") if "." not in raw and len(raw) < 100 else ""
        return Ambiguous(raw, "a number to some readers", plain)
    if _DATE.fullmatch(raw):
        return Ambiguous(raw, "a date")
    return Ambiguous(raw, "a number to base 60 to some readers") if _SEXAGESIMAL.fullmatch(raw) else None
