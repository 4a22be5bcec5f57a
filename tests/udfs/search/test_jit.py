from udfs.search.jit import jit


def test_where_nothing_can_be_kept_each_process_compiles() -> None:
    """A function that stands in no file is one for which numba finds no place."""
    made: dict[str, object] = {}
    exec("def twice(number):\n    return 2 * number", made)
    twice = jit(made["twice"])  # type: ignore[type-var]
    assert twice(21) == 42
