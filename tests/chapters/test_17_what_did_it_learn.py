"""Chapter 17: shares that add up in networks of any kind, maps against slow twins, attacks, and what the script stored."""

import json

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook

CHAPTER = definitions("17")
slopes, contributions, occlusion, grad_cam, enlarge, erase, deletion, insertion, attack, integrated, class_images, answers, softmax = (
    CHAPTER[n] for n in ("slopes", "contributions", "occlusion", "grad_cam", "enlarge", "erase", "deletion", "insertion", "attack",
                         "integrated", "class_images", "answers", "softmax"))
STORED = json.loads((ROOT / "data" / "explain.json").read_text())
RUNS = list(STORED["runs"].values())
seeds = st.integers(0, 9999)


def network(seed, H=7, W=6, classes=4, use_bias=False, strides=1):
    """Return a random network with a convolution, a pooling and two dense layers."""
    keras.utils.set_random_seed(seed)
    layers, options = keras.layers, dict(use_bias=use_bias, bias_initializer="normal")
    return keras.Sequential([
        keras.Input((H, W, 1)), layers.Conv2D(3, 3, strides, "same", activation="relu", name="first", **options), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(5, "relu", **options), layers.Dense(classes, **options)])


def branched(seed):
    """Return a network without biases that is no chain of layers."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    inputs = keras.Input((None, None, 1))
    h = layers.Conv2D(3, 3, padding="same", use_bias=False)(inputs)
    h = layers.Add()([h, layers.Conv2D(3, 1, use_bias=False)(inputs)])
    h = layers.GlobalMaxPooling2D()(layers.ReLU(name="bend")(h))
    return keras.Model(inputs, layers.Dense(4, use_bias=False)(h))


def images(seed, N, H=7, W=6):
    x = np.random.default_rng(seed).random((N, H, W, 1)).astype(np.float32)
    return x * (x > 0.4)


# --- shares --------------------------------------------------------------------------------------------------------

@examples(8)
@given(seed=seeds, N=st.integers(1, 5), k=st.integers(0, 3), branch=st.booleans())
def test_shares_add_up_in_networks_without_biases(seed, N, k, branch):
    model, x = branched(seed) if branch else network(seed), images(seed, N)
    share = contributions(model, x, k)
    assert share.shape == (N, 7, 6) and not share[x[..., 0] == 0].any()
    np.testing.assert_allclose(share.sum(axis=(1, 2)), answers(model, x)[:, k], atol=1e-4)


def test_slopes_are_central_differences():
    model, x = network(3, use_bias=True), images(3, 2) + 0.1
    found = slopes(model, x, [1, 2])
    for i, j in np.ndindex(7, 6):
        step = np.zeros_like(x)
        step[:, i, j] = 1e-3
        rise = (answers(model, x + step) - answers(model, x - step))[[0, 1], [1, 2]] / 2e-3
        np.testing.assert_allclose(found[:, i, j], rise, atol=3e-3)


def test_one_class_for_all_or_one_for_each():
    model, x = network(0), images(0, 3)
    each = contributions(model, x, np.array([2, 0, 3]))
    for n, k in enumerate([2, 0, 3]):
        np.testing.assert_allclose(each[n], contributions(model, x, k)[n], atol=1e-6)


@pytest.mark.parametrize("function", [slopes, contributions, occlusion, lambda m, x, k: grad_cam(m, x, k, "first"),
                                      lambda m, x, k: integrated(m, x, k, 2)])
@pytest.mark.parametrize(("shape", "k", "words"), [
    ((2, 7, 6), 0, "(2, 7, 6)"), ((2, 6, 7, 1), 0, "(2, 6, 7, 1)"), ((2, 7, 6, 3), 0, "(2, 7, 6, 3)"), ((2, 7, 6, 1), 4, "0..3, got 4"),
    ((2, 7, 6, 1), -1, "got -1"), ((2, 7, 6, 1), [0, 1, 2], "2 of them, got int64 (3,)"), ((2, 7, 6, 1), 0.5, "float64"),
    ((2, 7, 6, 1), [[0], [1]], "(2, 1)")])
def test_bad_input_is_refused_with_its_numbers(function, shape, k, words):
    with pytest.raises(ValueError) as caught:
        function(network(0), np.zeros(shape, np.float32)[..., :], k)
    assert words in str(caught.value)


@pytest.mark.parametrize("side", [0, 2, -3, 1.5])
def test_a_square_has_a_middle(side):
    with pytest.raises(ValueError, match=str(side)):
        occlusion(network(0), images(0, 1), 0, side)


# --- the other maps ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("side", [1, 3, 5])
def test_occlusion_is_what_covering_does(side):
    model, x, r = network(1, use_bias=True), images(1, 3), side // 2
    found = occlusion(model, x, [0, 3, 1], side)
    for i, j in np.ndindex(7, 6):
        covered = x.copy()
        for u, v in np.ndindex(7, 6):
            if abs(u - i) <= r and abs(v - j) <= r:
                covered[:, u, v] = 0
        fall = (answers(model, x) - answers(model, covered))[[0, 1, 2], [0, 3, 1]]
        np.testing.assert_allclose(found[:, i, j], fall, atol=1e-5)


def test_grad_cam_is_the_mean_of_slopes_times_the_maps():
    model, x = network(2, use_bias=True), images(2, 2)
    front = keras.Model(model.inputs[0], model.get_layer("first").output)
    back = keras.Sequential([keras.Input((7, 6, 3)), *model.layers[1:]])
    maps = front(x)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logit = back(maps)[:, 1]
    weight = tape.gradient(logit, maps).numpy().mean(axis=(1, 2))
    by_hand = np.maximum(np.einsum("nhwc,nc->nhw", maps.numpy(), weight), 0)
    np.testing.assert_allclose(grad_cam(model, x, 1, "first"), by_hand, atol=1e-6)
    assert grad_cam(branched(0), images(0, 2), 0, "bend").shape == (2, 7, 6)
    with pytest.raises(ValueError, match="nowhere"):
        grad_cam(model, x, 1, "nowhere")
    with pytest.raises(ValueError, match="not maps"):
        grad_cam(model, x, 1, model.layers[-2].name)


def test_grad_cam_of_a_network_from_a_file(tmp_path):
    model, x = network(2), images(2, 2)
    model.save(tmp_path / "it.keras")
    loaded = keras.models.load_model(tmp_path / "it.keras")
    loaded(x)
    np.testing.assert_allclose(grad_cam(loaded, x, 1, "first"), grad_cam(model, x, 1, "first"), atol=1e-6)


def test_without_the_mean_cells_hold_the_shares_of_their_layer():
    model, x = network(2), images(2, 3)
    maps, slope = CHAPTER["maps_and_slopes"](model, x, 1, "first")
    np.testing.assert_allclose((maps * slope).sum(axis=(1, 2, 3)), answers(model, x)[:, 1], atol=1e-5)
    np.testing.assert_allclose(CHAPTER["placed_cam"](model, x, 1, "first"), np.maximum((maps * slope).sum(axis=3), 0), atol=1e-6)


def test_four_maps_are_those_of_the_class_that_was_asked():
    keras.utils.set_random_seed(0)
    model, x = CHAPTER["digit_reader"](), images(4, 1, 28, 28)
    for k in 2, 7:
        found = CHAPTER["four_maps"](model, x, k)
        np.testing.assert_allclose(found["shares"], x[..., 0] * slopes(model, x, k), atol=1e-6)
        np.testing.assert_allclose(found["saliency"], np.abs(slopes(model, x, k)), atol=1e-6)
        np.testing.assert_allclose(found["occlusion"], occlusion(model, x, k, 5), atol=1e-5)
        np.testing.assert_allclose(found["Grad-CAM"], enlarge(grad_cam(model, x, k, "conv2"), 28, 4), atol=1e-6)
        rivals = CHAPTER["maps_and_rivals"](model, x, k)
        assert np.array_equal(rivals["brightness"], x[..., 0]) and np.array_equal(rivals["shares, size"], np.abs(found["shares"]))
        assert np.array_equal(rivals["random ink"] > 0, x[..., 0] > 0)
        again = CHAPTER["maps_and_rivals"](model, x, k, seed=1)["random ink"]
        assert not np.array_equal(rivals["random ink"], again)


def test_the_first_test_is_deletion_and_insertion_of_ink():
    keras.utils.set_random_seed(0)
    model, x = CHAPTER["digit_reader"](), images(4, 2, 28, 28)
    k, ranked = np.array([3, 4]), np.random.default_rng(0).normal(size=(2, 28, 28))
    inked = CHAPTER["on_ink"](x, ranked)
    on = x[..., 0] > 0
    assert inked[on].min() > 0 and not inked[~on].any()
    assert np.array_equal(np.argsort(inked[on]), np.argsort(ranked[on]))
    assert CHAPTER["by_erasing"](model, x, k, {"it": ranked}) == {"it": [
        deletion(model, x, k, ranked), deletion(model, x, k, inked), insertion(model, x, k, inked)]}


def test_likeness_of_a_map_to_itself_to_its_negative_and_to_dice():
    rng = np.random.default_rng(0)
    ink = rng.random((5, 28, 28)) < 0.13
    a, b = (ink * rng.random(ink.shape) for _ in range(2))
    found = CHAPTER["maps_alike"]({"same": a, "against": a, "dice": a}, {"same": a, "against": -a, "dice": b}, ink)
    np.testing.assert_allclose(found["same"], [1, 1])
    np.testing.assert_allclose(found["against"], [-1, -1])
    assert found["dice"][0] > 0.95 and abs(found["dice"][1]) < 0.15


def test_cells_lie_where_they_look():
    cells = np.zeros((1, 10, 10), np.float32)
    cells[0, 3, 7] = 1
    large = enlarge(cells, 28, 4)
    rows, columns = np.indices((28, 28))
    centre = np.sum(large[0] * rows) / large.sum(), np.sum(large[0] * columns) / large.sum()
    np.testing.assert_allclose(centre, [2 * 3 + 4.5, 2 * 7 + 4.5], atol=1e-4)  # the middle of pixels 6..15 and 14..23
    assert definitions("04")["receptive_field"]([(5, 1, 1), (2, 2, 1), (3, 1, 1)]) == (10, 2)


@examples(20)
@given(seed=seeds, N=st.integers(1, 3), count=st.integers(0, 45))
def test_erasing_takes_the_highest(seed, N, count):
    rng = np.random.default_rng(seed)
    x, ranked = rng.random((N, 7, 6, 1)) + 0.1, rng.random((N, 7, 6))
    left = erase(x, ranked, count)
    for n in range(N):
        gone = left[n, :, :, 0] == 0
        assert gone.sum() == min(count, 42) and np.array_equal(left[n][~gone], x[n][~gone])
        assert count in (0, *range(42, 46)) or ranked[n][gone].min() > ranked[n][~gone].max()


def test_deletion_and_insertion_start_and_end_where_they_must():
    model, x = CHAPTER["digit_reader"](), np.random.default_rng(0).random((4, 28, 28, 1)).astype(np.float32)
    x[:, 10:] = 0  # less than 281 inked: not all go, so compare by hand
    k, ranked = answers(model, x).argmax(axis=1), np.random.default_rng(1).random((4, 28, 28))
    down = [softmax(answers(model, erase(x, ranked, n)))[np.arange(4), k].mean() for n in range(0, 201, 20)]
    assert np.isclose(deletion(model, x, k, ranked), np.mean(down), atol=1e-5)
    up = [softmax(answers(model, x - erase(x, ranked, n)))[np.arange(4), k].mean() for n in range(0, 201, 20)]
    assert np.isclose(insertion(model, x, k, ranked), np.mean(up), atol=1e-5)
    assert np.isclose(insertion(model, 0 * x, k, ranked), 0.1)


def test_the_same_order_is_spearmans():
    rng = np.random.default_rng(0)
    a, b, on = rng.random((3, 5, 5)), rng.random((3, 5, 5)), rng.random((3, 5, 5)) > 0.3
    b[2] = 1  # orders nothing: left out
    expected = np.mean([scipy.stats.spearmanr(a[n][on[n]], b[n][on[n]]).statistic for n in (0, 1)])
    assert np.isclose(CHAPTER["same_order"](a, b, on), expected)
    assert np.isclose(CHAPTER["same_order"](a, np.exp(a), on), 1) and np.isclose(CHAPTER["same_order"](a, -a, on), -1)


# --- the rest ------------------------------------------------------------------------------------------------------

def test_integrated_gradients_are_complete_and_exact_without_biases():
    x = images(5, 4)
    model = network(5, use_bias=True)
    rise = (answers(model, x) - answers(model, 0 * x))[:, 2]
    error = {n: np.abs(integrated(model, x, 2, n).sum(axis=(1, 2)) - rise).max() for n in (4, 256)}
    assert error[256] < 0.02 and error[256] < error[4]
    plain = network(5)
    np.testing.assert_allclose(integrated(plain, x, 2, 1), contributions(plain, x, 2), atol=1e-6)


@examples(6)
@given(seed=seeds, eps=st.sampled_from([0.0, 0.05, 0.3]), steps=st.sampled_from([1, 3, 10]))
def test_an_attack_stays_within_its_bounds_and_hurts(seed, eps, steps):
    model, x = network(seed), images(seed, 6)
    y = answers(model, x).argmax(axis=1).astype(np.int32)
    worse = attack(model, x, y, eps, steps)
    assert worse.dtype == x.dtype and np.abs(worse - x).max() <= eps + 1e-6 and worse.min() >= 0 and worse.max() <= 1
    cost = [float(CHAPTER["COST"](y, answers(model, images_))) for images_ in (x, worse)]
    assert cost[1] > cost[0] if eps == 0.05 and answers(model, x).any() else True


def test_an_attack_in_steps_by_hand():
    model, x = network(1, use_bias=True), images(1, 5) / 2 + 0.2
    y = answers(model, x).argmax(axis=1).astype(np.int32)

    def push(images_):
        with tf.GradientTape() as tape:
            images_ = tf.constant(images_)
            tape.watch(images_)
            loss = CHAPTER["COST"](y, model(images_))
        return np.sign(tape.gradient(loss, images_).numpy())

    np.testing.assert_allclose(attack(model, x, y, 0.1), x + 0.1 * push(x), atol=1e-6)
    two = x + 0.05 * push(x)
    np.testing.assert_allclose(attack(model, x, y, 0.1, 2), two + 0.05 * push(two), atol=1e-6)
    three = x
    for _ in range(8):
        three = np.clip(three + 0.025 * push(three.astype(np.float32)), x - 0.1, x + 0.1)
    np.testing.assert_allclose(attack(model, x, y, 0.1, 8), three, atol=1e-5)


def test_steps_and_length_are_refused_or_mean_nothing():
    with pytest.raises(ValueError, match="0"):
        integrated(network(0), images(0, 1), 0, 0)
    assert not class_images(CHAPTER["digit_reader"](), 0, steps=2).any()


def test_the_nearest_mean_is_counted():
    x = np.zeros((20, 4, 5, 1))
    x[np.arange(20), np.arange(20) // 2 // 5, np.arange(20) // 2 % 5] = 1
    y = np.arange(20) // 2
    ten = x[::2]
    assert CHAPTER["near_own_mean"](ten, x, y) == 10
    assert CHAPTER["near_own_mean"](ten[[1, 0, *range(2, 10)]], x, y) == 8


def test_class_images_please_their_class_within_their_length():
    keras.utils.set_random_seed(0)
    model = CHAPTER["digit_reader"]()
    x = class_images(model, 5, steps=10)
    start = class_images(model, 5, steps=0)
    assert x.shape == (10, 28, 28, 1) and x.min() >= 0 and x.max() <= 1
    assert np.all(np.sqrt(np.sum(x**2, axis=(1, 2, 3))) <= 5 + 1e-4)
    assert np.all(np.diag(answers(model, x)) > np.diag(answers(model, start)))


def test_a_plane_is_that_of_the_largest_variance():
    rows = np.random.default_rng(0).normal(size=(50, 6)) * [9, 1, 5, 1, 1, 1]
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1][:2]
    np.testing.assert_allclose(np.var(CHAPTER["plane_of"](rows), axis=0, ddof=1), values)
    labels = np.repeat([0, 1], 25)
    assert CHAPTER["neighbours_agree"](np.stack([10.0 * labels, rows[:, 1]], axis=1), labels) == 1
    pairs = np.repeat([[0.0, 0], [9, 9]], 2, axis=0) + [[0, 0], [0, 1], [0, 0], [0, 1]]
    assert CHAPTER["neighbours_agree"](pairs, np.array([0, 1, 2, 3]), 1) == 0  # a point has no vote of its own
    for flipped in rows, -rows:  # a sign of its own: the largest entry of each axis is positive
        plane, centred = CHAPTER["plane_of"](flipped), flipped - flipped.mean(axis=0)
        axes = np.linalg.lstsq(centred, plane, rcond=None)[0].T
        assert all(axis[np.abs(axis).argmax()] > 0 for axis in axes)


def test_a_probe_reads_what_is_linear():
    rng = np.random.default_rng(0)
    x, y = rng.random((300, 4, 3, 1)), rng.integers(0, 10, 300)
    x[np.arange(300), y // 3, y % 3] += 5
    assert CHAPTER["probe_reads"](None, None, x[:200], y[:200], x[200:], y[200:]) > 0.95
    few = x[200:][y[200:] == 3]  # judged by the mean of what it was fitted to, not by their own
    assert CHAPTER["probe_reads"](None, None, x[:200], y[:200], few, np.full(len(few), 3)) > 0.8


def test_as_most_counts_what_three_of_five_chose():
    said = np.zeros(10_000, int) - 1
    assert CHAPTER["as_most"](said) == 0
    for place, (_, guess, *_) in CHAPTER["DOUBTED"].items():
        said[place] = guess
    assert CHAPTER["as_most"](said) == 10


# --- what the script wrote -----------------------------------------------------------------------------------------

def test_the_tables_are_what_the_script_wrote():
    def column(pick):
        return tuple(tuple(v) if isinstance(v := pick(run), list) else v for run in RUNS)

    assert STORED["seeds"] == [0, 1, 2] and len(RUNS) == 3
    assert CHAPTER["ACCURACY"] == {"no biases": column(lambda r: r["reads"][0]), "biases": column(lambda r: r["reads"][1])}
    assert CHAPTER["MAPS"] == {name: column(lambda r, name=name: [round(v, 3) for v in r["maps"][name]])
                               for name in RUNS[0]["maps"]}
    for table, part in ("SURVIVED", slice(2)), ("MORE_ATTACKS", slice(2, 4)):
        assert CHAPTER[table] == {float(eps): column(lambda r, eps=eps, part=part: [round(v, 3) for v in r["attacks"][eps][part]])
                                  for eps in RUNS[0]["attacks"]}
    assert CHAPTER["FROM_FAINT"] == {float(eps): column(lambda r, eps=eps: round(r["attacks"][eps][4], 3)) for eps in RUNS[0]["attacks"]}
    assert CHAPTER["PLACED"] == column(lambda r: [round(v, 3) for v in r["placed"]])
    assert CHAPTER["SURE"] == {name: column(lambda r, i=i: r["digits"][i]) for name, i in [("digits", 0), ("any", 1), ("a digit's", 3), ("sure", 4)]}
    assert CHAPTER["NEAREST_MEAN"] == column(lambda r: r["nearest mean"])
    assert CHAPTER["FILTERS"] == tuple((r["near"], r["near then"], r["kept"], r["plane"]) for r in RUNS)
    assert CHAPTER["PROBED"] == column(lambda r: r["probes"]) and CHAPTER["IN_THE_PLANE"] == column(lambda r: r["planes"])
    assert CHAPTER["TURNED"] == column(lambda r: r["turned"]) and CHAPTER["MISTAKES"] == column(lambda r: r["mistakes"])
    assert CHAPTER["PAIRS"] == tuple(tuple((pair, n) for pair, n in r["pairs"]) for r in RUNS)


def test_the_doubted_labels_are_those_of_the_test_set():
    with np.load(ROOT / "data" / "mnist.npz") as file:
        labels = file["y_test"]
    votes = CHAPTER["DOUBTED"]
    assert len(votes) == 15 and all(labels[place] == label and label != guess and sum(five) == 5 and five[0] < 3
                                    for place, (label, guess, *five) in votes.items())


# --- checkers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("checker", "answer"), [
    ("check_dimmed", [2, 0.1]), ("check_dimmed", np.array([2, 0.1])), ("check_dimmed", (np.float32(2), np.float32(0.1))),
    ("check_dimmed", (2.0000000001, 1 / 10)), ("check_pixel_order", "D, A, C, B"), ("check_pixel_order", list("DACB")), ("check_pixel_order", np.array("DACB")),
    ("check_pixel_order", tuple("DACB")), ("check_why", contributions),
    ("check_why", lambda model, x, k: integrated(model, x, k, 4)),
    ("check_keep", lambda x, ranked, count: x * (scipy.stats.rankdata(-ranked.reshape(len(x), -1), axis=1) <= count).reshape(x.shape)),
    ("check_all_shares", lambda x, w1, b1, w2, b2: [*(x * (w1 @ ((x @ w1 + b1 > 0) * w2))), *(b1 * (x @ w1 + b1 > 0) * w2), b2]),
])
def test_other_right_answers_are_accepted(checker, answer):
    assert CHAPTER[checker](answer).startswith("Correct")


def test_the_sentences_say_what_was_measured():
    text = find_notebook("17").read_text()

    def span(values, form="{:.2f}"):
        low, high = form.format(min(values)), form.format(max(values))
        return low if low == high else f"{low} to {high}"

    attacks, filters, probed, wrong = CHAPTER["MORE_ATTACKS"][0.2], np.array(CHAPTER["FILTERS"]), np.array(CHAPTER["PROBED"]), np.array(CHAPTER["MISTAKES"])
    survived = [attacked for _, attacked in CHAPTER["SURVIVED"][0.2]]
    faint = CHAPTER["FROM_FAINT"][0.2]
    maps, placed, planes = CHAPTER["MAPS"], np.array(CHAPTER["PLACED"]), np.array(CHAPTER["IN_THE_PLANE"])

    def alike(name, column):
        return [row[column] for row in maps[name]]

    free, held = (np.mean(np.divide(CHAPTER["SURE"][name], CHAPTER["SURE"]["digits"])) for name in ("any", "a digit's"))
    for words in (
        f"leave {span([100 * ten for ten, _ in attacks], '{:.0f}')} % of 200 digits",
        f"leaves {span([100 * moved for _, moved in attacks], '{:.0f}')} % of 1,000 (made on your own: {span([100 * s for s in survived], '{:.0f}')} %)",
        f"a learned filter {span(filters[:, 0])}: a little", f"{span(filters[:, 3])} of a learned one",
        f"the mean logit is {free:.1f} times", f"about {held:.1f} times as much",
        f"bare pixels about {probed[:, 0].mean():.2f}, pooled maps {probed[:, 2].mean():.2f} untrained and {probed[:, 1].mean():.2f} trained",
        f"{probed[:, 3].mean():.2f} after it, {probed[:, 4].mean():.2f} before", f"it makes {span(wrong[:, 0], '{:.0f}')} mistakes",
        f"other dice give {span(wrong[:, 0], '{:.0f}')}", f"it says that digit in {span(wrong[:, 5], '{:.0f}')}.",
        f"On the ink, three seeds: {np.mean(alike('shares, size', 4)):.2f} by size, 0 with the sign, saliency {np.mean(alike('saliency', 4)):.2f}.",
        f"agree on the ink by {span(alike('shares', 5))} (shares), {span(alike('occlusion', 5))} (occlusion), "
        f"{span(alike('Grad-CAM', 5))} (Grad-CAM) and {span(alike('saliency', 5))} (saliency)",
        f"the attack leaves {span([100 * s for s in survived], '{:.0f}')} %, on three seeds",
        f"leaves {span([100 * s for s in survived], '{:.0f}')} % of 1,000 digits, {span([100 * s for s in faint], '{:.0f}')} % with faint dice first",
        f"erase to a mean of {span(placed[:, 0])} on three seeds and, of ink, {span(placed[:, 1])}.",
        f"right for {planes[0, 0]:.2f} of the digits, that of the dense layer for {span(planes[:, 1])} on three seeds. Untrained, it is right for {span(planes[:, 2])}",
    ):
        assert words in text, words
    assert np.allclose(wrong[:, 1] / wrong[:, 0], 0.2, atol=0.05) and np.all(wrong[:, 2] / wrong[:, 0] > 0.85)
    assert max(np.abs(alike("shares", 4))) < 0.05 and min(alike("random ink", 3)) > 0.975 and "That alone gives 0.98, even for dice" in text
    assert set(wrong[:, 3]) <= {11, 12, 13} and wrong[:, 4].min() == 4 and wrong[:, 4].max() == 8
