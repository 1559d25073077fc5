"""Convolution, step by step, in a browser: every step shows its 27 products, and they are right."""

import numpy as np
import pytest
from browser import DESKTOP, PHONE
from figure_models import evaluate
from oracles import by_tensorflow

pytest_plugins = ["figure_pages"]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def shown(page):
    """Return what the figure shows now: (products (3, 3, 3), sums, the outputs' texts, the status)."""
    products = [int(text.replace("−", "-")) for text in page.locator(".product strong").all_inner_texts()]
    sums = [int(text.replace("−", "-")) for text in page.locator(".sum strong").all_inner_texts()]
    return np.reshape(products, (3, 3, 3)), sums, page.locator(".outputs button").all_inner_texts(), page.locator(".status").inner_text()


@SIZES
def test_every_step_shows_its_27_products(figure, size):
    page = figure("conv-steps", "seed=17", size)
    numbers = evaluate("conv-steps/model.js", "model.makeNumbers(17)")
    padded = np.pad(np.reshape(numbers["image"], (5, 5, 3)), ((1, 1), (1, 1), (0, 0)))
    filters, expected = np.reshape(numbers["filters"], (3, 3, 3, 2)), by_tensorflow(numbers)
    forward = page.get_by_role("button", name="Forward")
    for n in range(18):
        k, i, j = n // 9, n % 9 // 3, n % 3
        products, sums, outputs, status = shown(page)
        right = padded[2 * i:2 * i + 3, 2 * j:2 * j + 3] * filters[..., k]
        assert np.array_equal(products, right.transpose(2, 0, 1)) and sums == right.sum(axis=(0, 1)).tolist()
        value = f"{int(expected[i, j, k])}".replace("-", "−")
        assert status.startswith(f"Step {n + 1} of 18: V[{i}, {j}, {k}] = {value}, filter {k} on rows {2 * i} to {2 * i + 2}")
        assert outputs[n] == value and outputs[n + 1:] == ["?"] * (17 - n)
        assert page.locator(".total").inner_text().endswith(f"+ bias {1 - k} = {value}")
        if n < 17:
            forward.click()
    assert forward.get_attribute("aria-disabled") == "true"
    forward.press("Enter")
    assert shown(page)[3].startswith("Step 18")


@SIZES
def test_its_controls_by_mouse_and_by_keyboard(figure, size):
    page = figure("conv-steps", size=size)
    assert page.locator(".outputs button").count() == 0 and not page.get_by_role("button", name="Forward").is_visible()
    page.get_by_role("button", name="27").click()
    assert "Not quite: 18." in page.locator(".figure-verdict").inner_text()
    for name, step in [("Forward", 2), ("Last", 18), ("Back", 17), ("First", 1)]:
        page.get_by_role("button", name=name).click()
        assert shown(page)[3].startswith(f"Step {step} of 18")
    page.get_by_role("button", name="V[1, 1, 0]").click()
    assert shown(page)[3].startswith("Step 5 of 18: V[1, 1, 0] = 10")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "V[1, 1, 0] = 10"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(page)[3].startswith("Step 6 of 18")
    page.get_by_role("button", name="New numbers").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**seed=*")
    products, sums, _, status = shown(page)
    again = figure("conv-steps", f"{page.url.split('?')[1]}", size)
    assert np.array_equal(shown(again)[0], products) and shown(again)[3] == status and "Numbers of seed" in again.locator("conv-steps").inner_text()
    page.get_by_role("button", name="The example's numbers").click()
    assert shown(page)[3].startswith("Step 1 of 18: V[0, 0, 0] = −1")
