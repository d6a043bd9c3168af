import io
import sys
from dataclasses import replace

import pytest

from gitopsreg.catalog import pack
from gitopsreg.catalog.check import check_each
from gitopsreg.catalog.checker import main, question
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.together import CHECKER, check_together
from gitopsreg.errors import CheckoutFailed
from tests.catalog.catalogs import AT_MODULE, HEAD, MODULE, a_file


def unreadable() -> bytes:
    raise PermissionError(13, "Permission denied")


def module(number: int) -> CatalogFile:
    """Of four one is wrong, and of the three that are right one says so in a rare way."""
    path = f"namespaces/platform/modules/m{number}/aws.yaml"
    text = MODULE.replace("vpc", f"m{number}")
    wrong = [text, "\ufeff" + text, text + "# é\n", text + "  intervall: 1m\n", "a: &b [*b"]
    return a_file(path, wrong[number % 5])


def files() -> list[CatalogFile]:
    """More than one chunk, and one of each kind that is not read."""
    odd = [
        a_file(AT_MODULE, "elsewhere", "symlink"),
        replace(a_file(AT_MODULE + ".yaml", MODULE), read=unreadable),
        a_file("namespaces/platform/keys/big.yaml", HEAD + "#" * 300_000),
        a_file("namespaces/platform/keys/none.yaml", b"\xff"),
    ]
    return [*odd, *map(module, range(850))]


@pytest.mark.parametrize(
    "command",
    [CHECKER, ("/nowhere/at/all",), (sys.executable, "-c", ""), (sys.executable, "-c", "print(1)"), ("cat",)],
    ids=["a checker", "none", "one that ends", "one that says something else", "one that repeats"],
)
def test_what_two_find_is_what_one_finds(command: tuple[str, ...]) -> None:
    assert check_together(files(), least=1, command=command) == list(check_each(files()))


def test_what_can_t_be_had_is_told_as_ever() -> None:
    def gone() -> bytes:
        raise CheckoutFailed("the copy is gone")

    with pytest.raises(CheckoutFailed, match="gone"):
        check_together([replace(file, read=gone) for file in files()], least=1)


def test_a_checker_gives_the_values_of_what_there_is_nothing_to_tell_of() -> None:
    some = files()[:9]
    answers = io.BytesIO()
    main(io.BytesIO(question((file, None if file.read is unreadable else file.read()) for file in some)), answers)
    found = pack.read(answers.getvalue())
    sound = [one.document.value for one in check_each(some) if one.document and not one.findings]
    assert [one[0] for one in found if one] == sound
    assert len(sound) == 3
