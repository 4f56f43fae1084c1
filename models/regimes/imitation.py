"""L(b, a): how far the answers b of a student are from the answers a of a teacher.

    classes       L = -Σ_k p_k ln q_k,   p = softmax(a/T),   q = softmax(b/T) or softmax(b)
    quantities    L = ‖b - a‖²/K         in units of their deviation

The lecture writes L for any loss and divides by no temperature: T = 1 (V0 470-486). A large T shows
the student how the teacher ranks the wrong classes. With T under both the gradient shrinks by T²,
which is why Hinton, Vinyals & Dean (2015, section 2) take T² L in a sum with other terms. With T
under a alone the student's logits are to be a/T: small, and soon learnt.
"""

from ... import core as gg
from ...core import nn
from ...core.training.settings import SettingError


def imitation(task: nn.Module, b, a, temperature: float = 1.0, both: bool = True):
    """The mean of L(b, a) over the rows: b, a [N, K], logits or standardised quantities.

    `both`: T divides the student's logits, too. Gradients flow into b and a, if both are on the
    tape.

    >>> from glassgrad.models.perceptrons.tasks import Classification
    >>> z = gg.tensor([[0.0, 0.0]])
    >>> round(imitation(Classification(2), z, z).item(), 4)  # ln 2: the entropy of p
    0.6931
    """
    if is_classes(task):
        p = gg.softmax(a / temperature)
        return -(p * gg.log_softmax(b / temperature if both else b)).sum(axis=-1).mean()
    return nn.losses.mse(b, a)


def is_classes(task: nn.Module) -> bool:
    """Whether the answers are logits of classes, not quantities."""
    return type(task).__name__ == "Classification"


def expect_temperature(name: str, task: nn.Module, temperature: float) -> None:
    """Raise SettingError if quantities, which have no softmax, are given a temperature."""
    if temperature != 1 and not is_classes(task):
        raise SettingError(
            f"{name}: a temperature divides logits of classes; these labels are quantities"
        )
