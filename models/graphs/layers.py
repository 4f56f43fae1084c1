"""Convolutions over the neighbourhood of a vertex: h [N, D] -> h' [N, D'].

    form   h'_i                                                   neighbours of i
    gcn    Σ_j Â_ij W h_j                                          with i, Â = D^-1/2 (A + I) D^-1/2
    sage   U h_i + W mean_j h_j                                   without i
    gin    MLP((1 + ε) h_i + Σ_j h_j)                             without i
    gat    Σ_j α_ij W h_j, α_ij = softmax_j LeakyReLU(aᵀ[W h_i ‖ W h_j])      with i

All four multiply by W first, which is cheaper: sums over neighbours and products with W commute. So
the first layer can take features as sparse rows, and no dense matrix of them is ever made.

Sources: Kipf & Welling 2017; Hamilton, Ying & Leskovec 2017; Xu, Hu, Leskovec & Jegelka 2019;
Veličković, Cucurull, Casanova, Romero, Liò & Bengio 2018.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.nn import init
from .neighbourhoods import SparseMatrix, SparseRows

Form = Literal["gcn", "sage", "gin", "gat"]
MATRIX = {  # of `neighbours`: norm, loops
    "gcn": ("symmetric", True),
    "sage": ("mean", False),
    "gin": ("sum", False),
    "gat": ("sum", True),
}
SLOPE = 0.2  # of the LeakyReLU of attention


class Linear(nn.Linear):
    """x Wᵀ + b of dense rows, or of a `SparseMatrix`; W by Glorot's rule, b begins with 0."""

    def __init__(self, inputs: int, outputs: int, bias: bool, rng, dtype="float32"):
        super().__init__(inputs, outputs, bias, rng=rng, dtype=dtype)
        drawn = init.xavier_uniform((outputs, inputs), rng.child("glorot"), dtype=dtype)
        self.weight = init.parameter(drawn)
        self.bias = init.parameter(np.zeros(outputs, dtype)) if bias else None

    def forward(self, x):
        """x [N, I] -> [N, O]."""
        if not isinstance(x, SparseMatrix):
            return super().forward(x)
        y = gg.spmm(x.values, gg.transpose(self.weight), x.pattern)
        return y if self.bias is None else y + self.bias


class Dropped(nn.Dropout):
    """Dropout of dense rows, or of the entries of sparse ones, whose zeros stay zeros anyway."""

    def forward(self, x):
        """x of the same kind; x itself in evaluation."""
        if not isinstance(x, SparseMatrix):
            return super().forward(x)
        return SparseMatrix(x.pattern, super().forward(x.values))


class Gcn(nn.Module):
    """Σ_j Â_ij W h_j: `at` has Â."""

    def __init__(self, inputs, outputs, rng, bias=False, dtype="float32"):
        self.linear = Linear(inputs, outputs, bias, rng, dtype)

    def forward(self, h, at: SparseRows):
        """h [N, D] -> [N, D']."""
        return at.times(self.linear(h))


class Sage(nn.Module):
    """U h_i + W mean_j h_j: `at` has the means; an isolated node has U h_i alone."""

    def __init__(self, inputs, outputs, rng, bias=True, dtype="float32"):
        self.own = Linear(inputs, outputs, bias, rng.child("own"), dtype)
        self.linear = Linear(inputs, outputs, False, rng, dtype)

    def forward(self, h, at: SparseRows):
        """h [N, D] -> [N, D']."""
        return self.own(h) + at.times(self.linear(h))


class Gin(nn.Module):
    """W₂ relu(W₁((1 + ε) h_i + Σ_j h_j) + b₁) + b₂, ε learnt from 0: `at` has the sums.

    A sum keeps apart what a mean confuses: how many neighbours there are.
    """

    def __init__(self, inputs, outputs, rng, bias=True, dtype="float32"):
        self.linear = Linear(inputs, outputs, False, rng, dtype)
        self.bias = init.parameter(np.zeros(outputs, dtype))
        self.second = Linear(outputs, outputs, bias, rng.child("second"), dtype)
        self.epsilon = init.parameter(np.zeros((), dtype))

    def forward(self, h, at: SparseRows):
        """h [N, D] -> [N, D']."""
        y = self.linear(h)
        y = (1 + self.epsilon) * y + at.times(y)
        return self.second(gg.relu(y + self.bias))


class Gat(nn.Module):
    """Attention of `heads` heads, side by side: outputs = heads x width. `at` says who sees whom.

    The heads are blocks of one sparse matrix, [heads N, heads N].
    """

    def __init__(self, inputs, outputs, rng, bias=True, heads=1, drop=0.0, dtype="float32"):
        self.heads, width = heads, outputs // heads
        self.linear = Linear(inputs, heads * width, False, rng, dtype)
        shape = (heads, 1, width)

        def drawn(name):
            values = init.xavier_uniform((heads, width), rng.child(name), dtype=dtype)
            return init.parameter(values.reshape(shape))

        self.left, self.right = drawn("left"), drawn("right")
        self.bias = init.parameter(np.zeros(heads * width, dtype)) if bias else None
        self.drop = nn.Dropout(drop, rng=rng.child("drop"))

    def attention(self, y, pattern):
        """α [heads E] of rows y [heads, N, width], and y as [heads N, width]."""
        left, right = ((y * a).sum(axis=2).reshape(-1, 1) for a in (self.left, self.right))
        scores = gg.embedding(left, pattern.rows) + gg.embedding(right, pattern.indices)
        scores = gg.leaky_relu(scores.reshape(-1), SLOPE)
        return gg.sparse_softmax(scores, pattern), y.reshape(-1, y.shape[2])

    def forward(self, h, at: SparseRows):
        """h [N, D] -> [N, heads x width]."""
        y, pattern = self.linear(h), at.heads(self.heads)
        y = gg.swap_axes(y.reshape(y.shape[0], self.heads, -1), 0, 1)
        alpha, rows = self.attention(y, pattern)
        y = gg.spmm(self.drop(alpha), rows, pattern).reshape(*y.shape)
        y = gg.swap_axes(y, 0, 1).reshape(y.shape[1], -1)
        return y if self.bias is None else y + self.bias


LAYERS = {"gcn": Gcn, "sage": Sage, "gin": Gin, "gat": Gat}
