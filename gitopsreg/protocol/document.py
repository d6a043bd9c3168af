"""What the protocols answer with: JSON documents, and the same bytes for the same document. Knows no protocol."""

import json
from typing import Any

Document = dict[str, Any]


def encode(document: Document) -> bytes:
    """Compact JSON; `+` and letters of every script stay as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
