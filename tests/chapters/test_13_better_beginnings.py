"""Chapter 13: the stored tables, variances against chance and Keras, whitening and spherical k-means against linear algebra."""

import itertools
import json

import keras
import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook

CHAPTER = definitions("13")
fans, push, pull, relu, whiten, spherical_kmeans, take_patches = (
    CHAPTER[n] for n in ("fans", "push", "pull", "relu", "whiten", "spherical_kmeans", "take_patches"))
MANY = examples(200)
seeds = st.integers(0, 9999)


# --- what the script wrote -----------------------------------------------------------------------------------------

def test_the_table_of_one_epoch_is_what_the_script_wrote():
    stored = json.loads((ROOT / "data" / "curves.json").read_text())["one_epoch"]
    assert stored["judge"] == "test" and stored["images"] == 55_000 and stored["batch"] == 128 and stored["rates"] == [0.001]
    for start, row in CHAPTER["ONE_EPOCH"].items():
        for dropout, values in row.items():
            assert values == tuple(stored["runs"][f"{start}, rate 0.001, seed {seed}"][dropout] for seed in range(3))
            summary = stored["summary"][f"{start}, rate 0.001"][dropout]
            assert summary["mean"] == round(np.mean(values), 4) and np.isclose(summary["spread"], np.ptp(values))
    means = {key: row["mean"] for start in ("std 1", "Glorot") for key, row in
             ((f"{start} {d}", stored["summary"][f"{start}, rate 0.001"][d]) for d in ("on", "off"))}
    text = find_notebook("13").read_text()
    gains = [100 * (means[a] - means[b]) for a, b in
             [("Glorot on", "std 1 on"), ("Glorot off", "std 1 on"), ("std 1 off", "std 1 on"), ("Glorot off", "Glorot on")]]
    assert "The start alone brings {:.1f} of the {:.1f} points, and the switch alone {:.1f}. After a good start the forgotten switch costs {:.1f} points".format(*gains) in text
    assert f"it ends at {means['std 1 on']:.3f} on average" in text and f"With both lines mended, at {means['Glorot off']:.3f}." in text


def test_the_sweep_of_starts_is_what_the_script_wrote():
    stored = json.loads((ROOT / "data" / "curves.json").read_text())["starts"]
    assert stored["judge"] == "validation" and stored["rates"] == CHAPTER["RATES"] and stored["images"] == 60 * stored["batch"]
    assert list(CHAPTER["AFTER_60"]) == stored["starts"] == ["std 1", "0.01", "Glorot", "He"]
    for start, rows in CHAPTER["AFTER_60"].items():
        for rate, values in zip(CHAPTER["RATES"], rows, strict=True):
            assert values == tuple(stored["runs"][f"{start}, rate {rate}, seed {seed}"]["off"] for seed in range(3))
    best = {start: max(np.mean(rows, axis=1)) for start, rows in CHAPTER["AFTER_60"].items()}
    text = find_notebook("13").read_text()
    assert f"Glorot's and He's starts reach {best['Glorot']:.3f} and {best['He']:.3f}." in text
    low, _, high = sorted(max(CHAPTER["AFTER_60"]["std 1"], key=np.mean))
    assert f"Standard deviation 0.01 comes to {best['0.01']:.2f}, and standard deviation 1 to {best['std 1']:.2f} ({low:.2f} to {high:.2f})." in text


# --- variances -----------------------------------------------------------------------------------------------------

@MANY
@given(n=st.integers(1, 60), std=st.floats(0.01, 3), mean=st.floats(-2, 2), seed=seeds)
def test_a_sum_of_products_has_variance_n_var_w_mean_square_x(n, std, mean, seed):
    rng, draws = np.random.default_rng(seed), 4000
    z = np.sum(rng.normal(0, std, (draws, n)) * rng.normal(mean, 1, (draws, n)), axis=1)
    # E z^4 = std^4 (3 n E x^4 + 3 n (n - 1) (E x^2)^2) for normal w: the error of the mean of z^2 follows from it
    square, fourth = mean**2 + 1, mean**4 + 6 * mean**2 + 3
    expected = n * std**2 * square
    error = np.sqrt((std**4 * (3 * n * fourth + 3 * n * (n - 1) * square**2) - expected**2) / draws)
    assert abs(np.mean(z**2) - expected) < 6 * error


