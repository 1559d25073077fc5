"""Chapter 22: the sheet against real drawings and another renderer, the generator, the stored tables and their sentences."""

import json

import numpy as np
import pytest
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook
from tools.make import doodles as script

CHAPTER = definitions("22")
NAMES, OWN, rasterise, rasterise_many, sampled = (CHAPTER[n] for n in ("NAMES", "OWN", "rasterise", "rasterise_many", "sampled"))
STORED = json.loads(script.OUTPUT.read_text())
TEXT = "\n".join("".join(cell["source"]) for cell in json.loads(find_notebook("22").read_text())["cells"])
real_drawings = pytest.mark.skipif(not script.SAMPLE.exists(), reason="the sample of real drawings is not part of the book, and not here")


# --- the sheet -----------------------------------------------------------------------------------------------------

def distances(made, images):
    made, images = np.array(made, float), np.array(images, float)
    return np.abs(made - images).mean(), min(np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(made, images, strict=True))


@real_drawings
def test_strokes_of_250_real_drawings_give_the_pixels_of_their_rows():
    drawings, images = script.strokes_of_sample()
    assert len(drawings) == 250
    mean, likeness = distances([rasterise(d) for d in drawings], images)
    assert mean < 2.5 and likeness > 0.98
    assert [round(float(mean), 2), round(float(likeness), 3)] == STORED["geometry"]["runs"]["rasterise"]


@real_drawings
@pytest.mark.parametrize("name", [name for name in script.SHEETS if name != "right"])
def test_no_other_sheet_gives_them(name):
    drawings, images = script.strokes_of_sample()
    mean, _ = distances([sampled(d, *script.SHEETS[name], fine=3) for d in drawings[::5]], images[::5])
    assert mean > 10


@real_drawings
def test_the_next_row_is_another_drawing():
    drawings, images = script.strokes_of_sample()
    assert distances([rasterise(d) for d in drawings], np.roll(images, 1, axis=0))[0] > 30


