"""What a declaration is called in plans and explanations: `module:platform/vpc/aws`, `key:platform/release`."""

from gitopsreg.catalog.layout import Slot

# Kinds whose word is not simply their name in lower case.
_WORDS = {
    "SigningKey": "key",
    "AccessPolicy": "policy",
    "StorageClass": "storage",
    "BinaryMirror": "mirror",
}


def subject_of(slot: Slot) -> str:
    """The name, "" where nothing is declared."""
    if slot.address is not None:
        return str(slot.address)
    if slot.kind in {"", "Module", "Provider"}:
        return ""
    if slot.kind == "Registry":
        return "registry"
    parts = [slot.name] if slot.kind == "Namespace" else [slot.namespace, slot.name]
    return f"{_WORDS.get(slot.kind, slot.kind.lower())}:{'/'.join(part for part in parts if part)}"


def kind_of(subject: str) -> str:
    """The word before the colon: `module`, `key`, `registry`."""
    return subject.partition(":")[0]


def candidates(text: str) -> tuple[str, ...]:
    """The subjects that somebody may mean who left the kind out, likeliest first."""
    if ":" in text:
        return (text,)
    match text.count("/"):
        case 0:
            return text, f"namespace:{text}"
        case 1:
            return f"provider:{text}", f"key:{text}", f"discovery:{text}"
        case _:
            return (f"module:{text}",)
