"""Weights of trained networks: tensors by name, the classes, and arrays to check a network with."""

from dataclasses import replace

from .canon import FILES
from .download import find
from .files import DataError
from .own.weights_file import from_weight_files
from .special import Weights

SIZES = {"images": (5, 224, 224, 3), "logits": (5, 1000), "pooled": (5, 1280)}


def efficientnet_lite0(data_dir=None) -> Weights:
    """EfficientNet-Lite0 trained on ImageNet: 247 tensors, 1000 classes, five pictures to check.

    Names are those of the PyTorch file: convolutions (out, in / groups, k, k), depthwise
    (C, 1, k, k), ``_fc.weight`` (1000, 1280). Line i of the class names, from 0, is class i;
    "crane" is both 134 (the bird) and 517 (the machine).

    A network built from them must agree in four things; a wrong choice still gives plausible
    classes, so compare with ``check["logits"]`` rather than with the best class:

        input       (pixel - 127) / 128 of RGB in 0 … 255, [N, 3, 224, 224]; not ImageNet's mean
        padding     TensorFlow's SAME: p = max((ceil(n/s) - 1) s + k - n, 0), of which p // 2 goes
                    before and the rest after: 3x3, stride 2 on an even size pads 0 and 1
        batch norm  eps = 1e-3; 130 running variances are below 1e-6. Convolutions have no bias
        ReLU6       min(max(x, 0), 6); none after a block's last convolution

    ``check`` has ``images`` uint8 (5, 224, 224, 3), ``logits`` (5, 1000) and ``pooled`` (5, 1280)
    of a float64 run, and for the picture chelsea the mean, standard deviation and shape after the
    stem, each block and the head (``chelsea_stage_*``) to find a wrong layer with. A float32 run
    differs from the logits by at most 8.2e-6.
    Source: Tan & Le 2019; https://github.com/tensorflow/tpu, EfficientNet-Lite.
    """
    weights, classes, check = (
        find(FILES[f"efficientnet_lite0/{name}"], data_dir)
        for name in ("efficientnet_lite0.safetensors", "imagenet_classes.txt", "check.npz")
    )
    found = from_weight_files(weights, classes, check)
    if len(found) != 247 or len(found.info.classes) != 1000:
        raise DataError(f"{weights}: expected 247 tensors and 1000 classes")
    for name, shape in SIZES.items():
        if name not in found.check or found.check[name].shape != shape:
            raise DataError(f"{check}: expected {name} of shape {shape}")
    note = (
        "input (pixel - 127) / 128, not ImageNet's mean; TensorFlow's SAME padding; batch norm with"
        " eps 1e-3; ReLU6; compare with check['logits'], not with the best class"
    )
    extra = {"mean": 127.0, "scale": 128.0, "padding": "SAME", "eps": 1e-3}
    info = replace(
        found.info, source=str(weights.parent), note=note, extra=found.info.extra | extra
    )
    return replace(found, name="efficientnet_lite0", info=info)
