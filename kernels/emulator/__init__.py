"""CUDA C on any CPU: the same `.cu` file, compiled with g++ or clang++, its threads run as fibers.

    cuda.h        the vocabulary of CUDA C as plain C++, put before the file
    intrinsics.h  and its functions that need nothing of a GPU
    compiler.py   the few lines that must be rewritten, the compiler, and a cache by content
    runtime.cpp   blocks over the cores, threads as fibers, barriers
    signals.cpp   threads that do not end, Ctrl-C, faults, stacks that overflow
    apart.cpp     copies of the arguments, pages between them, a process for the launch
    findings.cpp  deadlocks with who waits where, and all else that is wrong
    warp.cpp      shuffles, votes, matrix products: the lanes of a warp meet
    calls.cpp     what kernels call
    monitor.cpp   instrumented mode: what every load and store is compared with
    shadow.cpp    who wrote a word, who has read it since, and which of them race
    fences.cpp    what fences and atomics order
    counters.cpp  and what the requests of each warp cost
    launch.py     arrays in, arrays out; findings as errors
    report.py     what was seen: findings with source lines, counters of every line
    shown.py      the same as text and as tables

**Plain mode** runs a kernel as fast as fibers allow and reports threads that wait at different
barriers, meetings of a warp that cannot happen, copies never waited for, deadlocks with who waits
where, memory that is not there, and stacks that overflow (a thread has 512 KiB, as on a GPU). A
thread that runs on lets the others have their turn, so that it may wait for one of them in a loop.
Where none of a block comes further in ten seconds of a processor, the launch ends, and where they
meet again and again but none ends in a hundred; `GLASSGRAD_EMULATOR_SECONDS` is another number than
ten, 0 for no limit. Ctrl-C ends it at once.

In plain mode each argument ends where memory does, so that what runs off it is found with its line.
Kernels of files outside this package run **in a process of their own**, in both modes: a wild
write destroys nothing of ours, and a process that dies of it is a finding. That takes milliseconds
a launch.

**Instrumented mode** (`with watching() as report:`) compiles with `-fsanitize=thread`, whose
runtime is not linked: our own handlers answer the call that stands before every load and store.
Added to the above are

    races              two threads touch a word, one writes, no barrier between; also between blocks
    out of bounds      outside of every argument and of every shared array
    misaligned         an address that its type does not allow
    uninitialised      a word read that nobody has written
    writes nothing     into an output that held nothing (`poisoned_outputs`)
    divergent barrier  also one that some threads never reach because they have ended
    overflow           of signed integers, and rows overrun inside an array of known size
    counters           sectors of 32 bytes per request, bank conflicts, active lanes, bytes, by line

A *request* is one load, store or atomic of a warp. The lanes run one after the other here, so a
request is made of the k-th time since the last barrier that each lane comes to the same
instruction.

g++ and clang++ build both modes; of structures clang++ does not check the alignment.

**Where this differs from a GPU**

- g++ -O1 decides which loads remain, as nvcc does, but not always the same ones: a value kept in a
  register there may be loaded twice here. Local variables are not watched.
- Blocks are seen one at a time, so caches have no meaning. The blocks of an ordinary launch begin
  in order: one that waits for a later one waits for ever.
- Lanes are not in lockstep: an intra-warp exchange through shared memory without `__syncwarp` is
  reported as a race, as it is one since Volta.
- Threads that have ended count as arrived at a barrier, as on every GPU since Volta; instrumented
  mode says so all the same, as it cannot tell an early `return` from a barrier that a branch has
  left out. A barrier inside a function is one place, wherever the function is called from.
- A fence and then an atomic or volatile write of global memory release what lies behind, an atomic
  or volatile read acquires it without a second fence, which CUDA's model wants and its guide leaves
  out. A fence that a thread has passed before a barrier counts for whichever of its block writes
  after it: so does hardware, and everybody relies on it, though the letter of the model wants the
  fence in the thread that writes. `volatile` orders nothing in shared memory.
- Of each word the last writer is remembered, and one atomic writer with it; of readers the last
  one, the one before, the last of another warp and of another block. A race with none of these is
  not seen, as where two blocks' atomics go before the plain read and only the older lacks a fence.
- The value that a shuffle takes from a lane which its mask leaves out is not a number, and as an
  integer 0x7ff5a5a5. It may be thrown away, so plain mode lets it pass; instrumented mode names the
  line, also of code that is right, as it cannot follow the value.
- Counters put together the k-th time of each lane, wherever the lanes are: under divergence this is
  the fewest requests that there could be. `if (threadIdx.x == j) v = x[j];` in a loop over j counts
  one request of 32 lanes, where a GPU issues 32 of one; so divergence inside a loop looks cheaper
  than it is. A lane that is 8192 requests of one instruction behind counts alone.
- A structure counts as words of 4 bytes, as NVRTC moves its members where they are such; members of
  8 bytes count twice. A union of a vector type and others does not compile in instrumented mode.
- `__constant__` arrays are watched by their declared size where they are indexed by name; through a
  pointer an overrun reads what lies behind, and nothing says so.
- The counter of `grid_barrier` is checked and counted up as on a GPU, but threads that have ended
  are missed there: an early `return` is a deadlock, undefined on a GPU.
- Between two shared arrays lie 512 bytes, between two arguments 4 MiB: an index that leaps over
  them into the next array is not seen. Plain mode has no gaps in shared memory, where it sees what
  leaves the 228 KiB of a block.
- Wavefronts of 8- and 16-byte accesses follow what NVIDIA says of 7.x: by half and quarter warps,
  loads by twice as many lanes where the neighbours n and n^1, or n and n^2, want the same address.
- Instrumented mode takes a thread for endless that meets no barrier in 2^22 loads and stores.
"""

from .launch import launch
from .report import Report, watching

__all__ = ["Report", "launch", "watching"]
