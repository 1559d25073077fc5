"""Wrong answers to the exercises of chapter 21, by words of the sentence that each must get."""

import json

import numpy as np

NUMBERS = 3_274_634


def text(hosts, index, **changes):
    """Return a right TF_CONFIG, with another cluster or task, or more keys."""
    right = {"cluster": {"worker": [f"{host}:{5001 + i}" for i, host in enumerate(hosts)]},
             "task": {"type": "worker", "index": index}}
    return json.dumps({**right, **changes})


def workers(names):
    return {"worker": names}


def last_takes_the_rest(n, worker, workers):
    size = n // workers
    return worker * size, n if worker == workers - 1 else (worker + 1) * size


def first_take_more(n, worker, workers):
    """Share with parts rounded up: the last ones get little or nothing."""
    size = -(-n // workers)
    return min(n, worker * size), min(n, (worker + 1) * size)


def ring(wires, size=102.4e6, share=1.875, work=0.2, top=3.2):
    return [top / (work + share * size / wire) for wire in wires]


WRONG = {
    "check_bytes_sent": {
        "A float32 has 4 bytes": [NUMBERS * 1.5, 4_911_951],
        "that is the whole array, once": [NUMBERS * 4, 13_098_536, np.int64(13_098_536)],
        "the limit for very many workers": [NUMBERS * 8],
        "the complete pieces travel round too": [NUMBERS * 3],
        "it sends one piece, not all": [NUMBERS * 24, NUMBERS * 32],
        "2 (N - 1) turns, 1/N of the array": [NUMBERS, 0, -19_647_804, 19.6, NUMBERS * 6 + 70_000, NUMBERS * 6 - 70_000, float("nan"), True],
        "give one number": ["19.6 MB", [19_647_804], None, (1, 2), 3j, {}],
    },
    "check_brings": {
        "times too large": [
            lambda own, whole, workers: own.sum(axis=0) / whole * workers,
            lambda own, whole, workers: own.mean(axis=0) if len(own) else own.sum(axis=0),
        ],
        "give another mean": [
            lambda own, whole, workers: own.mean(axis=0) / workers,
            lambda own, whole, workers: own.sum(axis=0),
            lambda own, whole, workers: own.sum(axis=0) / max(1, len(own)) / workers,
            lambda own, whole, workers: own.mean(axis=0) * len(own) / whole,  # nothing of nothing is no number
            lambda own, whole, workers: -own.sum(axis=0) / whole,
            lambda own, whole, workers: own.sum() / whole * np.ones(3),
        ],
        "your function": [
            lambda own, whole, workers: own / whole,
            lambda own, whole, workers: own.sum() / whole,
            lambda own, whole, workers: own.sum(axis=1) / whole,
            lambda own, whole, workers: own.sum(axis=0) / whole + 0j,
            lambda own, whole: own,
            lambda own, whole, workers: None,
        ],
    },
    "check_part": {
        "workers take": [lambda n, worker, workers: (worker * (n // workers), (worker + 1) * (n // workers))],
        "are shared as": [last_takes_the_rest, first_take_more,
                          lambda n, worker, workers: (0 if worker == 0 else n, n)],
        "the part begins at": [
            lambda n, worker, workers: (0, n // workers),
            lambda n, worker, workers: (worker * n // workers, (worker + 1) * n // workers - 1),
            lambda n, worker, workers: (worker * n // workers + 1, (worker + 1) * n // workers + 1),
            lambda n, worker, workers: ((worker + 1) * n // workers, worker * n // workers),
            lambda n, worker, workers: (worker * n // workers, -1),
        ],
        "not (begin, end)": [
            lambda n, worker, workers: (worker * n / workers, (worker + 1) * n / workers),
            lambda n, worker, workers: n // workers,
            lambda n, worker, workers: (0, float("inf")),
            lambda n, worker, workers: (False, True),
            lambda n, worker, workers: (worker * n // workers + 0j, (worker + 1) * n // workers),
            lambda n, worker, workers: range(worker * n // workers, (worker + 1) * n // workers),
        ],
        "your function": [lambda n, worker: (0, n), lambda n, worker, workers: "0:60", lambda n, worker, workers: 1 / 0],
    },
    "check_config": {
        "give no such text": [
            lambda hosts, index: None,
            lambda hosts, index: {"cluster": 1},
            lambda hosts, index: text(hosts, index).encode(),
            lambda hosts, index: "cluster: worker",
            lambda hosts, index: json.dumps({"cluster": workers(hosts)}),
            lambda hosts, index: text(hosts, index, task=index),
            lambda hosts: text(hosts, 0),
        ],
        "shall give": [
            lambda hosts, index: text(hosts, index, cluster=workers([hosts[index] + ":5001"])),
            lambda hosts, index: text(hosts, index, cluster=workers([host + ":5001" for host in hosts])),
            lambda hosts, index: text(hosts, index, cluster=workers(hosts)),
            lambda hosts, index: text(hosts, index, cluster=[f"{host}:{5001 + i}" for i, host in enumerate(hosts)]),
            lambda hosts, index: text(sorted(hosts), index),
        ],
        "the task is": [
            lambda hosts, index: text(hosts, 0),
            lambda hosts, index: text(hosts, str(index)),
            lambda hosts, index: text(hosts, bool(index)),
            lambda hosts, index: text(hosts, index + 1),
        ],
        "its type and index": [
            lambda hosts, index: text(hosts, index, task={"index": index}),
            lambda hosts, index: text(hosts, index, task={"type": "chief", "index": index}),
        ],
        "two keys": [lambda hosts, index: text(hosts, index, rpc_layer="grpc")],
    },
    "check_buy": {
        "a gigabit is 1/8": [ring([1e9, 1e10])],
        "a float32 has 4 bytes": [ring([125e6, 1250e6], size=25.6e6)],
        "a batch of its own": [ring([125e6, 1250e6], share=30), ring([125e6, 1250e6], work=0.0125, top=0.2)],
        "each one's share": [ring([125e6, 1250e6], top=0.2)],
        "first 1 gigabit": [ring([1250e6, 125e6])],
        "with 1 gigabit it is not": [[16, 16], (2, 9.1), [1.0, 9.1], [float("nan"), 9.1], [True, 9], [-1.84, 9], [1.9, 9.05]],
        "with 10 gigabit it is not": [[1.8, 16], [1.84, 8.9], [1.8, float("inf")]],
        "give two numbers": [1.84, [1.84], [1, 2, 3], "1.8, 9.1", None, [1j, 2]],
    },
}
