"""What a reader may hand to any checker before there is an answer: nothing, half of it, another kind of thing."""


def raises(*args, **kwargs):
    raise KeyError(3)


def returns(result):
    """Return a function that takes anything and returns `result`."""
    return lambda *args, **kwargs: result


NAN = float("nan")
VALUES = [
    None, 0, -1, NAN, True, "", "nonsense", b"", object(), int, Ellipsis,
    [], {}, (), set(), [None, None], [NAN, NAN], ["a", "b"], [[], []], [1, [2, 3]], [{}] * 4, [[]] * 6, {"A": None},
]
FUNCTIONS = [raises, *map(returns, VALUES)]
NONSENSE = [*VALUES, *FUNCTIONS]
