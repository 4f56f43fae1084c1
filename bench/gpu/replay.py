"""Training steps as CUDA graphs: a whole step launched at once, compared with it op by op.

A graph repeats the launches of the step that was captured, with the same arguments at the same
addresses. What may be captured is therefore

    the forward pass, the backward pass and an update in place, all on the GPU,
    on parameters and a batch that stay where they are,
    with every other array in a memory pool of the graph's own, which lives as long as the graph:
    what the step freed and used again is used again in the same order,

and what may not:

    reading a number back (`loss.item()`, the norm for clipping, the range of the targets: the first
    step looks at it, the others have the same): it waits for the GPU, which CUDA refuses while a
    stream is captured, so that the capture fails;
    a product by cuBLAS: CuPy refuses it while a stream is captured (NotImplementedError), and so
    every step with a matrix product;
    arrays made of host memory: a replay would copy what lies there by then. `on_device_only`
    refuses them;
    numbers given by value that change from step to step: Adam's correction for the first steps,
    the learning rate of a schedule, the place in a random stream. A graph would keep those of the
    captured step.

So the steps here update by plain gradient descent, whose numbers are constants. LeNet and the MLP
draw no noise: their replay *is* training. VAE and LSTM do: their replay repeats the noise of the
captured step, which says how long a step would take, and is noted as "frozen"; training by it would
be wrong. Either way the weights after some replays must be those after as many steps op by op, from
the same weights with the same noise: a graph that computes anything else ends in an error.
"""

import contextlib
from dataclasses import asdict, replace

import numpy as np

from ...core.functions.indexing import known_targets
from ...core.training.system import split_objective
from ...kernels.errors import GlassgradError
from ..clock import StepClock, clock_for
from ..steps import STEPS, Ready
from ..timing import ON_GPU, alternate
from ..verify import relative_l2

WARM, REPLAYS = 3, 5
MOST = 1e-5  # relative difference of all weights' changes: cuBLAS may sum in another order


class CaptureError(GlassgradError, RuntimeError):
    """The step cannot be captured."""


class ReplayError(GlassgradError, RuntimeError):
    """The replay of a step computes something else than the step."""


def measure() -> dict:
    """The part "replay": every training step of bench/steps.py.

    A step that cannot be captured is reported, and no failure: CuPy itself refuses cuBLAS while a
    stream is captured. A replay that computes something else is one.
    """
    found = {}
    for name in STEPS:
        try:
            found[name] = one(name, "cuda", capture, StepClock(clock_for("cuda")))
        except (CaptureError, ReplayError) as error:
            status = "refused" if isinstance(error, CaptureError) else "failed"
            found[name] = {"status": status, "why": str(error)}
    ends = {f["status"] for f in found.values()}
    status = next(s for s in ("failed", "refused", "done") if s in ends)
    return {"status": status, "steps": found}


class Plain:
    """A step by plain gradient descent that reads nothing back; the noise is the same each time."""

    def __init__(self, name: str, device: str, samples: int | None = None):
        known = STEPS[name]

        def build(samples):
            system, data, settings = known.build(samples)
            return system, data, replace(settings, optimiser="sgd", clip=0.0)

        self.ready = Ready(replace(known, build=build), device, samples)
        self.states = [(g, g.state) for _, g in self.ready.system.named_generators()]
        self.noisy, self.taken = False, 0

    def __call__(self):
        """One step; returns the loss, which nobody waits for."""
        for generator, state in self.states:
            generator.state = state
        with known_targets() if self.taken else contextlib.nullcontext():
            loss, _ = split_objective(self.ready.system.objective(self.ready.batch))
        self.taken += 1
        self.noisy = any(g.state != state for g, state in self.states)
        loss.backward()
        self.ready.training.optimiser.step()
        return loss

    def weights(self) -> np.ndarray:
        """All parameters as one vector."""
        return np.concatenate([w.reshape(-1) for w in self.ready.weights()])


def one(name: str, device: str, capture, clock) -> dict:
    """Capture a step, compare its replays with steps op by op, and time both by turns."""
    step, twin = Plain(name, device), Plain(name, device)
    start = twin.weights()
    replay = capture(step)
    for _ in range(REPLAYS):
        replay()
    for _ in range(WARM + REPLAYS):
        twin()
    clock.wait()
    got, wanted = step.weights() - start, twin.weights() - start
    error = relative_l2(got, wanted)
    if not error <= MOST:
        raise ReplayError(
            f"{name}: after {REPLAYS} replays the weights have moved otherwise than after as many"
            f" steps: relative difference {error:.3g}, allowed {MOST:g}"
        )
    found = alternate({"eager": twin, "replay": replay}, clock, ON_GPU)
    eager, replayed = found["eager"], found["replay"]
    return {
        "status": "done",
        "noise": "frozen" if twin.noisy else "none",
        "error": error,
        "eager": asdict(eager),
        "replay": asdict(replayed),
        "gain": eager.median / replayed.median,
    }


def capture(step):
    """The step, after `WARM` real ones, as a call that launches its graph. Raises CaptureError."""
    import cupy

    pool, stream = cupy.cuda.MemoryPool(), cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.using_allocator(pool.malloc), stream:
        for _ in range(WARM):  # compile, make cuBLAS's handle, fill the pool
            step()
        stream.synchronize()
        stream.begin_capture()
        try:
            with on_device_only(cupy):
                kept = step()
        except (GlassgradError, RuntimeError) as error:
            # CUDA's own; CuPy's NotImplementedError for cuBLAS and RuntimeError for a copy to the
            # host, both while a stream is captured
            with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):
                stream.end_capture()
            raise CaptureError(f"the step cannot be captured: {error}") from error
        graph = stream.end_capture()

    def replay(kept=(kept, pool)):  # the graph writes into the pool's memory
        graph.launch(stream)

    return replay


@contextlib.contextmanager
def on_device_only(cupy):
    """Inside the block CuPy makes no array of host memory: CaptureError where it is asked to."""
    before = {name: getattr(cupy, name) for name in ("array", "asarray", "ascontiguousarray")}

    def guarded(name):
        def make(a, *args, **options):
            if not isinstance(a, cupy.ndarray):
                raise CaptureError(f"cupy.{name} is given {type(a).__name__} from the host")
            return before[name](a, *args, **options)

        return make

    for name in before:
        setattr(cupy, name, guarded(name))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(cupy, name, function)
