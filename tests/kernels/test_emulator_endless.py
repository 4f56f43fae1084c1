"""What does not end by itself is ended: loops for ever, Ctrl-C, faults, stacks that overflow."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from glassgrad.kernels import KernelError, ValueRangeError
from glassgrad.kernels.emulator import watching
from tests.kernels.emulating import marked, needs_compiler, numbers, source
from tests.tools import without_compiling

pytestmark = needs_compiler

BUSY = """
extern "C" __global__ void k(double* y) {
  double x = 0;
  for (int i = 0; i < %d; ++i) x = x * 0.5 + 1;
  y[threadIdx.x] = x;
}
"""
SPIN = """
extern "C" __global__ void k(int* y) {
  volatile int* flag = y;
  if (threadIdx.x == 3) while (*flag == 0);  // <-
  __syncthreads();
}
"""


@pytest.mark.parametrize("blocks", [1, 4])
def test_a_loop_on_plain_memory_that_nobody_ends(tmp_path, monkeypatch, blocks):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.3")
    made = source(tmp_path, SPIN)
    with pytest.raises(KernelError) as error:
        made.launch("k", blocks, 64, np.zeros(1, "int32"))
    line = made.path.read_text().splitlines().index("  __syncthreads();") + 1
    said = str(error.value)
    assert f"planted.cu:{marked(made)}: deadlock: nobody has come further in 0.3 s" in said
    assert (
        f"1 run, one of them at line {marked(made)} (block (" in said
        and "thread (3, 0, 0))" in said
    )
    assert f"63 wait at the barrier at line {line}" in said


def test_a_loop_that_touches_no_memory_ends_when_watched_too(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.3")
    text = """
extern "C" __global__ void k(int* y) {
  for (volatile int i = 0; i < 2; i = 0) {  // <-
  }
}
"""
    made = source(tmp_path, text)
    with watching() as report:
        made.launch("k", 1, 32, np.zeros(1, "int32"))
    assert [(f.kind, f.line) for f in report.findings if f.kind == "deadlock"] == [
        ("deadlock", marked(made))
    ]


def test_a_held_lock_names_the_line_that_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.3")
    text = """
extern "C" __global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {  // <-
  }
  y[0] += 1;
}
"""
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match="deadlock") as error:
        made.launch("k", 1, 8, np.zeros(1, "int32"), np.zeros(1, "int32"))
    said = str(error.value)
    assert f"planted.cu:{marked(made)}: deadlock" in said and "7 run, one of them" in said
    assert said.endswith("1 have ended")


@pytest.mark.parametrize("type_", ["volatile int", "int"])
@pytest.mark.parametrize("watched", [False, True])
def test_threads_that_wait_for_one_another_come_further(tmp_path, type_, watched):
    """As on a GPU since Volta, a loop of one thread does not keep the others from running."""
    load = "*(volatile int*)flag" if "volatile" in type_ else "atomicAdd(flag, 0)"
    text = f"""
extern "C" __global__ void k(int* flag, int* y) {{
  if (threadIdx.x < 64) {{
    while ({load} == 0) {{
    }}
  }} else if (threadIdx.x == 64) {{
    y[0] = 7;
    __threadfence();
    atomicExch(flag, 1);
  }}
  if (threadIdx.x < 64) y[1 + threadIdx.x] = y[0];
}}
"""
    made, y = source(tmp_path, text), np.zeros(65, "int32")
    if watched:
        with watching() as report:
            made.launch("k", 1, 96, np.zeros(1, "int32"), y)
        assert not report.findings
    else:
        made.launch("k", 1, 96, np.zeros(1, "int32"), y)
    assert (y == 7).all()


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("meet", ["__syncthreads()", "__any_sync(FULL_WARP, 0)"])
def test_a_loop_whose_threads_meet_ends_too(tmp_path, monkeypatch, meet, watched):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "0.03")
    text = f"""
