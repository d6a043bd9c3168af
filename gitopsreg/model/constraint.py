"""Version constraints: `>= 1.0, < 2.0.0`, `~> 1.2`, `!= 1.3.0`, `1.*`; comma lists; as Terraform reads them."""

from dataclasses import dataclass
from typing import Literal, Self

from gitopsreg.model.version import Version

# Terraform reads the constraint of a module and that of a provider with two different libraries.
Reading = Literal["module", "provider"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A parsed constraint; `text` is what was written."""

    text: str
    reading: Reading

    @classmethod
    def parse(cls, text: str, reading: Reading = "module") -> Self:
        """Raises InvalidName with what would be right."""
        raise NotImplementedError

    def admits(self, version: Version, *, prereleases: bool = False) -> bool:
        """Whether the version satisfies it.

        With `prereleases` False exactly as Terraform: a pre-release only when the constraint names just that version.
        With True pre-releases count by their precedence, but `< 2.0.0` never admits a pre-release of 2.0.0.
        """
        raise NotImplementedError
