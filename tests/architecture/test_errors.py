"""Every error says one thing to HTTP, one to the shell, and has a code of its own."""

from keeprate.domain import errors

EXIT_CODES = {1, 2, 3, 4, 5, 6, 7, 130}


def _tree(root: type[errors.KeeprateError]) -> set[type[errors.KeeprateError]]:
    return {root}.union(
        *(_tree(child) for child in root.__subclasses__() if child.__module__.startswith("keeprate."))
    )


ALL = sorted(_tree(errors.KeeprateError), key=lambda error: error.__name__)


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in ALL]
    assert sorted(codes) == sorted(set(codes))


def test_every_error_maps_to_one_http_status_and_one_exit_code() -> None:
    for error in ALL:
        assert 400 <= error.http_status <= 599, error
        assert error.exit_code in EXIT_CODES, error


def test_all_errors_stand_in_one_file() -> None:
    assert {error.__module__ for error in ALL} == {"keeprate.domain.errors"}


def test_the_tree_drawn_at_the_top_of_the_file_is_the_tree() -> None:
    drawn: list[tuple[str, str]] = []
    ancestors: list[tuple[int, str]] = [(-1, "Exception")]
    for line in (errors.__doc__ or "").splitlines():
        words = line.split()
        if not words or not (isinstance(vars(errors).get(words[0]), type)):
            continue
        indent = len(line) - len(line.lstrip())
        while ancestors[-1][0] >= indent:
            ancestors.pop()
        drawn.append((words[0], ancestors[-1][1]))
        ancestors.append((indent, words[0]))
    real = [(error.__name__, error.__bases__[0].__name__) for error in ALL]
    assert sorted(drawn) == sorted(real)
