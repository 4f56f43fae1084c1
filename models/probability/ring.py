"""Normal variables mapped to a ring (lecture 4, U3 221-229).

The key idea of the variational autoencoder: any distribution of d numbers can be made of d normal
ones by a function that is complicated enough. The lecture's example ::

    g(z) = z/10 + z/‖z‖,      z ~ N(0, I_2)

keeps the direction of z and squeezes its length: ‖g(z)‖ = 1 + ‖z‖/10. Half of the points lie
between the radii 1 and 1.118. At z = 0, where z has no direction, g is not defined; no draw is 0.

In a model g is learnt from data: latent_curve.py does it for one number z.
"""

import numpy as np

from ...core import pictures


def g(z):
    """z/10 + z/‖z‖ of the rows of z [N, D].

    >>> g(np.array([[3.0, 4.0]])).round(3).tolist()
    [[0.9, 1.2]]
    """
    return z / 10 + z / np.linalg.norm(z, axis=1, keepdims=True)


def picture(rng, points: int = 1000):
    """Draws of N(0, I) on the left, the same draws after g on the right, in the same colours."""
    z = rng.normal((points, 2), "float64")
    colours = np.arctan2(z[:, 1], z[:, 0])
    fig = pictures.figure(7.4, 3.7)
    for ax, x, name in zip(fig.subplots(1, 2), (z, g(z)), ("z ~ N(0, I)", "g(z) = z/10 + z/‖z‖")):
        ax.scatter(*x.T, s=5, c=colours, cmap="twilight", lw=0)
        ax.set(aspect="equal", title=name)
        ax.spines[["top", "right"]].set_visible(False)
    return fig
