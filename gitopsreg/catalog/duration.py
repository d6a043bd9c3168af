"""Durations as people write them: `10m`, `1h30m`, `90d`."""

import re
from datetime import timedelta
from functools import lru_cache

from gitopsreg.errors import InvalidName, quoted

_DURATION = re.compile(
    r"(?=[0-9])(?:(?P<days>[0-9]{1,5})d)?(?:(?P<hours>[0-9]{1,5})h)?"
    r"(?:(?P<minutes>[0-9]{1,5})m)?(?:(?P<seconds>[0-9]{1,6})s)?"
)


@lru_cache(maxsize=1024)  # most declarations say the same few
def parse_duration(text: str) -> timedelta:
    """Raises InvalidName with what would be right."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise InvalidName(f'{quoted(text)} is not a duration: write one like "10m", "1h30m" or "90d"')
    return timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number})
