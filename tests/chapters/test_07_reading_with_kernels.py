"""Chapter 07's features against SciPy, its reader against NumPy's least squares, on numbers drawn at random."""

import numpy as np
import pytest
import scipy.signal
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

CHAPTER = definitions("07")
features, fit_reader, accuracy_of = (CHAPTER[name] for name in ("features", "fit_reader", "accuracy_of"))


@examples(30)
@given(N=st.integers(1, 3), K=st.integers(1, 4), F=st.sampled_from([1, 3, 5]), bend=st.booleans(), seed=st.integers(0, 999))
def test_features_are_scipys_answers_bent_and_averaged(N, K, F, bend, seed):
    rng = np.random.default_rng(seed)
    x, kernels = rng.normal(size=(N, 28, 28, 1)).astype(np.float32), rng.normal(size=(K, F, F))
    expected = np.zeros((N, 7, 7, K * (1 + bend)))
    for n, k in np.ndindex(N, K):
        y = scipy.signal.correlate2d(x[n, :, :, 0], kernels[k], mode="same")
        maps = [np.maximum(y, 0), np.maximum(-y, 0)] if bend else [y]
        for sign, values in enumerate(maps):
            expected[n, :, :, k * len(maps) + sign] = values.reshape(7, 4, 7, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(features(x, list(kernels), bend), expected.reshape(N, -1), rtol=0, atol=1e-4)


@pytest.mark.parametrize("N", [1, 499, 500, 999, 1001])
def test_batches_leave_no_trace(N):
    x = np.random.default_rng(N).random((N, 28, 28, 1), np.float32)
    f = features(x, CHAPTER["KERNELS"].values())
    assert f.shape == (N, 490) and f.dtype == np.float32
    for n in {0, N // 2, N - 1}:
        np.testing.assert_allclose(f[n:n + 1], features(x[n:n + 1], CHAPTER["KERNELS"].values()), rtol=0, atol=1e-5)


@examples(50)
@given(N=st.integers(1, 40), M=st.integers(1, 12), ridge=st.sampled_from([0.1, 1, 10]), seed=st.integers(0, 999))
def test_the_reader_is_least_squares(N, M, ridge, seed):
    """The ridge is the same as a few more images: one for each weight, whose target is 0."""
    rng = np.random.default_rng(seed)
    f, y = rng.normal(size=(N, M)), rng.integers(0, 10, N)
    images = np.vstack([np.column_stack([f, np.ones(N)]), np.sqrt(ridge) * np.eye(M + 1)])
    targets = np.vstack([np.eye(10)[y], np.zeros((M + 1, 10))])
    expected = np.linalg.lstsq(images, targets, rcond=None)[0]
    np.testing.assert_allclose(fit_reader(f, y, ridge), expected, rtol=0, atol=1e-8)
    scores = f @ expected[:-1] + expected[-1]
    assert accuracy_of(expected, f, y) == np.mean(scores.argmax(axis=1) == y)


@examples(50)
@given(light=st.floats(-5, 5), contrast=st.floats(0.1, 5), seed=st.integers(0, 999))
def test_likeness_alone_counts_neither_light_nor_contrast(light, contrast, seed):
    cosine, rng = CHAPTER["cosine"], np.random.default_rng(seed)
    kernel, patch = rng.normal(size=(2, 3, 3))
    kernel -= kernel.mean()
    patch -= patch.mean()
    likeness = cosine(patch, kernel)
    assert -1 <= likeness <= 1 and np.isclose(cosine(kernel, kernel), 1) and np.isclose(cosine(-patch, kernel), -likeness)
    other = contrast * patch + light
    assert np.isclose(cosine(other - other.mean(), kernel), likeness, atol=1e-6)
    assert np.isclose(np.sum(other * kernel), contrast * np.sum(patch * kernel), atol=1e-9)
