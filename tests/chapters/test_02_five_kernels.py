"""Chapter 02's filters against SciPy, on images and kernels drawn at random."""

import re

import numpy as np
import pytest
import scipy.signal
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

CHAPTER = definitions("02")
MANY = examples(300)
odd = st.sampled_from([1, 3, 5])


@MANY
@given(H=st.integers(5, 20), W=st.integers(5, 20), FH=odd, FW=odd, seed=st.integers(0, 999))
def test_filter_grey_is_scipys_correlation(H, W, FH, FW, seed):
    rng = np.random.default_rng(seed)
    image, kernel = rng.normal(size=(H, W)), rng.normal(size=(FH, FW))
    expected = scipy.signal.correlate2d(image, kernel, mode="same")
    np.testing.assert_allclose(CHAPTER["filter_grey"](image, kernel), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64", "bool", "float32"])
def test_filter_grey_counts_whole_numbers_as_floats(dtype):
    image = np.full((3, 3), 1 if dtype == "bool" else 100, dtype)
    answer = CHAPTER["filter_grey"](image, CHAPTER["KERNELS"]["blur"])
    assert answer[1, 1] == image[1, 1] and answer.dtype == (dtype if dtype == "float32" else "float64")


@pytest.mark.parametrize("image, kernel", [((5, 5, 3), (3, 3)), ((5, 5, 4), (3, 3)), ((0, 5), (3, 3)), ((5,), (3, 3)), ((5, 5), (3,)), ((5, 5), (3, 3, 1, 1)), ((5, 5), (0, 3))])
def test_filter_grey_refuses_what_is_no_grey_image_with_its_numbers(image, kernel):
    with pytest.raises(ValueError, match=re.escape(f"image {image} and kernel {kernel} must have two axes")):
        CHAPTER["filter_grey"](np.ones(image), np.ones(kernel))
