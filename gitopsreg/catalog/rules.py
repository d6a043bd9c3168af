"""The table of rules: every GRnnn there is, in one place. Numbers never change their meaning; it checks nothing itself.

GR0 YAML syntax and limits · GR1 structure · GR2 schema · GR3 references · GR4 semantics · GR5 security.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`title` says what must hold, `why` what would go wrong otherwise."""

    id: str
    title: str
    why: str
    severity: Severity = "error"


_TABLE = (
    Rule("GR001", "the file is YAML", "nothing can be read from it otherwise"),
    Rule("GR002", "the file is UTF-8 text", "other encodings and control characters hide what a reviewer should see"),
    Rule("GR003", "no anchors and aliases", "a few lines of them can unfold to gigabytes"),
    Rule("GR004", "a key stands once", "readers disagree on which of two values counts"),
    Rule("GR005", "one document a file", "the path of a file is the identity of what it declares"),
    Rule("GR006", "only plain YAML tags", "other tags make objects of the reader's language"),
    Rule("GR007", "a file has at most 256 KiB", "the catalog is untrusted input with a limit"),
    Rule("GR008", "nested at most 32 deep", "the catalog is untrusted input with a limit"),
    Rule("GR009", "keys are strings", "an unquoted yes or 1.10 as a key is not what it looks like"),
    Rule("GR010", "no merge keys", "what a file says must be readable in the file"),
    Rule("GR011", "the file is not empty", "an empty declaration is a slip; remove the file to remove the package"),
    Rule("GR012", "at most 50,000 files", "the catalog is untrusted input with a limit"),
    Rule("GR013", "the file can be read", "what can't be read can't be checked"),
    Rule("GR014", "all declarations have at most 64 MiB", "the catalog is untrusted input with a limit"),
    Rule("GR101", "two paths differ in more than letter case", "names are matched without regard to case"),
    Rule("GR102", "every YAML file stands where a kind belongs", "a misplaced file would silently declare nothing"),
    Rule("GR103", "the kind is known", "an unknown kind declares nothing"),
    Rule("GR104", "path and content name the same thing", "owners and reviews go by path, clients by content"),
    Rule("GR105", "declarations end in .yaml", "one package has one path"),
    Rule("GR106", "no status in the catalog", "the catalog holds intent; status is what the registry reports"),
    Rule("GR107", "declarations are ordinary files", "symlinks and submodules reach outside the reviewed catalog"),
    Rule("GR108", "the kind is used by this release", "it is accepted, and nothing happens", "warning"),
    Rule("GR109", "names in paths are legal", "clients could not ask for it"),
    Rule("GR201", "a value has the right type", "an unquoted 1.10 is the number 1.1, not version 1.10"),
    Rule("GR202", "no unknown fields", "a misspelt field would silently do nothing"),
    Rule("GR203", "no missing fields", "the declaration says too little to act on"),
    Rule("GR204", "a value is one of those allowed", "nothing is known to do about another"),
    Rule("GR205", "a value has the right shape", "it could not be used"),
    Rule("GR301", "a package's namespace is declared", "somebody must own it"),
    Rule("GR302", "keys that are named exist", "without them nothing can be verified"),
    Rule("GR303", "an alias names nothing else", "a name must lead to one place"),
    Rule("GR304", "a pinned folder exists", "the version would have no content"),
    Rule("GR305", "a replacement exists", "users would be sent nowhere", "warning"),
    Rule("GR306", "replacements do not go round in circles", "users would be sent round in circles", "warning"),
    Rule("GR401", "constraints can be read", "it would be unclear which versions are meant"),
    Rule("GR402", "regular expressions can be read", "it would be unclear which versions are meant"),
    Rule("GR403", "a version is pinned, yanked or blocked once", "it would be unclear which entry counts"),
    Rule("GR404", "a version is not pinned and blocked", "the block wins, the pin does nothing", "warning"),
    Rule("GR405", "a source of type catalog has pins", "they are the list of its versions"),
    Rule("GR406", "pins have a path exactly for sources of type catalog", "the path is the content there, only there"),
    Rule("GR407", "folders stay inside", "a path must not reach outside the repository"),
    Rule("GR408", "verification is on", "clients refuse providers without a valid signature"),
    Rule("GR409", "a fingerprint is 40 or 64 hex digits", "a reviewer compares it with the key's"),
    Rule("GR410", "a tag prefix has plain characters", "it is compared with the names of tags"),
    Rule("GR411", "commits and digests are whole", "a shortened one can come to mean something else"),
    Rule("GR412", "versions are MAJOR.MINOR.PATCH", "clients read no others"),
    Rule("GR413", "durations are sensible", "the registry would hammer upstreams, or never look"),
    Rule("GR414", "the source type is acted on by this release", "it is accepted, and nothing happens", "warning"),
    Rule("GR415", "a provider names its keys", "without keys nothing can be verified"),
    Rule("GR416", "required platforms are named", "there would be nothing to wait for"),
    Rule("GR501", "no secrets in the catalog", "whoever reads the catalog could use them: revoke it, then remove it"),
    Rule("GR502", "no credentials in URLs", "whoever reads the catalog could use them: revoke them, then remove them"),
    Rule("GR503", "URLs are safe", "other schemes and odd URLs reach further than a repository"),
    Rule("GR504", "reserved names stay with their owners", "a package under a public name would stand in for it"),
    Rule("GR505", "a source is one that the namespace allows", "owners decide where packages come from"),
    Rule("GR506", "URLs are encrypted", "anybody on the way could change what is fetched", "warning"),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _TABLE}
