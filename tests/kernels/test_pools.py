"""How a process is set up on import: threads that sleep soon, memory that is kept."""

import ctypes
import json
import os
import subprocess
import sys

import pytest
import threadpoolctl

SPINNING = """
import json, sys, time
{first}
import glassgrad.kernels
import numpy as np
a = np.ones((600, 600), "float32")
a @ a
time.sleep(0.2)
used = time.process_time()
a @ a
product = time.process_time() - used
used = time.process_time()
time.sleep(0.1)
print(json.dumps([product, time.process_time() - used]))
"""

FAULTS = """
import json, resource
import glassgrad.kernels
import numpy as np

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    arrays = [np.ones(1 << 18, "float32") for _ in range(20)]  # 20 MiB, freed at the end

step()
before = faults()
step()
print(json.dumps(faults() - before))
"""


def answer(code, **environment):
    """What a fresh process prints; settings of ours that this one has inherited are taken out."""
    ours = ("OPENBLAS_THREAD_TIMEOUT", "GLIBC_TUNABLES")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=kept | environment, timeout=60
    )
    return json.loads(done.stdout)


def openblas():
    import numpy as np

    return "openblas" in np.show_config("dicts")["Build Dependencies"]["blas"]["name"]


def reads_its_variables_again():
    """NumPy 2.5's OpenBLAS hides the function: then glassgrad must be imported before NumPy."""
    pools = [p for p in threadpoolctl.threadpool_info() if p["internal_api"] == "openblas"]
    return all(hasattr(ctypes.CDLL(p["filepath"]), "openblas_read_env") for p in pools)


@pytest.mark.skipif(
    not openblas() or (os.cpu_count() or 1) < 2, reason="no OpenBLAS with several threads"
)
@pytest.mark.parametrize("first", ["", "import numpy"])
def test_blas_threads_sleep_soon_whoever_comes_first(first):
    if first and not reads_its_variables_again():
        pytest.skip("NumPy's OpenBLAS does not export what reads its variables again")
    spinning = answer(SPINNING.format(first=first), OPENBLAS_THREAD_TIMEOUT="28")[1]
    ours = answer(SPINNING.format(first=first))[1]
    assert ours < 0.25 * spinning, (ours, spinning)


MULTIPLYING = """
import json, threading
import numpy as np
a, stop, done = np.ones((600, 600), "float32"), threading.Event(), []

def products():
    while not stop.is_set():
        a @ a
        done.append(1)

thread = threading.Thread(target=products)
thread.start()
while not done:
    pass
import glassgrad.kernels
before = len(done)
while len(done) < before + 20:
    pass
stop.set()
thread.join()
print(json.dumps(True))
"""


def test_another_thread_may_multiply_during_the_import():
    for _ in range(3):
        assert answer(MULTIPLYING, OPENBLAS_NUM_THREADS="2")


@pytest.mark.skipif(sys.platform != "linux", reason="settings of glibc")
def test_freed_memory_is_used_again():
    pages = 20 * (1 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert answer(FAULTS) < pages / 20
    assert answer(FAULTS, GLIBC_TUNABLES="glibc.malloc.check=0") > pages / 2
