"""Measured tables: an interrupted one is finished, a whole one is made anew, the others stay."""

import json

import pytest

from tools.make import tables

WANTED = {"a, seed 0": (1,), "a, seed 1": (2,), "b, seed 0": (3,)}


def test_an_interrupted_table_is_finished(tmp_path, capsys):
    path, measured = tmp_path / "some.json", []
    tables.store(path, "other", {"table": [1, 2]})

    def measure(number, ends_at=3):
        if number == ends_at:
            raise KeyboardInterrupt
        measured.append(number)
        return {"accuracy": number / 10, "confusions": [number]}

    with pytest.raises(KeyboardInterrupt):
        tables.finish(path, "some", WANTED, measure, {"seeds": [0, 1]})
    assert list(tables.read(path)["some"]["runs"]) == ["a, seed 0", "a, seed 1"]
    tables.finish(path, "some", WANTED, lambda n: measure(n, None), {"seeds": [0, 1]})
    assert measured == [1, 2, 3]
    tables.finish(path, "some", WANTED, lambda n: measure(n, None), {"seeds": [0, 1]})
    assert measured == [1, 2, 3, 1, 2, 3], "a whole table is made anew"
    written = json.loads(path.read_text())
    assert written["some"]["runs"]["b, seed 0"] == {"accuracy": 0.3, "confusions": [3]}
    assert written["other"]["table"] == [1, 2] and "tensorflow" in written["other"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_table_is_refused(monkeypatch):
    monkeypatch.setattr("sys.argv", ["feeding", "rare", "raer"])
    with pytest.raises(SystemExit, match="raer"):
        tables.asked_for({"rare": 1})
    monkeypatch.setattr("sys.argv", ["feeding"])
    assert tables.asked_for({"rare": 1, "buffers": 2}) == ["rare", "buffers"]


def test_json_comes_back():
    value = {"a": {"b": list(range(50)), "c": {"d": 1}}, "e": "f"}
    assert json.loads(tables.written(value)) == value
