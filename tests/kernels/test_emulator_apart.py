"""What a kernel destroys, it destroys in a process of its own: Python's memory stays whole."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import HEAD, marked, needs_compiler, numbers, source

pytestmark = needs_compiler

# Each of these ended Python: "munmap_chunk(): invalid pointer", "double free", a fault.
WILD = {
    "past the end": "y[n + threadIdx.x] = 1;  // <-",
    "before the start": "y[-4 - (int)threadIdx.x] = 3e38f;",
    "all around": "for (long i = -n; i < 400000; ++i) y[i] = 1;  // <-",
    "a template's width": "row<4096>(y);",
}
ROW = """
template <int width>
__device__ void row(real* y) {
  for (int i = 0; i < width; ++i) y[i] = i;  // <-
}
"""
CRASH = """
import sys, numpy as np
from glassgrad.kernels import KernelError
from glassgrad.kernels.launcher import Source
made = Source(sys.argv[1])
neighbours = [np.zeros(16, "float32") for _ in range(200)]
for y in neighbours[::4]:
    try:
        made.launch("k", 1, 32, y, 16)
    except KernelError as error:
        said = str(error)
assert not any(a.any() for i, a in enumerate(neighbours) if i % 4)
del neighbours
print(said)
"""


@pytest.mark.parametrize("wild", WILD)
def test_python_survives_what_a_kernel_writes(tmp_path, wild):
    text = f'{ROW}extern "C" __global__ void k(real* y, int n) {{\n  {WILD[wild]}\n}}\n'
    made = source(tmp_path, text)
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(made.path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "k: " in done.stdout and "out of bounds: " in done.stdout
    if "// <-" in WILD[wild]:
        number = text.splitlines().index(f"  {WILD[wild]}") + 1 + HEAD.count("\n")
        assert f"planted.cu:{number}: out of bounds: " in done.stdout


@pytest.mark.parametrize("watched", [False, True])
def test_a_process_that_dies_is_reported(tmp_path, watched):
    """The kernel clears what the runtime knows of it, where no array is near."""
    text = """
extern "C" __global__ void k(real* y) {
  volatile char* mine = (volatile char*)&threadIdx;
  for (int i = 0; i < 3000; ++i) mine[i] = 0x5a;
  __syncthreads();
  y[threadIdx.x] = 1;
}
"""
    made, y = source(tmp_path, text), numbers(32)
    if watched:
        with watching() as report:
            made.launch("k", 1, 32, y)
        (finding,) = report.findings
        said = str(finding)
    else:
        with pytest.raises(KernelError) as error:
            made.launch("k", 1, 32, y)
        said = str(error.value)
    assert re.search(
        "k: crash: its process has ended by .*: the kernel has probably written where", said
    )
    assert np.array_equal(y, numbers(32))


def test_plain_mode_names_the_array_and_the_line_of_an_overrun(tmp_path):
    text = """
extern "C" __global__ void k(const real* x, real* y, int n) {
  if (threadIdx.x <= n) y[threadIdx.x] = x[threadIdx.x];  // <-
}
"""
    made = source(tmp_path, text)
    y = np.zeros(60, "float32")
    with pytest.raises(KernelError, match="memory 0 bytes past the end of x") as error:
        made.launch("k", 1, 64, numbers(60), y, 60)
    assert f"planted.cu:{marked(made)}: out of bounds: block (0, 0, 0) thread (60, 0, 0)" in str(
        error.value
    )


@pytest.mark.parametrize("n", [1, 3, 5, 61])
def test_what_is_stored_next_to_an_array_is_seen_however_long_it_is(tmp_path, n):
    text = 'extern "C" __global__ void k(real* y, int at) { y[at] = 1; }'
    made = source(tmp_path, text)
    for at, said in (
        (n, "0 bytes past the end of y"),
        (-1, "before the start of y"),
    ):
        with pytest.raises(KernelError, match=said):
            made.launch("k", 1, 1, np.zeros(n, "float32"), at)
    y = np.zeros(n, "float32")
    made.launch("k", 1, 1, y, n - 1)
    assert y.tolist() == [0] * (n - 1) + [1]


def test_a_store_to_a_const_argument_is_seen_in_plain_mode(tmp_path):
    text = 'extern "C" __global__ void k(const real* x, real* y) { ((real*)x)[1] = 2; y[0] = 1; }'
    with pytest.raises(KernelError, match=r"constant: .* stores to x, a const argument"):
        source(tmp_path, text).launch("k", 1, 1, numbers(4), numbers(4))


def test_one_array_may_be_read_as_two_arguments(tmp_path):
    text = """
extern "C" __global__ void k(const real* a, const real* b, real* y) {
  y[threadIdx.x] = a == b ? a[threadIdx.x] + b[threadIdx.x] : -1;
}
"""
    x, y = numbers(32), np.empty(32, "float32")
    source(tmp_path, text).launch("k", 1, 32, x, x, y)
    assert np.array_equal(y, 2 * x)


def test_an_empty_array_has_no_memory(tmp_path):
    text = 'extern "C" __global__ void k(real* x, real* y, int at) { y[0] = at < 0 ? 1 : x[at]; }'
    made, nothing, y = source(tmp_path, text), np.empty(0, "float32"), numbers(1)
    made.launch("k", 1, 1, nothing, y, -1)
    assert y[0] == 1
    with pytest.raises(KernelError, match="0 bytes past the end of x"):
        made.launch("k", 1, 1, nothing, y, 0)


def test_what_a_kernel_prints_is_printed_once(tmp_path, capfd):
    text = 'extern "C" __global__ void k(real* y) { printf("here %d\\n", threadIdx.x); }'
    made = source(tmp_path, text)
    for _ in range(2):
        made.launch("k", 1, 2, numbers(2))
    assert capfd.readouterr().out == "here 0\nhere 1\n" * 2


def test_a_process_that_is_killed_leaves_no_trace(tmp_path):
    """Killed from outside, as by a machine that is out of memory."""
    text = """
