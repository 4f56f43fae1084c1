"""CUDA C on any CPU: the same `.cu` file, compiled with g++ or clang++, its threads run as fibers.

    cuda.h        the vocabulary of CUDA C as plain C++, put before the file
    compiler.py   the few lines that must be rewritten, the compiler, and a cache by content
    runtime.cpp   blocks over the cores, threads as fibers, barriers, deadlocks
    warp.cpp      shuffles, votes, matrix products: the lanes of a warp meet
    calls.cpp     what kernels call
    monitor.cpp   instrumented mode: what every load and store is held against
    counters.cpp  and what the requests of each warp cost
    launch.py     arrays in, arrays out; findings as errors
    report.py     what was seen: findings with source lines, counters of every line

**Plain mode** runs a kernel as fast as fibers allow and reports barriers that not all threads
reach, meetings of a warp that cannot happen, copies never waited for, and deadlocks with who waits
where.

**Instrumented mode** (`with watching() as report:`) compiles with `-fsanitize=thread`, whose
runtime is not linked: our own handlers answer the call that stands before every load and store.
Added to the above are

    races              two threads touch a word, one writes, no barrier between; also between blocks
    out of bounds      outside of every argument and of shared memory
    uninitialised      a word read that nobody has written
    overflow           of signed integers, and rows overrun inside an array of known size
    counters           sectors of 32 bytes per request, bank conflicts, active lanes, bytes, by line

A *request* is one load or store of a warp. The lanes run one after the other here, so a request is
made of the k-th time since the last barrier that each lane comes to the same instruction.

**Where this differs from a GPU.** g++ -O1 decides which loads remain, as nvcc does, but not always
the same ones: a value kept in a register there may be loaded twice here. Blocks are seen one at a
time, so caches have no meaning. Lanes are not in lockstep: an intra-warp exchange through shared
memory without `__syncwarp` is reported as a race, as it is one since Volta. Local variables are not
watched.
"""

from .launch import launch
from .report import Report, watching

__all__ = ["Report", "launch", "watching"]
