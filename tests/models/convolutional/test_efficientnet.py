"""EfficientNet-Lite0: padding, names, and with its weights the published numbers by stages."""

import time

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataError, available, load
from glassgrad.models.convolutional import efficientnet
from glassgrad.models.convolutional.efficientnet import BLOCKS, EfficientNetLite0, same_padding

needs_weights = pytest.mark.skipif(
    available("efficientnet_lite0") is None, reason="the weights do not ship"
)


@pytest.fixture(scope="module")
def published():
    return load("efficientnet_lite0")


@pytest.fixture(scope="module")
def net(published):
    return efficientnet.pretrained(published.tensors)


def images(published):
    return efficientnet.prepared(
        published.check["images"].transpose(0, 3, 1, 2).astype(np.float32) / 255
    )


@pytest.mark.parametrize("size", [5, 6, 7, 112])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_padding_gives_as_many_outputs_as_steps_fit(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    outputs = (size + before + after - kernel) // stride + 1
    assert outputs == -(-size // stride)
    assert 0 <= after - before <= 1  # what is odd comes after


def test_the_sizes_of_the_maps_and_the_parameters():
    net = EfficientNetLite0(gg.Generator(0)).eval()
    with gg.no_grad():
        shapes = [s.shape[1:] for s in net.stages(gg.zeros((1, 3, 64, 64)))]
    assert shapes[0] == (32, 32, 32) and shapes[-1] == (1280, 2, 2) and len(shapes) == 18
    assert [s[0] for s in shapes[1:-1]] == [block[4] for block in BLOCKS]
    assert net.count() == 4_652_008


@needs_weights
def test_logits_and_features_are_the_published_ones(net, published):
    with gg.no_grad():
        x = gg.tensor(images(published))
        f, logits = net.features(x).numpy(), net(x).numpy()
    assert abs(logits - published.check["logits"]).max() < 1e-3
    assert abs(f - published.check["pooled"]).max() < 1e-3
    assert logits[2].argmax() == 282


@needs_weights
def test_each_stage_has_the_published_statistics(net, published):
    with gg.no_grad():
        stages = [s.numpy() for s in net.stages(gg.tensor(images(published)[2:3]))]
    c = published.check
    for k, maps in enumerate(stages):
        assert maps.shape[1:] == tuple(c["chelsea_stage_shape"][k])
        assert abs(maps.mean() - c["chelsea_stage_mean"][k]) < 1e-4, k
        assert abs(maps.std() - c["chelsea_stage_std"][k]) < 1e-4, k


@needs_weights
@pytest.mark.parametrize("wrong", ["padding", "eps", "pixels"])
def test_each_detail_of_the_page_matters(net, published, monkeypatch, wrong):
    x = images(published)[2:3]
    if wrong == "padding":
        monkeypatch.setattr(efficientnet, "same_padding", lambda n, k, s: (k // 2, k // 2))
    elif wrong == "eps":
        monkeypatch.setattr(efficientnet, "EPS", 1e-5)
    else:
        x = x * 1.2
    other = efficientnet.pretrained(published.tensors)
    with gg.no_grad():
        assert abs(other(gg.tensor(x)).numpy() - published.check["logits"][2:3]).max() > 0.1


@needs_weights
@pytest.mark.slow
def test_one_picture_takes_at_most_half_a_second(net, published):
    x = gg.tensor(images(published)[:1])
    with gg.no_grad():
        net(x)
        started = time.process_time()
        net(x)
    assert time.process_time() - started < 0.5


@needs_weights
def test_other_weights_are_refused_by_name(published):
    for name, value in (
        ("_fc.bias", None),
        ("_bn0.bias", np.zeros(3, "f")),
        ("spare", np.zeros(1)),
    ):
        wrong = dict(published.tensors)
        wrong.pop(name, None)
        if value is not None:
            wrong[name] = value
        with pytest.raises(DataError, match=name):
            efficientnet.pretrained(wrong)
