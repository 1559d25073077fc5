"""What a reader may hand to a checker before there is an answer: nothing, half of it, anything.

To each of these a checker says a sentence, "Not yet: ...", and never a traceback.
"""


def raises(*args, **kwargs):
    raise KeyError(3)


def returns(result):
    """Return a function that takes anything and returns `result`."""
    return lambda *args, **kwargs: result


NAN = float("nan")
VALUES = [
    None, 0, -1, NAN, True, "", "nonsense", b"", object(), int, Ellipsis, [], {}, (), set(),
    [None, None], [NAN, NAN], ["a", "b"], [[], []], [1, [2, 3]], [{}] * 4, [[]] * 6, {"A": None},
]
NONSENSE = [*VALUES, raises, *map(returns, VALUES)]
