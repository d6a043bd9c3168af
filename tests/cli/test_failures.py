import pytest

from gitopsreg import errors
from gitopsreg.cli import failures


def every(kind: type[errors.GitopsregError]) -> list[type[errors.GitopsregError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in every(child))]


CODES = {
    "BundleRefused": 1,
    "CatalogInvalid": 1,
    "UpstreamError": 1,
    "IntegrityError": 1,
    "UnsafePlan": 1,
    "PublishHeld": 1,
    "NotPublished": 1,
    "Blocked": 1,
    "CheckoutFailed": 3,
    "UpstreamUnavailable": 3,
    "StorageError": 3,
    "KeyMissing": 3,
    "PublishConflict": 3,
    "LeaseError": 3,
    "LeaseHeld": 3,
    "LostLease": 3,
}


@pytest.mark.parametrize("kind", [kind for kind in every(errors.GitopsregError) if kind.__module__ == errors.__name__])
def test_every_error_has_one_exit_code(kind: type[errors.GitopsregError]) -> None:
    error = kind.__new__(kind)
    assert failures.meaning(error)[0] == CODES.get(kind.__name__, 2)


def test_each_line_of_a_message_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    failures.tell("one\n\x1b[31mtwo", "do this")
    assert capsys.readouterr().err == "error: one\nerror: \\x1b[31mtwo\n  next: do this\n"