extern "C" __global__ void k(int* y) {{
  volatile int* seen = y;
  while (*seen == 0) {meet};  // <-
}}
"""
    made = source(tmp_path, text)
    with watching() if watched else pytest.raises(KernelError) as found:
        made.launch("k", 1, 32, np.zeros(1, "int32"))
    says = str(found.findings[0]) if watched else str(found.value)
    assert (
        f"planted.cu:{marked(made)}: deadlock: they meet, but no thread has ended in 0.3 s" in says
    )


def test_many_atomics_are_no_deadlock(tmp_path):
    text = """
extern "C" __global__ void k(int* y) {
  for (int i = 0; i < 3000000; ++i) atomicAdd(y, 1);
}
"""
    y = np.zeros(1, "int32")
    source(tmp_path, text).launch("k", 1, 2, y)
    assert y[0] == 6000000


def test_the_limit_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_EMULATOR_SECONDS", "soon")
    with pytest.raises(ValueRangeError, match="GLASSGRAD_EMULATOR_SECONDS must be a number"):
        source(tmp_path, SPIN).launch("k", 1, 1, np.zeros(1, "int32"))


INTERRUPTED = """
import signal, sys, numpy as np
from glassgrad.kernels.launcher import Source
made = Source(sys.argv[1])
{listen}
made.launch("k", 4, 64, np.ones(1, "int32"))
print("compiled", flush=True)
try:
    made.launch("k", 4, 64, np.zeros(1, "int32"))
except KeyboardInterrupt:
    print("interrupted")
{after}
"""
WAITING = """
extern "C" __global__ void k(int* y) {
  volatile int* flag = y;
  if (threadIdx.x == 3) while (*flag == 0);
  __syncthreads();
}
"""


@pytest.mark.parametrize(
    "listen, after, times",
    [
        # set here, as a process in the background of a shell has it ignored
        (
            "signal.signal(signal.SIGINT, signal.default_int_handler)",
            "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler",
            1,
        ),
        ("heard = []; signal.signal(signal.SIGINT, lambda *_: heard.append(1))", "", 2),
    ],
)
def test_ctrl_c_ends_a_launch(tmp_path, listen, after, times):
    """The first, or the second where the program listens itself, as training does."""
    made = source(tmp_path, WAITING)
    code = textwrap.dedent(INTERRUPTED).format(listen=listen, after=after)
    environment = {**os.environ, "GLASSGRAD_EMULATOR_SECONDS": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(made.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout.readline() == "compiled\n"
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            started = time.monotonic()
            while not children.read_text():  # until the kernel has its process
                assert process.poll() is None and time.monotonic() < started + 100
                time.sleep(0.05)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)
            out, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (out, without_compiling(said), process.returncode) == ("interrupted\n", "", 0)


def test_an_interrupt_that_the_program_wants_is_handed_on(tmp_path):
    made, y, heard = source(tmp_path, BUSY % 100000000), np.zeros(8), []
    made.launch("k", 1, 1, np.zeros(1))
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        helper = subprocess.Popen(["sh", "-c", f"sleep 0.1; kill -INT {os.getpid()}"])
        made.launch("k", 1, 8, y)
        helper.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [1] and np.allclose(y, 2)


@pytest.mark.parametrize("watched", [False, True])
def test_a_stack_that_overflows_is_named(tmp_path, watched):
    text = """
__device__ __noinline__ int deep(int n, int* y) {
  volatile int many[64];
  many[n % 64] = n;
  return n == 0 ? 0 : deep(n - 1, y) + many[n % 64];  // <-
}
extern "C" __global__ void k(int* y, int n) {
  y[threadIdx.x] = deep(n, y);
}
"""
    made, y = source(tmp_path, text), np.zeros(32, "int32")
    made.launch("k", 1, 32, y, 100)
    assert (y == 5050).all()
    says = "stack overflow: block (0, 0, 0) thread (0, 0, 0): its calls and local variables take"
    if watched:
        with watching() as report:
            made.launch("k", 1, 32, y, 1000000)
        assert says in str(report.findings[0])
    else:
        with pytest.raises(KernelError) as error:
            made.launch("k", 1, 32, y, 1000000)
        assert says in str(error.value) and "planted.cu:" in str(error.value)
    made.launch("k", 1, 32, y, 100)
    assert (y == 5050).all(), "the next launch is none the worse"


def test_a_large_frame_does_not_step_over_the_guard(tmp_path):
    text = """