def by_matplotlib(drawing, zoom=20):
    """Return a drawing on the sheet, each stroke drawn by Matplotlib's Agg at `zoom` times the size; floats (28, 28)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    side, paper = 28 * zoom, np.ones((28, 28))
    offset = (256 - np.concatenate(drawing).max(axis=0)) / 2 + 24
    for stroke in drawing:
        figure = Figure(figsize=(side / 72, side / 72), dpi=72)
        axes = figure.add_axes([0, 0, 1, 1], xlim=(0, 304), ylim=(304, 0))
        axes.axis("off")
        dot = [[0, 0]] * (len(stroke) - 1) + [[1e-3, 0]]  # a tap is drawn if it has some length
        axes.plot(*(stroke + offset + dot).T, color="black", linewidth=16 * side / 304, snap=False, solid_capstyle="round", solid_joinstyle="round")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        grey = np.asarray(canvas.buffer_rgba())[..., 0] / 255
        paper *= grey.reshape(28, zoom, 28, zoom).mean(axis=(1, 3))
    return 255 * (1 - paper)


@pytest.mark.parametrize("k", range(len(OWN)))
def test_the_book_s_own_drawings_are_as_another_renderer_draws_them(k):
    own, other = rasterise(OWN[k]).astype(float), by_matplotlib(OWN[k])
    assert np.abs(own - other).mean() < 2.5 and np.corrcoef(own.ravel(), other.ravel())[0, 1] > 0.98
    assert np.abs(sampled(OWN[k]) - other).mean() < 1


def test_the_other_renderer_refuses_other_sheets():
    for name, sheet in script.SHEETS.items():
        gap = np.mean([np.abs(sampled(d, *sheet, fine=4) - by_matplotlib(d)).mean() for d in OWN])
        assert gap < 2.5 if name == "right" else gap > 10, name


@examples(60)
@given(points=st.lists(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=2, max_size=6), min_size=1, max_size=4))
def test_rasterise_is_near_samples_for_any_strokes(points):
    p = np.concatenate([np.array(stroke, float) for stroke in points])
    extent = max(np.ptp(p, axis=0).max(), 1)
    drawing = [(np.array(stroke, float) - p.min(axis=0)) * 255 / extent for stroke in points]
    assert np.abs(rasterise(drawing) - sampled(drawing, fine=6)).mean() < 5


def test_the_rasteriser_is_the_one_of_the_contract():
    """Bytes of a drawing with a turn, a crossing and a tap, as the formula gives them, one pixel at a time."""
    drawing = OWN[1]
    offset = (256 - np.concatenate(drawing).max(axis=0)) / 2 + 24
    for row, column in [(3, 10), (13, 9), (14, 4), (20, 20), (0, 0), (14, 26)]:
        paper = 1.0
        for stroke in drawing:
            q = (stroke + offset) * 28 / 304
            gaps = []
            for a, b in zip(q[:-1], q[1:], strict=True):
                d, v = b - a, np.array([column + 0.5, row + 0.5]) - a
                t = min(1, max(0, v @ d / max(d @ d, 1e-9)))
                gaps.append(np.linalg.norm(v - t * d))
            paper *= 1 - min(1, max(0, 8 * 28 / 304 + 0.5 - min(gaps)))
        assert abs(int(rasterise(drawing)[row, column]) - 255 * (1 - paper)) <= 0.51


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_any_numbers_are_points_and_a_point_alone_is_a_tap(dtype):
    whole = [np.array(stroke, dtype) for stroke in OWN[0]]
    assert np.array_equal(rasterise(whole), rasterise(OWN[0]))
    assert np.array_equal(rasterise([[[9, 200]], *OWN[0]]), rasterise([[[9, 200], [9, 200]], *OWN[0]]))


@pytest.mark.parametrize("strokes", [[], [[[0, float("nan")], [255, 3]]], [[[0, 0], [float("inf"), 3]]]])
def test_what_has_no_points_is_refused_in_words(strokes):
    with pytest.raises(ValueError, match="^give strokes, each a list of finite points$"):
        rasterise(strokes)


# --- the generator -------------------------------------------------------------------------------------------------

@examples(40)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(NAMES), level=st.sampled_from([0.3, 0.8, 1.2]))
def test_many_at_once_are_as_each_alone(seed, name, level):
    rng = np.random.default_rng(seed)
    templates = CHAPTER["TEMPLATES"][name]
    p, drawn = CHAPTER["hand_drawn"](templates[seed % len(templates)], 3, rng, level, CHAPTER["TURNS"].get(name, 0))
    for strokes, there, many in zip(p, drawn, rasterise_many(p, drawn), strict=True):
        alone = rasterise(list(strokes[there]))
        assert alone.any() and np.abs(alone.astype(int) - many).max() <= 1


def test_generated_drawings_lie_on_the_sheet_and_come_from_their_seed():
    x, y = CHAPTER["generate"](30, seed=3)
    assert x.shape == (300, 28, 28) and x.dtype == np.uint8 and np.bincount(y).tolist() == [30] * 10
    for axis in (1, 2):
        inked = (x > 0).any(axis=axis)
        first, last = inked.argmax(axis=1), 27 - inked[:, ::-1].argmax(axis=1)
        assert np.abs((first + last) / 2 - 13.5).max() <= 1
    assert not x[:, [0, 27]].any() and not x[:, :, [0, 27]].any()
    longer = np.maximum(*(np.ptp(np.where((x > 0).any(axis=a), np.arange(28), 13), axis=1) + 1 for a in (1, 2)))
    assert np.mean(longer == 26) > 0.98
    again, _ = CHAPTER["generate"](30, seed=3)
    assert np.array_equal(x, again) and not np.array_equal(x, CHAPTER["generate"](30, seed=4)[0])
    assert len(np.unique(x.reshape(300, -1), axis=0)) == 300


def test_every_template_is_drawn_whole_at_level_zero():
    for name, templates in CHAPTER["TEMPLATES"].items():
        for template in templates:
            strokes, chances = CHAPTER["strokes_of"](template)
            assert strokes.shape == (len(chances), 17, 2) and 0 <= min(chances) and max(chances) == 1, name
            assert CHAPTER["scrawl"](strokes, 2, np.random.default_rng(0), 0)[0].shape == strokes.shape
    assert [*CHAPTER["TEMPLATES"]] != [] and {*CHAPTER["TEMPLATES"]} == {*NAMES}


def test_nearest_votes_as_sorting_by_distance_does():
    rng = np.random.default_rng(0)
    x, y, q = rng.random((200, 4, 4, 1)), rng.integers(0, 10, 200), rng.random((30, 4, 4, 1))
    far = ((q[:, None] - x) ** 2).sum(axis=(2, 3, 4))
    for k in (1, 5, 200):
        assert np.array_equal(CHAPTER["nearest"](x, y, q, k), [np.bincount(y[np.argsort(row)[:k]], minlength=10).argmax() for row in far])
    grey = np.round(255 * x).astype(np.uint8)
    assert np.array_equal(CHAPTER["nearest"](grey, y, grey), y) and CHAPTER["nearest"](x, y, q[:0]).shape == (0,)


def test_the_generated_drawings_are_these():
    """Ink, and where it lies, of 20 drawings of each word; other processors move a pixel by a step or two."""
    x, y = CHAPTER["generate"](20, seed=0)
    ink = np.array([x[y == k].mean() for k in range(10)])
    right = np.array([(x[y == k].mean(axis=(0, 1)) * np.arange(28)).sum() / x[y == k].mean(axis=(0, 1)).sum() for k in range(10)])
    down = np.array([(x[y == k].mean(axis=(0, 2)) * np.arange(28)).sum() / x[y == k].mean(axis=(0, 2)).sum() for k in range(10)])
    assert np.abs(ink / GENERATED["ink"] - 1).max() < 0.005
    assert np.abs(right - GENERATED["right"]).max() < 0.05 and np.abs(down - GENERATED["down"]).max() < 0.05


GENERATED = {"ink": [34.22, 47.83, 24.0, 31.13, 48.87, 50.65, 43.78, 46.27, 43.37, 27.72],
             "right": [14.01, 13.15, 13.31, 13.49, 13.26, 13.28, 13.72, 13.42, 13.84, 13.39],
             "down": [13.35, 12.44, 15.18, 12.77, 13.46, 14.77, 12.97, 11.37, 13.74, 12.41]}


@pytest.mark.parametrize("name, turn", [("banana", 1), ("airplane", 0.4), ("house", 0)])
def test_what_lies_as_it_likes_is_turned(name, turn, monkeypatch):
    angles = []
    each = CHAPTER["each_turned"]
    monkeypatch.setitem(CHAPTER["hand_drawn"].__globals__, "each_turned", lambda p, a: angles.append(a) or each(p, a))
    CHAPTER["doodles"](name, 400, np.random.default_rng(0))
    assert abs(np.concatenate(angles).std() - turn) <= 0.1 * turn


def test_half_of_the_drawings_are_mirrored():
    strokes, _ = CHAPTER["strokes_of"]("1 line 0 0 1 0")
    p = CHAPTER["scrawl"](strokes, 400, np.random.default_rng(0), 0.1)
    assert abs(np.mean(p[:, 0, -1, 0] < p[:, 0, 0, 0]) - 0.5) < 0.1


def test_the_reader_has_dropout_and_answers_without_it():
    model = CHAPTER["doodle_reader"]()
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.4] and model.count_params() == 29_066
    x = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    assert np.array_equal(CHAPTER["answers"](model, x), CHAPTER["answers"](model, x))
    assert np.abs(CHAPTER["answers"](model, x) - np.asarray(model(x, training=False))).max() < 1e-5


def test_a_closed_stroke_keeps_its_far_side():
    turn = np.linspace(0, 2 * np.pi, 65)
    ring = np.round(127.5 + 127.5 * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    kept = CHAPTER["simplify"](np.concatenate([ring[:-1], ring[:1]]))
    assert 8 < len(kept) < 40 and np.ptp(kept, axis=0).min() == 255 and np.array_equal(kept[0], kept[-1])


@examples(60)
@given(seed=st.integers(0, 10**6), tolerance=st.sampled_from([0.5, 2.0, 9.0]))
def test_what_is_dropped_lies_within_the_tolerance(seed, tolerance):
    rng = np.random.default_rng(seed)
    p = np.cumsum(rng.normal(0, 4, (60, 2)), axis=0)
    kept = CHAPTER["simplify"](p, tolerance)
    rows = [int(np.flatnonzero((p == q).all(axis=1))[0]) for q in kept]
    assert rows[0] == 0 and rows[-1] == 59 and rows == sorted(rows)
    for i, j in zip(rows[:-1], rows[1:], strict=True):
        d, v = p[j] - p[i], p[i:j + 1] - p[i]
        assert (np.abs(d[0] * v[:, 1] - d[1] * v[:, 0]) / max(np.hypot(*d), 1e-12)).max() <= tolerance + 1e-9


@real_drawings
def test_pair_error_tells_the_right_rows_of_real_drawings():
    drawings, images = script.strokes_of_sample()
    error = CHAPTER["pair_error"](drawings[:25], images[:25])
    assert error.shape == (25,) and error.max() < 5 < CHAPTER["pair_error"](drawings[:25], images[25:50]).min()


# --- what the script wrote -----------------------------------------------------------------------------------------

def runs(table):
    return STORED[table]["runs"]


def three(row, what):
    return tuple(runs("tested")[f"{row}, seed {seed}"][what] for seed in range(3))


def test_every_run_is_stored_and_says_where_it_comes_from():
    assert STORED.keys() == {"geometry", "sources", "few", "more", "tested"}
    for table, about in STORED.items():
        assert "Quick, Draw!" in about["real"] and "CC BY 4.0" in about["real"]
        if table in ("sources", "few"):
            kinds = {name: "k" if name.startswith("n") else "rate" for name in script.rows(table)}
            assert about["runs"].keys() == {f"{name}, {kinds[name]} {rate:g}, seed 0" for name, rates in script.rows(table).items() for rate in rates}
    assert runs("tested").keys() == {f"{table}, {name}, seed {seed}" for table in ("sources", "few") for name in script.rows(table) for seed in range(3)}
    assert runs("more").keys() == {f"{name}, rate {rate:g}, seed {seed}" for name, rates in script.rows("more").items() for rate in rates for seed in range(3)}
    for found in runs("tested").values():
        if "confusions" in found:
            counts = np.array(found["confusions"])
            assert (counts.sum(axis=1) == 200).all() and found["accuracy"] == round(np.trace(counts) / 2000, 4)


def test_learning_choosing_and_testing_are_apart():
    rows = [range(*part.indices(2000)) for part in script.ROWS.values()]
    assert [len(part) for part in rows] == [1600, 200, 200] and len(set().union(*rows)) == 2000
    if script.SAMPLE.exists():
        images = script.bitmaps()
        sums = [images[:, part].reshape(-1, 784) for part in script.ROWS.values()]
        unique = [{row.tobytes() for row in part} for part in sums]
        assert not unique[0] & unique[2] and not unique[1] & unique[2]


@pytest.mark.parametrize("table, name", [(table, name) for table in ("sources", "few") for name in script.rows(table)])
def test_each_was_tested_at_its_best_rate_which_is_not_at_an_end(table, name):
    rates = script.rows(table)[name]
    judge = name.split(", ")[1] if table == "sources" else "real"
    kind = "k" if name.startswith("n") else "rate"
    right = {rate: runs(table)[f"{name}, {kind} {rate:g}, seed 0"][judge] for rate in rates}
    best = max(right, key=right.get)
    assert {runs("tested")[f"{table}, {name}, seed {seed}"]["rate"] for seed in range(3)} == {best}
    assert best in rates[1:-1] or right[best] - max(right[rate] for rate in rates[1:-1]) < ENDS, (best, right)


ENDS = 0.01  # where the best is at an end of the sweep, its neighbour is as good within a point


@pytest.mark.parametrize("source", script.SOURCES)
@pytest.mark.parametrize("kind", ["neighbours", "linear", "dense", "convolutional"])
def test_the_readers_are_what_the_script_wrote(source, kind):
    row = f"sources, {kind}, {source}"
    assert CHAPTER["LEARNED"][source, kind] == (three(row, "rate")[0], three(row, "generated"), three(row, "real"), three(row, "accuracy"))


@pytest.mark.parametrize("way", script.WAYS)
def test_the_beginnings_are_what_the_script_wrote(way):
    assert CHAPTER["FEW"][way] == (three(f"few, {way}", "rate")[0], three(f"few, {way}", "real"), three(f"few, {way}", "accuracy"))


def test_the_answers_are_what_the_script_wrote():
    row = "sources, convolutional, real"
    assert CHAPTER["ANSWERS"] == {what: three(row, what) for what in ("accuracy", "says", "top 2", "surest half", "unsurest tenth")}
    assert CHAPTER["CONFUSIONS"] == runs("tested")[f"{row}, seed 0"]["confusions"]


def test_the_amounts_are_what_the_script_wrote():
    assert CHAPTER["MORE"] == {name: tuple(runs("more")[f"{name}, rate {script.rows('more')[name][0]:g}, seed {seed}"]["real"] for seed in range(3)) for name in script.rows("more")}


def test_three_seeds_of_what_a_network_says_are_stored():
    assert CHAPTER["SAYS_GENERATED"] == three("sources, convolutional, generated", "says")


# --- the sentences -------------------------------------------------------------------------------------------------

def percent(seeds):
    return f"{100 * float(np.mean(seeds)):.1f} %"


def span(seeds):
    return f"{100 * min(seeds):.1f} to {100 * max(seeds):.1f}"


def of(kind, source, what):
    return three(f"sources, {kind}, {source}", what)


def test_the_text_says_what_is_known_of_the_250():
    found = runs("geometry")
    wrong = min(found[f"sampled, {name}"][0] for name in ("no margin", "in the corner", "half a pixel off"))
    assert f"our pixels differ from Google's by {found['rasterise'][0]} of 255 on average, and every correlation is above 0.99" in TEXT
    assert found["rasterise"][1] > 0.99
    assert f"the difference is {int(wrong)} or more" in TEXT
    assert f"of our 250 drawings (25 of each word), {found['of the United States']} came from the United States, the others from {found['other countries']} countries" in TEXT
    missed = found["drawings"] - found["recognised"]
    assert f"The game recognised {found['recognised']} of the 250 drawings and missed {missed}, or {missed / 2.5:.0f} %." in TEXT
    assert f"have only {found['points'] / 250:.0f} points on average" in TEXT
    card = (ROOT / "book" / "data.md").read_text(encoding="utf-8")
    assert f"Of the 250 drawings it did not recognise {missed}, which is {missed / 2.5:.0f} %." in card and "CC BY 4.0" in card


def test_the_four_readers_are_told_as_stored():
    own = [of(kind, "generated", "generated") for kind in ("convolutional", "dense", "neighbours", "linear")]
    assert (f"the convolutional network names {percent(own[0])} (three seeds, {span(own[0])}), the dense one {percent(own[1])}, "
            f"neighbours {percent(own[2])}, the linear one {percent(own[3])}") in TEXT
    real = [percent(of(kind, "real", "real")) for kind in ("convolutional", "dense")]
    assert f"After 8,000 *real* ones it is {real[0]} against {real[1]} for the dense one." in TEXT


def test_what_carries_is_told_as_stored():
    made, taught = of("convolutional", "generated", "accuracy"), of("convolutional", "real", "accuracy")
    assert f"the convolutional network names {percent(made)} of the *real* ones." in TEXT
    assert f"nearest neighbours among 8,000 real drawings ({percent(of('neighbours', 'real', 'accuracy'))})" in TEXT
    assert f"and {100 * (np.mean(taught) - np.mean(made)):.0f} points fewer than after learning those ({percent(taught)})" in TEXT
    assert TEXT.count(percent(taught)) >= 3  # above, of the errors, on the model's card
    own = percent(of("convolutional", "generated", "generated"))
    assert f"Of its own kind it named {own}." in TEXT and f"ours named {own} of its own kind and {percent(made)} of real ones." in TEXT


def test_the_beginnings_are_told_as_stored():
    few = {way: percent(three(f"few, {way}", "accuracy")) for way in script.WAYS}
    before = percent(of("convolutional", "generated", "accuracy"))
    assert f"From scratch, 20 real drawings of each word give {few['from scratch']}." in TEXT
    assert (f"had {before} before it saw any; fine-tuned, it gets {few['doodles, all layers']} with a fresh last layer, {few['doodles, last layer']} "
            f"with the others frozen, and {few['doodles, all kept']} with nothing fresh") in TEXT
    assert f"{few['digits, all layers']}, and frozen {few['digits, last layer']}, where frozen *random* convolutions give {few['random, last layer']}." in TEXT


def test_the_errors_are_told_as_stored():
    row = "sources, convolutional, real"
    counts = np.array(runs("tested")[f"{row}, seed 0"]["confusions"])
    pairs = sorted(((int(counts[i, j] + counts[j, i]), NAMES[i], NAMES[j]) for i in range(10) for j in range(i)), reverse=True)
    assert ", ".join(f"{a} and {b} {n}" for n, a, b in pairs[:4]) in TEXT
    recall = [f"{counts[k, k] / 2:.1f}" for k in (3, 6, 5)]
    assert f"Birds, dogs and cats are read right least often, in the picture {recall[0]}, {recall[1]} and {recall[2]} % of them." in TEXT
    assert f"most often on birds, dogs and cats ({recall[0]}, {recall[1]} and {recall[2]} % right)" in TEXT
    said = {what: three(row, what) for what in ("accuracy", "top 2", "says", "surest half", "unsurest tenth")}
    assert f"In {100 * np.mean(said['top 2']):.0f} % the right word is among the first two guesses" in TEXT
    assert f"The network says {100 * np.mean(said['says']):.0f} % on average and is right in {100 * np.mean(said['accuracy']):.0f} %" in TEXT
    assert f"Of its surer half {percent(said['surest half'])} are right, of the least sure tenth {percent(said['unsurest tenth'])}." in TEXT
    says, made, few = CHAPTER["SAYS_GENERATED"], of("convolutional", "generated", "accuracy"), "few, from scratch"
    assert f"taught by *generated* drawings, it says {100 * np.mean(says):.0f} % here, and is right in {100 * np.mean(made):.0f} %" in TEXT
    assert f"it says {100 * np.mean(three(few, 'says')):.0f} % and is right in {100 * np.mean(three(few, 'accuracy')):.0f} %." in TEXT
    assert f"it says that it is ({100 * np.mean(said['says']):.0f} %) fits how often it is right ({100 * np.mean(said['accuracy']):.0f} %)" in TEXT
    rest = (np.mean(said["accuracy"]) - 0.1 * np.mean(said["unsurest tenth"])) / 0.9
    assert f"{percent([rest])} of the others are right" in TEXT


def test_birds_dogs_and_cats_are_the_weakest_on_every_seed():
    for seed in range(3):
        counts = np.array(runs("tested")[f"sources, convolutional, real, seed {seed}"]["confusions"])
        assert {NAMES[k] for k in counts.diagonal().argsort()[:3]} == {"bird", "dog", "cat"}


def test_the_amounts_are_told_as_stored():
    more = {name: percent(seeds) for name, seeds in CHAPTER["MORE"].items()}
    assert (f"with 20 real drawings of each word {percent(three('few, from scratch', 'real'))}, 100 {more['100']}, 400 {more['400']}, "
            f"800 {percent(of('convolutional', 'real', 'real'))}, 1,600 {more['1600']}.") in TEXT
    assert f"The generated drawings alone ({percent(of('convolutional', 'generated', 'real'))})" in TEXT
    kept = three("few, doodles, all kept", "real")
    assert f"fine-tuned on 20 real ones ({percent(kept)}), about as much as 100." in TEXT
    assert abs(np.mean(kept) - np.mean(CHAPTER["MORE"]["100"])) < 0.02
    assert f"in twelve passes each, 400 give {more['400']}, 800 {more['800, 12 passes']} and 1,600 {more['1600, 12 passes']}." in TEXT
    assert min(CHAPTER["MORE"]["1600, 12 passes"]) > max(CHAPTER["MORE"]["800, 12 passes"]) + 0.01 and min(CHAPTER["MORE"]["800, 12 passes"]) > max(CHAPTER["MORE"]["400"]) + 0.005
    assert f"gives {more['800, moved']} in six passes: no gain" in TEXT
    assert np.mean(CHAPTER["MORE"]["800, moved"]) < np.mean(of("convolutional", "real", "real")) + 0.005
    assert np.mean(CHAPTER["MORE"]["1600"]) - np.mean(CHAPTER["MORE"]["400"]) < 0.02 < 0.04 < np.mean(CHAPTER["MORE"]["400"]) - np.mean(CHAPTER["MORE"]["100"])
    assert max(three("few, from scratch", "real")) < min(of("convolutional", "generated", "real"))
    assert max(of("convolutional", "generated", "real")) < min(CHAPTER["MORE"]["100"])


def test_without_the_sample_the_script_says_so_and_keeps_what_is_stored(monkeypatch, tmp_path):
    before = script.OUTPUT.read_bytes()
    monkeypatch.setattr(script, "SAMPLE", tmp_path / "none.npz")
    script.bitmaps.cache_clear()
    with pytest.raises(SystemExit, match="which the project does not contain. The stored ones stay as they are"):
        script.make_table("sources")
    script.bitmaps.cache_clear()
    assert script.OUTPUT.read_bytes() == before


@real_drawings
def test_online_the_readers_learn_real_drawings_and_pass_their_proof(capsys):
    """The cells of a reader in Colab, with the sample in place of the server."""
    def of_sample(n, first=0):
        return script.bitmaps()[:, first:first + n].reshape(-1, 28, 28), np.repeat(np.arange(10, dtype=np.int32), n)

    names = {**CHAPTER, "ONLINE": True, "real_drawings": of_sample}
    cells = ["".join(cell["source"]) for cell in json.loads(find_notebook("22").read_text())["cells"] if cell["cell_type"] == "code"]
    for begin in ('source = "generated"\n', "READERS = {", "# @title Proof: five points between them"):
        cell = next(cell for cell in cells if begin in cell)
        exec(cell[cell.index(begin):], names)
    assert names["source"] == "real" and capsys.readouterr().out.count("of real") == 4


# --- the figure ----------------------------------------------------------------------------------------------------

def test_what_the_page_says_of_its_figure_stands_in_the_figures_network():
    from safetensors import safe_open
    with safe_open(ROOT / "book" / "figures" / "draw-doodle" / "network.safetensors", "numpy") as file:
        about = file.metadata()
    counts = np.array(json.loads(about["confusion"]))
    assert f"names {100 * float(about['accuracy']):.1f} % of {counts.sum():,} that it never saw" in TEXT
    assert np.trace(counts) / counts.sum() == float(about["accuracy"])
    assert f"its page divides the logits by {float(about['temperature']):.2f}." in TEXT and float(about["temperature"]) > 1.2


def test_a_plain_square_is_a_book_to_the_figures_network():
    from safetensors import safe_open
    with safe_open(ROOT / "book" / "figures" / "draw-doodle" / "network.safetensors", "numpy") as file:
        about, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    layers = [(layer["kind"], *(tensors[f"{layer['name']}/{part}"] for part in ("weights", "bias", "multiplier")), layer["scale"], layer["zero"])
              for layer in json.loads(about["layers"])]
    image = rasterise([np.array([[0, 0], [255, 0], [255, 255], [0, 255], [0, 0]])])
    logits = definitions("23")["run_integers"]({"input": (1 / 255, -128), "layers": layers}, (image.astype(int) - 128).astype(np.int8)[None, ..., None])[0]
    share = np.exp((logits - logits.max().astype(float)) * json.loads(about["output"])["scale"] / float(about["temperature"]))
    said = NAMES[logits.argmax()], f"{100 * share.max() / share.sum():.0f} %"
    assert f"Now draw a plain square: it says *{said[0]}*, with {said[1]}." in TEXT
