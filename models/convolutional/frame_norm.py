"""Batch normalisation of padded recordings: only the frames that exist count."""

from ...core import nn
from ...core.tensor import Tensor
from ...kernels.errors import expect


class FrameNorm(nn.BatchNorm):
    """Batch normalisation of x [N, C, F, T] over the frames whose mask [N, 1, 1, T] is 1.

        mean_c = Σ m x / n,   variance_c = Σ m (x - mean_c)² / n,   n = F Σ m
        y = m (weight_c (x - mean_c)/√(variance_c + ε) + bias_c)

    With zeros in the place of frames that do not exist the statistics would depend on how long the
    other recordings of the batch are.
    """

    def forward(self, x: Tensor, mask) -> Tensor:
        """x, mask -> the shape of x, 0 where the mask is."""
        if self.training:
            n = int(mask.sum()) * x.shape[2]
            expect(n > 1, "FrameNorm", "a map needs at least two values", "> 1", n, x=x)
            mean = (x * mask).sum(axis=(0, 2, 3), keepdims=True) / n
            centred = (x - mean) * mask
            variance = (centred * centred).sum(axis=(0, 2, 3), keepdims=True) / n
            self._follow(mean.data.reshape(-1), variance.data.reshape(-1), n)
        else:
            along = (1, -1, 1, 1)
            centred = (x - self.running_mean.reshape(along)) * mask
            variance = self.running_var.reshape(along)
        scale = self.weight.reshape((1, -1, 1, 1)) / (variance + self.eps).sqrt()
        return centred * scale + self.bias.reshape((1, -1, 1, 1)) * mask