extern "C" __global__ void k(real* y) {
  volatile real* flag = y;
  while (*flag == 0);
}
"""
    made, y = source(tmp_path, text), np.zeros(1, "float32")
    made.launch("k", 1, 1, np.ones(1, "float32"))  # compiled
    me, before = os.getpid(), signal.getsignal(signal.SIGINT)
    look = f"until kill -KILL $(cat /proc/{me}/task/*/children | tr ' ' '\\n' | grep -vx $$)"
    helper = subprocess.Popen(["sh", "-c", f"sleep 0.3; {look}; do sleep 0.1; done"])
    try:
        with pytest.raises(KernelError, match="by Killed: killed from outside, perhaps for lack"):
            made.launch("k", 1, 1, y)
    finally:
        helper.kill()
        helper.wait()
    assert signal.getsignal(signal.SIGINT) is before


# What a wrecked heap may make of an answer: the kernel writes it into the pipe itself, and ends.
ANSWER = """
extern "C" { long write(int, const void*, unsigned long); long lseek(int, long, int); int dup(int);
             int fcntl(int, int, ...); void _exit(int); int pause(); int raise(int); void abort(); }
extern "C" __global__ void k(real* y) {
  const char said[] = "%s";
  int at = dup(0);  // where the end of the pipe was that the child has closed
  while (lseek(++at, 0, 1) >= 0 || (fcntl(at, 3) & 3) != 1) {
  }
  if (said[0]) write(at, said, sizeof said - 1);
  %s;
}
"""
ENDS = {
    "no length": ("nonsense}", "_exit(0)", "has ended without a whole answer: .* probably"),
    "half an answer": ("22\\n{}", "_exit(0)", "has ended without a whole answer: .* probably"),
    "nonsense": ("9\\nnonsense}", "_exit(0)", "k: its process has answered nonsense"),
    "other keys": ("2\\n{}", "_exit(0)", "k: its process has answered nonsense"),
    "a list": ("2\\n[]", "_exit(0)", "k: its process has answered nonsense"),
    "a code": ("", "_exit(7)", r"crash: its process has ended with code 7$"),
    "abort": ("", "abort()", "ended by Aborted: the kernel has probably written where memory is"),
    "terminated": ("", "raise(15)", "ended by Terminated: killed from outside$"),
}


@pytest.mark.parametrize("which", ENDS)
def test_how_a_process_ends_is_said(tmp_path, which):
    said, end, message = ENDS[which]
    y = numbers(1)
    with pytest.raises(KernelError, match=message) as error:
        source(tmp_path, ANSWER % (said, end)).launch("k", 1, 1, y)
    assert ("memory is" in str(error.value)) == ("code" not in message and "outside" not in message)
    assert np.array_equal(y, numbers(1))


def test_a_process_that_sleeps_is_ended(tmp_path, monkeypatch):
    """It takes no time of the processor, by which the limit of what runs goes."""
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.5")
    start = time.monotonic()
    with pytest.raises(KernelError, match=r"k: crash: its process has slept for 0.5 s, and was"):
        source(tmp_path, PAUSE).launch("k", 1, 1, numbers(1))
    assert time.monotonic() - start < 20  # compiling, most of it


PAUSE = """
extern "C" int pause();
extern "C" __global__ void k(real* y) { for (;;) pause(); }
"""


def test_a_short_sleep_is_none_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "1")
    text = """
extern "C" int usleep(unsigned);
extern "C" __global__ void k(real* y) { for (int i = 0; i < 6; ++i) usleep(300000); y[0] = 7; }
"""
    y = numbers(1)
    source(tmp_path, text).launch("k", 1, 1, y)
    assert y[0] == 7


OURS = """
import sys, numpy as np
from glassgrad.kernels import KernelError
from glassgrad.kernels.emulator import launch
from glassgrad.kernels.launcher import Source
launch.__globals__["OURS"].append(__import__("pathlib").Path(sys.argv[1]).parent)
made = Source(sys.argv[1])
neighbours = [np.zeros(16, "float32") for _ in range(200)]
for n in (8, 16, 100000, 8) * 3:
    for y in (np.zeros(n, "float32"), neighbours[n % 7]):
        for at in (n, n + 1000, -1):
            if y.size == n:
                try:
                    made.launch("k", 1, 32, y, at)
                except KernelError as error:
                    said = str(error)
                else:
                    raise AssertionError(at)
    made.launch("k", 1, 32, np.zeros(4000, "float32"), 3000)
assert not any(a.any() for a in neighbours)
print(said)
"""


def test_what_is_near_an_array_is_safe_in_our_own_process_too(tmp_path):
    """As for a kernel of ours that somebody edits: arrays are far apart, whichever ran before."""
    made = source(tmp_path, 'extern "C" __global__ void k(real* y, int at) { y[at] = 1; }')
    command = [sys.executable, "-c", OURS, str(made.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "k: out of bounds: a thread has stored something 4 bytes before the start" in done.stdout
