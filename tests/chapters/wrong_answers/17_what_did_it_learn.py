"""Wrong answers to the exercises of chapter 17, by words of the sentence that each must get."""

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions

CHAPTER = definitions("17")
contributions, answers, erase = CHAPTER["contributions"], CHAPTER["answers"], CHAPTER["erase"]


def of_probability(model, x, k):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        p = tf.nn.softmax(model(x))[:, k]
    return (x * tape.gradient(p, x)).numpy()[..., 0]


def slope_alone(model, x, k):
    return CHAPTER["slopes"](model, x, k)


def moved(model, x, k):
    """Return shares that add up, one of them in another place."""
    share = contributions(model, x, k)
    share[:, 0, 0] += 1
    share[:, -1, -1] -= 1
    return share


def in_place(x, ranked, count):
    x[:] = x - erase(x[..., None], ranked, count)[..., 0]
    return x


def kept(x, ranked, count):
    return x - erase(x[..., None], ranked, count)[..., 0]


def on_of(x, w1, b1):
    return x @ w1 + b1 > 0


def swapped(x, w1, b1, w2, b2):
    slope = np.where(on_of(x, w1, b1), w2, 0)
    pixels = x * (w1 @ slope)
    return np.concatenate([pixels[::-1], b1 * slope, [b2]])


def without_output_bias(x, w1, b1, w2, b2):
    slope = np.where(on_of(x, w1, b1), w2, 0)
    return np.concatenate([x * (w1 @ slope), b1 * slope, [0]])


WRONG = {
    "check_dimmed": {
        "Halve both logits first": [(4, 0.1), (4, 0)],
        "is the logit of the 4 now": [(6, 0.1)],
        "Half the light, half the logit": [(0, 0.1), (1.5, 0.1), (12, 0), np.array([1, 0.1]), (-2, 0.1)],
        "ten probabilities add up to 1": [(2, 0)],
        "All ten logits are 0 there": [(2, 1), (2, 0.5), (2, 0.11), (2, -0.1), [2, 10]],
        "give a pair of numbers": [2, None, "2", (2,), (2, 0.1, 0), ("2", "0.1"), (2, float("nan")), {2, 0.1},
                                   {2: 0, 0.1: 0}, np.array(2), keras.Input((2,))],
    },
    "check_pixel_order": {
        "that is by slope": ["CDAB", "CDBA", "CBDA", np.array("CDAB")],
        "by brightness alone": ["ADBC", list("ADBC"), np.array(list("ADBC"))],
        "that is smallest first": ["BCAD"],
        "A stands before D": ["ADCB"],
        "C stands before A": ["DCAB"],
        "C stands before D": ["ACDB"],
        "B stands before C": ["DABC"],
        "use each of A, B, C, D once": ["DAC", "DACBB", "dacb", "", 5, None, ["A"], {"D", "A", "C", "B"}, np.array(3), ("AB", "C")],
    },
    "check_why": {
        "not finite": [lambda model, x, k: contributions(model, x, k) * np.nan],
        "has lost its sign": [lambda model, x, k: np.abs(contributions(model, x, k))],
        "no share is negative": [lambda model, x, k: np.abs(of_probability(model, x, k)), lambda model, x, k: x[..., 0],
                                 lambda model, x, k: np.maximum(contributions(model, x, k), 0)],
        "must be that of the logit": [of_probability, slope_alone, lambda model, x, k: -contributions(model, x, k),
                                       lambda model, x, k: contributions(model, x, (k + 1) % model.output_shape[-1]),
                                       lambda model, x, k: 2 * contributions(model, x, k)],
        "the single shares are not": [moved, lambda model, x, k: contributions(model, x, k)[:, ::-1],
                                      lambda model, x, k: contributions(model, x, k)[:, :, ::-1]],
        "give the shape": [lambda model, x, k: contributions(model, x, k)[..., None], lambda model, x, k: contributions(model, x, k)[0],
                           lambda model, x, k: answers(model, x)],
        "your function raises": [lambda model, x, k: contributions(model, x[0], k)],
        "not numbers": [lambda model, x, k: "shares"],
    },
    "check_keep": {
        "that is deletion": [lambda x, ranked, count: erase(x[..., None], ranked, count)[..., 0]],
        "that are ranked lowest": [lambda x, ranked, count: kept(x, -ranked, count)],
        "are left": [lambda x, ranked, count: x, lambda x, ranked, count: np.zeros_like(x),
                            lambda x, ranked, count: x * (ranked >= np.sort(ranked, axis=None)[-max(count, 1)]),
                            lambda x, ranked, count: kept(x, ranked, count + 1)],
        "not the right pixels, or not their brightness": [lambda x, ranked, count: 2 * kept(x, ranked, count),
                                                    lambda x, ranked, count: kept(x, x, count),
                                                    lambda x, ranked, count: kept(x, np.abs(ranked), count)],
        "it changed an array": [in_place],
        "the shape is": [lambda x, ranked, count: kept(x, ranked, count)[0], lambda x, ranked, count: kept(x, ranked, count)[..., None]],
        "your function raises": [lambda x, ranked, count: x[count:1 // (count - 5)]],
    },
    "check_all_shares": {
        "its bias neither": [lambda x, w1, b1, w2, b2: np.concatenate([x * (w1 @ w2), b1, [b2]]),
                             lambda x, w1, b1, w2, b2: np.concatenate([x * (w1 @ np.where(on_of(x, w1, b1), w2, 0)), b1 * w2, [b2]])],
        "times the slope of its unit": [lambda x, w1, b1, w2, b2: np.concatenate([
            x * (w1 @ np.where(on_of(x, w1, b1), w2, 0)), b1 * on_of(x, w1, b1), [b2]])],
        "the shares add up to": [without_output_bias, lambda x, w1, b1, w2, b2: np.zeros(len(x) + len(b1) + 1),
                                 lambda x, w1, b1, w2, b2: np.concatenate([x * (w1 @ w2), 0 * b1, [b2]])],
        "the single shares are not": [swapped],
        "give the shape": [lambda x, w1, b1, w2, b2: x * (w1 @ np.where(on_of(x, w1, b1), w2, 0)), lambda x, w1, b1, w2, b2: b2],
        "your function raises": [lambda x, w1, b1, w2, b2: x + b1],
    },
}
