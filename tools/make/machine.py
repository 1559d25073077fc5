"""The machine on which something is measured: what it is, and how busy."""

import os
import platform
import re
from pathlib import Path

import psutil

INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def machine():
    """Return what is measured on."""
    about = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(),
             "system": platform.system(), "python": platform.python_version()}
    if os.path.exists("/proc/cpuinfo"):
        text = Path("/proc/cpuinfo").read_text()
        about["cpu"] = (re.findall(r"^model name\s*:\s*(.*)", text, re.M) or [about["cpu"]])[-1]
        about["instructions"] = [flag for flag in INSTRUCTIONS if flag in text.split()]
    return about


def busy_seconds(process=None):
    """Return the processor seconds that the machine, or one process, has worked until now."""
    if process:
        return sum(psutil.Process(process).cpu_times()[:2])  # user, system
    return sum(seconds for name, seconds in psutil.cpu_times()._asdict().items()
               if name not in ("idle", "iowait", "guest", "guest_nice"))