@pytest.mark.parametrize("n", [16, 64])
def test_he_keeps_the_mean_square_through_relu_and_glorot_halves_it(n):
    x, draws = np.random.default_rng(n).normal(size=(50, n)), 300
    for variance, factor in (2 / n, 1), (1 / n, 0.5):
        after = [np.mean(push(x, np.sqrt(variance), relu, 1, seed)[0] ** 2) for seed in range(draws)]
        # for fixed x, relu(z)^2 has mean s / 2 and second moment 3 s^2 / 2: relative variance 5 for each of n columns
        assert abs(np.mean(after) / (factor * np.mean(x**2)) - 1) < 6 * np.sqrt(5 / (n * draws))


@MANY
@given(depth=st.integers(0, 5), n=st.integers(1, 6), std=st.floats(0.1, 2), seed=seeds)
def test_push_is_that_many_layers(depth, n, std, seed):
    x = np.random.default_rng(7).normal(size=(4, n))
    layers, rng, expected = push(x, std, np.tanh, depth, seed), np.random.default_rng(seed), x.copy()
    assert len(layers) == depth
    for layer in layers:
        expected = np.tanh(np.einsum("ij,jk->ik", expected, rng.normal(0, std, (n, n))))
        np.testing.assert_allclose(layer, expected, rtol=1e-9, atol=1e-12)


@examples(40)
@given(depth=st.integers(1, 4), n=st.integers(1, 6), std=st.floats(0.1, 2), bend=st.sampled_from(["relu", "tanh"]), seed=seeds)
def test_pull_is_the_gradient_of_push(depth, n, std, bend, seed):
    activation, slope, theirs = {"relu": (relu, lambda y: y > 0, tf.nn.relu), "tanh": (np.tanh, lambda y: 1 - y**2, tf.tanh)}[bend]
    x, rng = np.random.default_rng(7).normal(size=(4, n)), np.random.default_rng(seed)
    spread = pull(push(x, std, activation, depth, seed), std, slope, seed)
    leaves = [tf.constant(x)]
    with tf.GradientTape() as tape:
        tape.watch(leaves[0])
        for _ in range(depth):
            leaves.append(theirs(leaves[-1] @ rng.normal(0, std, (n, n))))
    sent = np.random.default_rng(2).normal(size=(4, n))
    expected = [g.numpy().std() for g in tape.gradient(leaves[-1], leaves[:-1], sent)]
    np.testing.assert_allclose(spread, expected, rtol=1e-9, atol=1e-12)


size = st.integers(1, 12)


@MANY
@given(shape=st.one_of(st.tuples(size, size), st.tuples(size, size, size, size)))
def test_fans_count_products(shape):
    fan_in, fan_out = fans(shape)
    assert type(fan_in) is int and type(fan_out) is int
    assert fan_in * shape[-1] == fan_out * shape[-2] == np.prod(shape)
    assert fans(np.array(shape)) == fans(list(shape)) == (fan_in, fan_out)


@examples(60)
@given(shape=st.one_of(st.tuples(st.integers(20, 60), st.integers(20, 60)),
                       st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(5, 20), st.integers(5, 20))), seed=seeds)
