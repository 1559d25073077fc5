"""Chapter 02's filters against SciPy, on images and kernels drawn at random."""

import numpy as np
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
