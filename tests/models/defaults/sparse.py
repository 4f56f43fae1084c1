"""What sparse codes claim: a lower energy than codes and atoms that nobody learnt."""

import numpy as np

import glassgrad as gg
from glassgrad.models.sparse.codes import energy, fista

from .claims import claims


def energy_of(done, atoms, steps: int, x=None) -> float:
    """F of the codes, by so many steps of FISTA from 0, of these atoms for rows x."""
    x, lam = done.rows if x is None else x, done.settings.lam
    atoms = atoms.astype(np.float32)
    z = fista(x, atoms, lam, np.zeros((len(x), len(atoms)), np.float32), steps)
    return energy(*map(gg.Tensor, (x, z, atoms)), lam).mean().item()


def normals(done) -> np.ndarray:
    """As many atoms, in random directions."""
    d = gg.Generator(0).normal((done.settings.atoms, done.rows.shape[1]), "float64")
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def zero_codes(done) -> float:
    """F of codes that are all 0: the mean of ‖x‖²."""
    return float((done.rows**2).sum(axis=1).mean())


def random_atoms(done) -> float:
    """F of optimal codes, by FISTA, of atoms in random directions."""
    return energy_of(done, normals(done), done.settings.encode_steps)


def untrained_atoms(done) -> float:
    """F of optimal codes, by FISTA, of the atoms that training starts from: random samples."""
    return energy_of(done, done.untrained.atoms.numpy(), done.settings.encode_steps)


def one_step_of_untrained_atoms(done) -> float:
    """F of the codes of those atoms after one step of FISTA, as cheap as an encoder."""
    return energy_of(done, done.untrained.atoms.numpy(), 1)


# the held-out patches of `flower` are its blurred background, where there is little to explain;
# the flower itself is in the training set

FEW = 1000


def on_the_flower(done) -> float:
    """F of optimal codes for training patches, which show the flower and not its background."""
    steps = done.settings.encode_steps
    return energy_of(done, done.system.atoms.numpy(), steps, done.seen[:FEW])


def zero_codes_on_the_flower(done) -> float:
    """F of codes that are all 0 for the same patches."""
    return float((done.seen[:FEW] ** 2).sum(axis=1).mean())


def random_atoms_on_the_flower(done) -> float:
    """F of optimal codes for the same patches, of atoms in random directions."""
    return energy_of(done, normals(done), done.settings.encode_steps, done.seen[:FEW])


def untrained_atoms_on_the_flower(done) -> float:
    """F of optimal codes for the same patches, of the atoms that training starts from."""
    steps = done.settings.encode_steps
    return energy_of(done, done.untrained.atoms.numpy(), steps, done.seen[:FEW])


CLAIMS = (
    *claims(
        "sparse-coding",
        "flower",
        on_the_flower,
        (zero_codes_on_the_flower, (0.622, 0.622, 0.619), 0.68),
        (random_atoms_on_the_flower, (0.743, 0.743, 0.740), 0.81),
        (untrained_atoms_on_the_flower, (0.795, 0.796, 0.767), 0.88),
    ),
    *claims("sparse-coding", "flower", "objective", (zero_codes, (0.979, 0.978, 0.976), 0.99)),
    *claims(
        "sparse-coding-autoencoder",
        "digits",
        "one_shot",
        (zero_codes, (0.327, 0.328, 0.328), 0.36),
        (random_atoms, (0.418, 0.419, 0.419), 0.46),
        (one_step_of_untrained_atoms, (0.707, 0.700, 0.711), 0.78),
    ),
    *claims(
        "psd",
        "digits",
        "one_shot",
        (zero_codes, (0.315, 0.318, 0.316), 0.36),
        (random_atoms, (0.402, 0.406, 0.404), 0.46),
        (one_step_of_untrained_atoms, (0.681, 0.679, 0.685), 0.75),
    ),
    *claims("psd", "digits", "fista", (untrained_atoms, (0.970, 0.969, 0.971), 0.985)),
)
