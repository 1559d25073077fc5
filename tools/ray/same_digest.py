"""Train with chapter 21's train.py under Ray Train, unchanged: are the numbers the same?

    make ray        makes an environment of its own first (two minutes, 2 GB in _build/)

Three times the same training, from the scripts that stand in the notebook: in one process, in two
that launch.py starts, in two that Ray starts. The last two must agree in every bit of every weight,
and with the one process within rounding.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ |= {"RAY_TRAIN_V2_ENABLED": "1", "RAY_USAGE_STATS_ENABLED": "0",
               "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy as np
import ray
from ray.train import RunConfig, ScalingConfig
from ray.train.tensorflow import TensorflowTrainer

from tools.make.scripts import write_scripts

STEPS = 40
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def launch(folder, workers):
    """Train in so many processes of launch.py; return the digests that they print."""
    begin = time.monotonic()
    name = f"{workers}"
    subprocess.run([sys.executable, "launch.py", "--workers", name, "--logs", f"logs{name}",
                    "--seconds", "120", "train.py", "digits.npz", name, str(STEPS)],
                   cwd=folder, check=True, stdin=subprocess.DEVNULL)
    print(f"launch.py, {name}: {time.monotonic() - begin:.0f} s", flush=True)
    logs = [(folder / f"logs{name}" / f"worker{i}.log").read_text() for i in range(workers)]
    return [found for log in logs for found in re.findall(r"^digest (\w+)$", log, re.MULTILINE)]


def loop(settings):
    """What Ray calls on each worker, after it has set TF_CONFIG: the chapter's own function."""
    folder = settings["folder"]
    sys.path.insert(0, folder)
    from train import digest, train

    done, weights = train(f"{folder}/digits.npz", f"{folder}/ray", settings["steps"])
    rank = ray.train.get_context().get_world_rank()
    Path(folder, f"digest{rank}").write_text(f"{done} {digest(weights)}")
    ray.train.report({"digest": digest(weights)})


def launch_with_ray(folder, workers):
    """Train in so many workers of Ray; return their digests."""
    begin = time.monotonic()
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False,
             runtime_env={"env_vars": THREADS})
    try:
        TensorflowTrainer(
            loop, train_loop_config={"folder": str(folder), "steps": STEPS},
            scaling_config=ScalingConfig(num_workers=workers),
            run_config=RunConfig(name="chapter21", storage_path=str(folder / "storage"))).fit()
    finally:
        ray.shutdown()
    print(f"Ray, {workers}: {time.monotonic() - begin:.0f} s", flush=True)
    found = [Path(folder, f"digest{rank}").read_text().split() for rank in range(workers)]
    assert {done for done, _ in found} == {str(STEPS)}, found
    return [digest for _, digest in found]


def weights(folder, run):
    """Return all that the chief of a run has saved."""
    with np.load(folder / run / "chief.npz") as file:
        return [file[name] for name in file.files]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = write_scripts(Path(name).resolve())
        one, two, with_ray = launch(folder, 1), launch(folder, 2), launch_with_ray(folder, 2)
        print("one process:       ", *one)
        print("two of launch.py:  ", *two)
        print("two of Ray:        ", *with_ray)
        assert len(one) == 1 and len(two) == 2
        assert two == with_ray == [two[0]] * 2, "Ray's workers have other weights"
        pairs = zip(weights(folder, "1"), weights(folder, "ray"), strict=True)
        apart = max(np.abs(a - b).max() for a, b in pairs)
        print(f"one process and two of Ray: at most {apart:.1e} apart")
        assert apart < 1e-12
    print(f"The same, with Ray {ray.__version__}.")


if __name__ == "__main__":
    main()
