"""`Shards`: a minibatch cut into a fixed number of parts, which ranks share out.

With `shards` = S, step by step ::

    part_k        = cut(batch)[k]                         what the system says its samples are
    share_k       = n_k / Σ_j n_j        n_k: the terms that the loss on part_k is a mean of
    g             = Σ_k share_k · ∂L(part_k)/∂w           in the order of core/distributed/tree.py

S parts, and not as many as there are ranks: a rank computes its shards one after the other, so that
the sum, and with it every bit of the weights, is that of any other number of ranks.

What else a step touches, so that a shard depends on nothing but itself:

    streams of random numbers    in shard k a generator of seed s draws from the seed made of s and
                                 k; after the step it stands where the longest shard has ended.
                                 What is drawn for a whole minibatch, before it is cut, is drawn by
                                 every rank alike.
    averaged buffers             running means (`Module.averaged`): every shard starts from the same
                                 ones, then the shares add them up. They are linear in the
                                 statistics of the minibatch, so the means are those of all samples;
                                 a variance is the mean of those inside the shards, as a shard
                                 normalises by its own.
    buffers with rows            states of samples or chains (`Module.by_rows`): a shard has its
                                 rows, and changes them alone.

A minibatch whose samples stay in a file (core/data/mapped.py) is cut without reading it: a rank
reads each of its shards when it computes it. Gradients may be sent while the last shard of a rank
is still computed (core/distributed/buckets.py).

With one shard nothing of this happens: `compute` sees the minibatch itself.

A statistic of a minibatch inside a loss (batch normalisation, a kernel estimate of a distance
between distributions) is one of the shard's own samples; `System.in_shards` says where. A system
whose step cannot be cut says why in `System.whole`.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace

from ..arrays import module_for
from ..data.mapped import Mapped
from ..distributed import Communicator
from ..distributed.buckets import Buckets
from ..distributed.communicator import add_up, added, apart, flat, times
from ..distributed.tree import is_even
from ..tape import backward, grad
from ..tensor import Tensor
from .divergence import DivergedError
from .settings import SettingError
from .shard_state import ShardState


def why_whole(system) -> str:
    """Why the minibatches of a system cannot be cut; "" if they can.

    A class with a `train_step` of its own says so itself (`whole`): only its author knows whether
    the step goes through `Shards`.
    """
    for kind in type(system).__mro__:
        if "whole" in vars(kind):
            return system.whole
        if "train_step" in vars(kind):
            return f"{kind.__name__} has a step of its own, and does not say how it is cut"
    return ""


def notes(system) -> list[str]:
    """Which statistics of a minibatch are those of a shard, in the system and its layers."""
    return list(dict.fromkeys(m.in_shards for _, m in system.named_modules() if m.in_shards))


class Shards:
    """The shards of a training, and the ranks that share them out.

    Raises SettingError for more ranks than shards, and for shards of a system that has none.
    """

    def __init__(self, system, settings, world: Communicator):
        self.system, self.world = system, world
        self.asks = self.heard = False  # see `agreed`
        self.count, self.fast = settings.shards, settings.reduce == "fast"
        self.buckets: Buckets | None = None  # while gradients are sent as they are complete
        # of each phase, the places of the parameters that had a gradient the last time
        self.reached: dict[str, set[int]] = {}
        name = type(system).__name__
        if self.count > 1 and (why := why_whole(system)):
            raise SettingError(f"{name} is trained with shards=1, in one process: {why}")
        if world.size > self.count:
            raise SettingError(
                f"{name}: {world.size} ranks need at least as many shards; got shards={self.count}"
            )

    @property
    def whole(self) -> bool:
        """True if minibatches are not cut."""
        return self.count == 1

    # --------------------------------------------------------------------- what steps ask for

    def gradients(
        self, batch, compute: Callable, more: list[Tensor] | tuple = (), early: str = ""
    ) -> tuple[dict[str, float], Tensor | None]:
        """Leave the gradients of a minibatch in `.grad`; returns (figures, loss).

        compute(part) leaves those of a part there and returns its (figures, loss); the figures are
        means. The loss, for the diagnosis of numbers that are not finite, is None of more shards
        than one. A parameter that no shard reaches has no gradient. `more` are tensors that are no
        parameters of the system, such as rows of a table. `early` says that compute leaves what
        `Shards.backward` or `Shards.grad` has found, and changes nothing of it: it may then be sent
        meanwhile. It names the phase of a step, which has gradients of the same parameters.
        """
        if self.whole:
            return compute(batch)
        parameters = [*self.system.parameters(), *more]
        early = early if self._may_send_early() else ""
        reached = self.reached.get(early, ())
        order = sorted(range(len(parameters)), key=lambda place: place not in reached)
        parameters = [parameters[place] for place in order]
        known = [p for p, place in zip(parameters, order) if place in reached]

        def work(part):
            for p in parameters:
                p.grad = None
            figures, _ = compute(part)
            return figures, [None if p.grad is None else p.grad.data for p in parameters]

        figures, found = self._over(batch, work, weighted=True, early=known)
        if early:
            self.reached[early] = {place for place, g in zip(order, found) if g is not None}
        for p, g in zip(parameters, found, strict=True):
            p.grad = None if g is None else Tensor(g)
        return figures, None

    def _may_send_early(self) -> bool:
        """Can ranks send before all gradients are there, and still add up in the right order?"""
        world = self.world
        even = self.fast or is_even(self.count, world.size)
        return world.size > 1 and even and world.sends_early(self.fast)

    def backward(self, loss: Tensor) -> None:
        """`loss.backward()`, during which gradients are sent if `gradients` may do so early."""
        backward(loss, final=self.buckets and self.buckets.hear)

    def grad(self, loss: Tensor, inputs: list[Tensor]) -> list[Tensor]:
        """`grad(loss, inputs)`, and the same."""
        return grad(loss, inputs, final=self.buckets and self.buckets.hear)

    def mean(self, batch, statistics: Callable) -> list:
        """Σ_k share_k · statistics(part_k), a list of arrays: means over all samples."""
        return self._sum(batch, statistics, weighted=True)

    def total(self, batch, statistics: Callable) -> list:
        """Σ_k statistics(part_k), a list of arrays: sums over all samples."""
        return self._sum(batch, statistics, weighted=False)

    def _sum(self, batch, statistics, weighted: bool) -> list:
        if self.whole:
            return statistics(batch)
        return self._over(batch, lambda part: ({}, statistics(part)), weighted)[1]

    # ----------------------------------------------------------------------- shard by shard

    def _over(self, batch, work: Callable, weighted: bool, early=()) -> tuple[dict, list]:
        """(figures, arrays) of all shards together; work(part) returns those of one.

        early: the tensors of the first arrays, where these are sent before work returns.
        """
        parts = self.system.cut(batch, self.count)
        terms = [self.system.loss_terms(part) for part in parts]
        whole = sum(terms)
        shares = [t / whole if whole else 1 / len(parts) for t in terms]
        state = ShardState(self.system, len(parts))
        try:
            own, reports, failed, sent = self._own(parts, shares, work, weighted, state, early)
            reports = self._exchanged(reports, failed)
            found = self._summed(own, reports, sent)
            averages = found[len(found) - state.averages :]
            state.finish(averages, reports, self.world, self.count)
        except BaseException:
            state.restore()
            raise
        figures = _mean_figures([reports[k]["figures"] for k in range(len(parts))], shares)
        return figures, found[: len(found) - state.averages]

    def _own(self, parts, shares, work, weighted: bool, state: ShardState, early) -> tuple:
        """(sums of this rank's nodes of the tree, reports of its shards, the error of one, sent).

        sent: what was summed early, over all ranks; the nodes' sums are then of the other arrays.
        """
        reports, failed = {}, None

        def leaf(k: int) -> list:
            nonlocal failed
            if k >= len(parts) or failed is not None:
                return []
            state.enter(k)
            try:
                figures, arrays = work(self._in_memory(parts[k]))
            except DivergedError as error:  # every rank has to hear of it
                failed = error
                reports[k] = {"error": str(error)}
                return []
            averaged = state.leave(k)
            by = shares[k] if weighted else 1.0
            kinds = [None if a is None else [list(a.shape), a.dtype.str]
                     for a in (*arrays, *averaged)]  # fmt: skip
            reports[k] = {"figures": figures, "offsets": state.offsets(), "kinds": kinds}
            if self.buckets:  # which has scaled what it has heard
                for place, a in enumerate(arrays[: len(early)]):
                    self.buckets.put(place, a)
                arrays = arrays[len(early) :]
            scaled = [None if a is None else times(a, by) for a in arrays]
            return scaled + [times(a, shares[k]) for a in averaged]

        own = self.world.shards_of(self.count)
        if not early:
            return add_up(self.count, own, leaf), reports, failed, []
        last = own.stop - 1
        before = list(add_up(self.count, range(own.start, last), leaf).values())
        share = shares[last] if last < len(parts) else 0.0
        self.buckets = Buckets(self.world, early, self.fast, before, share)
        try:
            rest, sent = leaf(last), self.buckets.finish()
        finally:
            self.buckets = None
        for sums in reversed(before):
            sums = sums[len(early) :]
            rest = [added(a, b) for a, b in zip(sums, rest)] if sums and rest else sums or rest
        return {(own.start, own.stop): rest}, reports, failed, sent

    def _in_memory(self, part):
        """The part of a minibatch; rows that are in a file are read now, and kept by nobody."""
        if not isinstance(getattr(part, "x", None), Mapped):
            return part
        return self.system.on_device(replace(part, x=part.x.read()))

    def _exchanged(self, own: dict[int, dict], failed) -> dict[int, dict]:
        """The reports of all shards; where one has diverged, every rank raises its error.

        The kinds of the arrays are sent only where they are not the same everywhere.
        """
        if self.world.size == 1:
            if failed is not None:
                raise failed
            return own
        kinds = {k: report.pop("kinds") for k, report in own.items() if "kinds" in report}
        checks = {zlib.crc32(json.dumps(kind).encode()) for kind in kinds.values()}
        rows = self.world.gather([self.asks, list(checks), list(own.items())])
        self.heard = any(row[0] for row in rows)
        reports = {k: report for row in rows for k, report in row[2]}
        for k in sorted(reports):
            if "error" in reports[k]:
                raise failed if k in own else DivergedError(reports[k]["error"])
        if len({c for row in rows for c in row[1]}) > 1 or not all(row[1] for row in rows):
            gathered = self.world.gather(list(kinds.items()))
            kinds = {k: kind for row in gathered for k, kind in row}
        some = next(iter(kinds.values()))
        return {k: report | {"kinds": kinds.get(k, some)} for k, report in reports.items()}

    def _summed(self, own: dict, reports: dict[int, dict], sent: list) -> list:
        """The arrays of all shards added up, the first as they were sent; None if none has one."""
        rows = [reports[k]["kinds"] for k in sorted(reports)]
        kinds = [next((kind for kind in column if kind is not None), None) for column in zip(*rows)]
        first = [a if kind else None for a, kind in zip(sent, kinds)]
        return first + self._reduced_by_kind(own, kinds[len(sent) :])

    def _reduced_by_kind(self, own: dict, kinds: list) -> list:
        """The arrays of all nodes, of these kinds ([shape, dtype] or None), added up."""
        xp = module_for(self.system_device())
        found = [None] * len(kinds)
        for dtype in dict.fromkeys(kind[1] for kind in kinds if kind is not None):
            places = [i for i, kind in enumerate(kinds) if kind is not None and kind[1] == dtype]
            shapes = [tuple(kinds[i][0]) for i in places]
            sums = {
                node: flat([arrays[i] if arrays else None for i in places], shapes, dtype, xp)
                for node, arrays in own.items()
            }
            for i, a in zip(places, apart(self._reduced(sums), shapes), strict=True):
                found[i] = a
        return found

    def system_device(self) -> str:
        """Where the arrays of the system are."""
        like = next((t for _, t in self.system.named_tensors()), None)
        return "cpu" if like is None else like.device

    def agreed(self, stop: bool) -> bool:
        """True on every rank where one of them has asked to stop before the step that is done.

        The question travels with the step's own messages, and so is answered one step later.
        """
        if self.world.size == 1:
            return stop
        heard, self.asks, self.heard = self.heard, bool(stop), False
        return heard

    def _reduced(self, sums: dict):
        if self.fast and self.world.size > 1:
            first, *others = sums.values()
            for other in others:
                first += other
            return self.world.fast_sum(first)
        return self.world.ordered_sum(sums, self.count)


def _mean_figures(rows: list[dict[str, float]], shares: list[float]) -> dict[str, float]:
    """The mean of each figure over the shards that report it, by their shares."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        there = [(share, row[name]) for share, row in zip(shares, rows) if name in row]
        weight = sum(share for share, _ in there)
        found[name] = sum(share * float(v) for share, v in there) / (weight or 1.0)
    return found