def test_keras_draws_from_what_the_rules_say(shape, seed):
    fan_in, fan_out = fans(shape)
    w = np.array(keras.initializers.GlorotUniform(seed=seed)(shape), float).ravel()
    limit = np.sqrt(6 / (fan_in + fan_out))
    assert scipy.stats.kstest(w, scipy.stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-6
    w = np.array(keras.initializers.HeNormal(seed=seed)(shape), float).ravel()
    cut = scipy.stats.truncnorm(-2, 2, scale=np.sqrt(2 / fan_in) / CHAPTER["CUT"])
    assert scipy.stats.kstest(w, cut.cdf).pvalue > 1e-6
    assert np.isclose(cut.std(), np.sqrt(2 / fan_in))


@pytest.mark.parametrize("shape", [(), (3,), (3, 3, 8), (3, 3, 3, 8, 8), (0, 5), (5, -1), (2.0, 3), ("3", 3), (5, 5, 1, None)])
def test_fans_refuses_with_the_shape(shape):
    with pytest.raises(ValueError) as caught:
        fans(shape)
    assert str(shape) in str(caught.value)


# --- patches -------------------------------------------------------------------------------------------------------

@examples(50)
@given(seed=seeds, count=st.integers(1, 300), H=st.integers(5, 12), W=st.integers(5, 12))
def test_patches_come_from_the_images_and_are_normalised(seed, count, H, W):
    images = np.random.default_rng(seed).integers(0, 256, (3, H, W)).astype(np.uint8)
    patches = take_patches(images, count, seed)
    assert patches.shape == (count, 25)
    assert np.abs(patches.mean(axis=1)).max() < 1e-12
    everywhere = [images[i, r:r + 5, c:c + 5].ravel().astype(float)
                  for i, r, c in itertools.product(range(3), range(H - 4), range(W - 4))]
    known = [(p - p.mean()) / np.sqrt(p.var() + 10) for p in everywhere if p.std() > 20]
    distance = np.abs(patches[:20, None] - np.array(known)[None]).max(axis=2).min(axis=1)
    assert distance.max() < 1e-12


def test_flat_images_are_refused_and_flat_patches_passed_over():
    with pytest.raises(ValueError, match="all of 40 patches are flat"):
        take_patches(np.full((2, 9, 9), 200, np.uint8), 40)
    images = np.zeros((4, 20, 20), np.uint8)
    images[:, :, 10:] = 255  # an edge: only windows over it are not flat
    patches = take_patches(images, 500)
    assert patches.shape == (500, 25) and patches.std(axis=1).min() > 0.9


# --- whitening -----------------------------------------------------------------------------------------------------

def correlated(seed, N, n):
    """Return N patches of n pixels with a covariance of full rank and a mean that is not 0."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, n)) @ (rng.normal(size=(n, n)) + 2 * np.eye(n)) + rng.normal(size=n) * 5


def well_posed(patches):
    values = np.linalg.eigvalsh(np.cov(patches.T, bias=True).reshape(patches.shape[1], -1))
    return values[0] > 1e-6 * values[-1]


@MANY
@given(seed=seeds, n=st.integers(1, 10), more=st.integers(5, 200))
def test_whitening_gives_an_identity_covariance(seed, n, more):
    patches = correlated(seed, n + more, n)
    if well_posed(patches):
        kept = patches.copy()
        white, matrix = whiten(patches, 0)
        np.testing.assert_allclose(np.cov(white.T, bias=True).reshape(n, n), np.eye(n), rtol=0, atol=1e-7)
        np.testing.assert_allclose(white.mean(axis=0), 0, rtol=0, atol=1e-7)
        np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=1e-9 * np.abs(matrix).max())
        assert np.array_equal(patches, kept)


@MANY
@given(seed=seeds, n=st.integers(1, 8), epsilon=st.floats(0.01, 10))
def test_whitening_is_the_inverse_root_of_the_covariance(seed, n, epsilon):
    patches = correlated(seed, 60, n)
    white, matrix = whiten(patches, epsilon)
    covariance = np.cov(patches.T, bias=True).reshape(n, n)
    expected = np.linalg.inv(scipy.linalg.sqrtm(covariance + epsilon * np.eye(n)).real)
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(white, (patches - patches.mean(axis=0)) @ expected, rtol=0, atol=1e-6)


def test_a_direction_without_variance_needs_an_epsilon():
    patches = correlated(0, 50, 4)
    patches -= patches.mean(axis=1, keepdims=True)
    with pytest.raises(ValueError, match="epsilon 0 is too small"):
        whiten(patches, 0)
    assert np.isfinite(whiten(patches, 0.1)[0]).all()
    assert np.array_equal(whiten(np.ones((5, 3)), 0.1)[0], np.zeros((5, 3)))
    with pytest.raises(ValueError, match="epsilon 0 is too small"):
        whiten(np.ones((5, 3)), 0)


@pytest.mark.parametrize("patches, epsilon, numbers", [
    (np.ones(5), 0.1, ["(5,)"]), (np.ones((2, 3, 4)), 0.1, ["(2, 3, 4)"]), (np.ones((1, 4)), 0.1, ["(1, 4)"]),
    (np.ones((5, 0)), 0.1, ["(5, 0)"]), (np.eye(4), -0.5, ["-0.5"]), (np.eye(4), np.nan, ["nan"]), (np.eye(4), np.inf, ["inf"]),
    ([[1, np.nan], [2, 3], [np.inf, 5]], 0.1, ["2 of 6"]),
])
def test_whiten_refuses_with_the_numbers(patches, epsilon, numbers):
    with pytest.raises(ValueError) as caught:
        whiten(patches, epsilon)
    assert all(number in str(caught.value) for number in numbers)


# --- spherical k-means ---------------------------------------------------------------------------------------------

def best_square(patches, centroids):
    return np.mean(np.max((patches @ centroids) ** 2, axis=1))


@MANY
@given(seed=seeds, N=st.integers(1, 80), n=st.integers(1, 9), K=st.integers(1, 12))
def test_centroids_have_length_1_and_no_round_lowers_the_objective(seed, N, n, K):
    patches = np.random.default_rng(seed + 1).normal(size=(N, n)) ** 3
    kept, reached = patches.copy(), 0
    for iterations in range(6):
        centroids = spherical_kmeans(patches, K, iterations, seed)
        assert centroids.shape == (n, K)
        np.testing.assert_allclose(np.linalg.norm(centroids, axis=0), 1, rtol=0, atol=1e-12)
        now = best_square(patches, centroids)
        assert now >= reached * (1 - 1e-12)
        reached = now
    assert np.array_equal(patches, kept)
    assert np.array_equal(centroids, spherical_kmeans(patches, K, 5, seed))


@MANY
@given(seed=seeds, N=st.integers(2, 40), n=st.integers(2, 6), K=st.integers(1, 6))
def test_a_round_is_the_damped_update_written_as_loops(seed, N, n, K):
    patches = np.random.default_rng(seed + 1).normal(size=(N, n))
    old = spherical_kmeans(patches, K, 2, seed)
    expected = [old[:, k].copy() for k in range(K)]
    for patch in patches:
        k = max(range(K), key=lambda k: abs(patch @ old[:, k]))
        expected[k] += (patch @ old[:, k]) * patch
    expected = np.stack([c / np.sqrt(c @ c) for c in expected], axis=1)
    np.testing.assert_allclose(spherical_kmeans(patches, K, 3, seed), expected, rtol=0, atol=1e-9)


def test_one_centroid_becomes_the_first_principal_direction():
    patches = correlated(3, 400, 5)
    [direction] = spherical_kmeans(patches, 1, 200, 0).T
    principal = np.linalg.svd(patches)[2][0]
    assert abs(direction @ principal) > 1 - 1e-9


def test_clusters_that_are_there_are_found_whatever_their_sign():
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0][:, :3]
    patches = (axes.T[rng.integers(0, 3, 600)] * rng.choice([-1, 1], (600, 1))) + rng.normal(0, 0.02, (600, 6))
    found = max((spherical_kmeans(patches, 3, 20, seed) for seed in range(8)), key=lambda c: best_square(patches, c))
    assert np.all(np.abs(axes.T @ found).max(axis=1) > 0.999)


@pytest.mark.parametrize("change, numbers", [
    (dict(K=0), ["K", "0"]), (dict(K=-2), ["K", "-2"]), (dict(K=2.0), ["K", "2.0"]), (dict(K="4"), ["K", "'4'"]),
    (dict(iterations=-1), ["iterations", "-1"]), (dict(iterations=1.5), ["iterations", "1.5"]),
    (dict(patches=np.ones(7)), ["(7,)"]), (dict(patches=np.ones((0, 7))), ["(0, 7)"]), (dict(patches=np.ones((2, 3, 4))), ["(2, 3, 4)"]),
])
def test_kmeans_refuses_with_the_numbers(change, numbers):
    arguments = dict(patches=np.ones((4, 3)), K=2, iterations=1, seed=0) | change
    with pytest.raises(ValueError) as caught:
        spherical_kmeans(**arguments)
    assert all(number in str(caught.value) for number in numbers)