extern "C" __global__ void k(int* y, int n) {
  volatile int many[1 << 18];
  many[n] = 1;
  y[0] = many[n];
}
"""
    with pytest.raises(KernelError, match="stack overflow"):
        source(tmp_path, text).launch("k", 1, 1, np.zeros(1, "int32"), 0)


@pytest.mark.parametrize(
    "line, n, says",
    [
        ("*(int*)(8 * (long long)n) = 1;", 100, "out of bounds: block .* touches address 0x320"),
        ("y[0] = (-2147483647 - n) / (n - 2);", 1, "overflow: .* quotient does not fit"),
        ("if (n == 3) __trap();", 3, r"trap: .* has come to __trap\(\)"),
        ('printf("%s", (const char*)(long long)n);', 5, "out of bounds: .* touches address 0x5"),
        ("*(float4*)(y + n) = *(float4*)y;", 1, "misaligned: .* the address does not divide"),
    ],
)
def test_a_fault_in_a_kernel_does_not_end_the_process(tmp_path, line, n, says):
    text = f'extern "C" __global__ void k(int* y, int n) {{\n  {line}  // <-\n}}\n'
    made = source(tmp_path, text)
    with pytest.raises(KernelError, match=rf"planted\.cu:{marked(made)}: {says}"):
        made.launch("k", 2, 32, np.zeros(1, "int32"), n)


def test_a_copy_from_where_no_memory_is_names_its_line(tmp_path):
    text = """
extern "C" __global__ void k(float* y, int n) {
  __shared__ float s[32];
  copy_async<4>(s, y - (long long)n * n);  // <-
  copy_async_commit();
  copy_async_wait<0>();
}
"""
    made = source(tmp_path, text)
    with pytest.raises(
        KernelError, match=rf":{marked(made)}: out of bounds: .* touches address 0x"
    ):
        made.launch("k", 1, 1, np.zeros(1, "f4"), 100000)


@pytest.mark.parametrize("kept", [True, False])
def test_a_null_pointer_is_called_by_its_name(tmp_path, kept):
    text = 'extern "C" __global__ void k(float* y, const float* x) { y[0] = x[3]; }'
    with watching() as report:
        source(tmp_path, text).launch("k", 1, 1, numbers(1), numbers(4) if kept else None)
    says = [f.message.rpartition("bytes ")[2] for f in report.findings]
    assert says == ([] if kept else ["at address 0xc: a pointer is null"])


def test_a_signal_that_the_program_wants_is_handed_on_too(tmp_path):
    """The emulator's clock uses SIGURG."""
    made, y, heard = source(tmp_path, BUSY % 60000000), np.zeros(2), []
    made.launch("k", 1, 1, y)
    before = signal.signal(signal.SIGURG, lambda *_: heard.append(1))
    try:
        helper = subprocess.Popen(["sh", "-c", f"sleep 0.05; kill -URG {os.getpid()}"])
        made.launch("k", 1, 2, y)
        helper.wait()
    finally:
        signal.signal(signal.SIGURG, before)
    assert heard == [1] and np.allclose(y, 2)


def test_kernels_may_print(tmp_path, capfd):
    text = """
extern "C" __global__ void k(const float* x) {
  if (threadIdx.x == 1) printf("x[%d] = %.1f // not a comment\\n", 1, x[1]);
}
"""
    source(tmp_path, text).launch("k", 1, 2, numbers(2))
    assert capfd.readouterr().out == "x[1] = 1.0 // not a comment\n"
