"""One address for several processes: a seat for each, sockets over which the system spreads connections.

The process that forks them holds all the sockets, so that a connection in the queue of one who ends is not lost: who
comes next accepts it, and until then another. What they and their parent tell each other are words of two bytes.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from gitopsreg.server.listen import Listen, open_sockets

# Said by the parent: stop (said again, at once); accept for that seat too; that seat has somebody again.
STOP, TAKE, LEAVE = b"s", b"t", b"l"
# Said by a worker: it answers requests now; it accepts no more.
READY, DONE = b"r", b"d"

Sockets = list[socket.socket]


def word(verb: bytes, seat: int = 0) -> bytes:
    return verb + bytes([seat])


def words(said: bytes) -> Iterator[tuple[bytes, int]]:
    """What was said, in order: verb and seat."""
    return ((said[at : at + 1], said[at + 1]) for at in range(0, len(said) - 1, 2))


@dataclass(frozen=True, slots=True)
class Seats:
    """`listen` has its real port. Nobody can connect before somebody listens."""

    listen: Listen
    sockets: tuple[Sockets, ...]

    def close(self) -> None:
        """In this process. Nobody else can connect once all that have them did it."""
        for seat in self.sockets:
            for each in seat:
                each.close()


@contextmanager
def seats(listen: Listen, count: int) -> Iterator[Seats]:
    """The address is nobody else's while the block runs. Raises ConfigError."""
    # Sharing lets anybody of this user in, so that nobody is there is seen without it.
    alone = open_sockets(listen)
    port: int = alone[0].getsockname()[1]
    for each in alone:
        each.close()
    found = replace(listen, port=port)
    with ExitStack() as stack:

        def opened() -> Sockets:
            sockets = open_sockets(found, shared=True, backlog=None)
            for each in sockets:
                stack.callback(each.close)
            return sockets

        yield Seats(found, tuple(opened() for _ in range(count)))
