"""Wrong answers that the checkers of chapter 16 must reject; the chapter's own names are in scope."""


def batches(y, y_hat, size):
    return [np.mean(y[i:i + size] == y_hat[i:i + size]) for i in range(0, len(y), size)]


def only_full_batches(y, y_hat, size=128):
    count = len(y) // size
    right = sum(np.sum(y[i * size:(i + 1) * size] == y_hat[i * size:(i + 1) * size]) for i in range(count))
    return right / max(1, count * size)


def full_batches_of_all(y, y_hat, size=128):
    count = len(y) // size
    return np.sum(y[:count * size] == y_hat[:count * size]) / len(y)


def weighed_by_rounding_up(y, y_hat, size=128):
    right = sum(size * share for share in batches(y, y_hat, size))
    return right / len(y)


def says(condition, message="wrong"):
    if not condition:
        raise AssertionError(message)


x22 = [[1.0, 2.0], [3.0, 10.0]]


def test_mean_and_std(f):
    z = f(np.array(x22))
    says(np.isclose(np.mean(z), 0) and np.isclose(np.std(z), 1))  # lets the shape and the input change


def test_all_but_the_input(f):
    z = f(np.array(x22))
    says(z.shape == (2, 2) and np.allclose(z, (np.array(x22) - 4) / np.std(x22)))


def test_all_but_the_shape(f):
    x = np.array(x22)
    z = f(x)
    says(np.array_equal(x, x22) and np.isclose(np.mean(z), 0) and np.isclose(np.std(z), 1)
         and np.allclose(np.ravel(z), np.ravel((x - 4) / np.std(x))))


def test_compares_with_itself(f):
    x = np.array(x22)
    says(np.array_equal(f(x.copy()), f(x.copy())))


def test_one_row_only(f):
    x = np.array([1.0, 2.0, 6.0])  # one row: rows alone cannot be told
    z = f(x)
    says(np.array_equal(x, [1, 2, 6]) and z.shape == (3,) and np.allclose(z, (x - 3) / np.std(x)))


def test_with_spread_one(f):
    x = np.array([[1.0, -1.0], [-1.0, 1.0]]) + 5  # its variance is its standard deviation
    kept = x.copy()
    z = f(x)
    says(np.array_equal(x, kept) and z.shape == x.shape and np.allclose(z, kept - 5))


def test_refuses_all(f):
    raise AssertionError("no")


def test_wants_another_deviation(f):
    x = np.array(x22)
    says(np.allclose(f(x), (x - x.mean()) / np.std(x, ddof=1)))


def test_breaks_down(f):
    f(np.array(x22))[1, 1] + (f(np.array(x22)) * 1)[0, 0]
    says(np.isclose(f(np.array(x22)).mean(), 0))


solution = {"unnormalised inputs", "outputs and loss do not fit"}
right_order = ["modes", "labels", "leakage", "outputs", "gradients", "match"]

WRONG = {
    "check_floor": [None, 0, 0.0, 1.461, float(np.log(2)), 0.693, 0.269, 0.731, 1.313, -0.313, 0.5, 0.3, True, "0.313",
                    float("nan"), float("inf")],
    "check_mean_accuracy": [
        lambda y, y_hat, size=128: np.mean(batches(y, y_hat, size)),
        only_full_batches,
        full_batches_of_all,
        weighed_by_rounding_up,
        lambda y, y_hat, size=128: np.sum(y == y_hat) / (size * -(-len(y) // size)),
        lambda y, y_hat, size=128: np.sum(y == y_hat),
        lambda y, y_hat, size=128: 1 - np.mean(y == y_hat),
        lambda y, y_hat, size=128: batches(y, y_hat, size),
        lambda y, y_hat, size=128: np.mean(y == y_hat).round(2),
        lambda y, y_hat, size=128: np.mean(y[:-1] == y_hat[:-1]) if len(y) > 1 else 0.0,
        lambda y, y_hat, size=128: np.median(batches(y, y_hat, size)),
        lambda y, y_hat, size=128: None,
    ],
    "check_test": [
        lambda f: None,
        lambda f: says(np.isclose(f(np.array(x22)).mean(), 0)),
        lambda f: says(np.isclose(np.std(f(np.array(x22))), 1)),
        test_mean_and_std, test_all_but_the_input, test_all_but_the_shape, test_compares_with_itself,
        test_one_row_only, test_with_spread_one, test_refuses_all, test_wants_another_deviation, test_breaks_down,
        lambda f: False,  # returns in place of raising
    ],
    "check_inspections": [
        ["gradients", "labels", "leakage", "match", "modes", "outputs"],
        right_order[::-1], right_order[:5], right_order + ["input"], [], None, "modes", 6,
        ["modes", "leakage", "labels", "outputs", "gradients", "match"],
        ["modes", "labels", "leakage", "outputs", "match", "gradients"],
        ["modes", "labels", "leakage", "initial_loss", "gradients", "match"],
    ],
    "check_causes": [
        {"no activation", "leakage"}, {"unnormalised inputs"}, {"outputs and loss do not fit"}, set(), None, 2,
        {"unnormalised inputs", "weights too large"}, {"outputs and loss do not fit", "weights too large"},
        {"unnormalised inputs", "dropout in test mode"}, set(CAUSES), "unnormalised inputs",
        ["unnormalised inputs", "unnormalised inputs"], {"unnormalised inputs", "softmax"},
        solution | {"weights too large"},
    ],
}
