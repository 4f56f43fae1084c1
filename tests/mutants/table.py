"""Which tests have to notice a change in which file: the likely killers first.

Each entry is a list of stages; a stage is one line of arguments for pytest, whose tests are
collected together: the cheap ones run before those that are slow to collect.
"""

from .child import ROOT

CORE, KERNELS = "tests/core", "tests/kernels"
FUNCTIONS = f"{CORE}/test_functions.py"
ORDER = f"{CORE}/test_functions_order.py"
POOLING = f"{CORE}/test_functions_pooling.py"
PRODUCTS = f"{CORE}/test_functions_products.py"
LAYERS = (
    f"{CORE}/test_functions_layers.py {CORE}/test_functions_recurrent.py"
    f" {CORE}/test_functions_errors.py"
)
EDGES = f"{CORE}/test_functions_edges.py"
REST = (
    f"{CORE}/test_functions_errors.py {EDGES} {CORE}/test_tensor.py {CORE}/test_trace.py"
    f" {CORE}/test_nn_losses.py {CORE}/test_nn_cross_entropy.py"
)


def _gradients(names: str) -> str:
    """The gradient cases of some functions: values, both orders, every layout."""
    names = " or ".join(names.split())
    tests = "test_case or layout or float32"
    files = f"{CORE}/test_gradcheck.py {CORE}/test_functions_layouts.py"
    return f"{files} -k '({tests}) and ({names})'"


def _on_device(names: str) -> str:
    """The gradient cases of some functions on the stand-in for CuPy."""
    names = " or ".join(names.split())
    return f"-p tests.fake_cupy -m 'gpu and not slow' -k '{names}' tests/models/test_backends.py"


CONTRACT = "tests/mutants/contract.py"


TESTS = {
    "core/functions/activations.py": [
        FUNCTIONS, PRODUCTS, _gradients("relu elu sigmoid tanh softplus silu gelu normal_cdf"),
        REST,
    ],
    "core/functions/arithmetic.py": [
        f"{FUNCTIONS} {CORE}/test_functions_power.py",
        _gradients(
            "add sub mul div neg power exp log sqrt sin cos erf absolute maximum minimum clip where"
        ),
        REST,
        _on_device("where erf maximum power"),
    ],
    "core/functions/attention.py": [
        f"{LAYERS} {CORE}/test_functions_edges.py -k 'attention or fused'",
        _gradients("attention scaled_dot_product_attention"), REST,
    ],
    "core/functions/autoregressive.py": [f"{LAYERS} -k 'nade'", _gradients("nade"), REST],
    "core/functions/contraction.py": [PRODUCTS, _gradients("einsum")],
    "core/functions/convolution.py": [LAYERS, _gradients("conv"), REST],
    "core/functions/cumulative.py": [PRODUCTS, _gradients("prod cumsum carry"), FUNCTIONS],
    "core/functions/dropout.py": [LAYERS, _gradients("dropout noise"), REST],
    "core/functions/indexing.py": [
        FUNCTIONS, _gradients("getitem scatter embedding take_along one_hot argmax"), REST,
        _on_device("getitem scatter embedding take_along"),
    ],
    "core/functions/latent.py": [LAYERS, _gradients("reparameterise"), REST],
    "core/functions/linalg.py": [FUNCTIONS, _gradients("matmul linear"), REST],
    "core/functions/normalisation.py": [
        f"{LAYERS} {POOLING} {CORE}/test_functions_power.py", _gradients("norm"), REST,
    ],
    "core/functions/ordering.py": [ORDER, _gradients("sort topk argmin")],
    "core/functions/padding.py": [f"{CORE}/test_functions_edges.py -k 'padding'", REST],
    "core/functions/pooling.py": [
        f"{LAYERS} {POOLING}", f"{FUNCTIONS} -k 'ties or nan'", _gradients("pool"), REST,
    ],
    "core/functions/recurrent.py": [
        LAYERS, _gradients("rnn lstm gru input_product"), REST, f"{CORE}/test_nn_recurrent.py",
    ],
    "core/functions/reductions.py": [
        FUNCTIONS, _gradients("sum mean variance max min norm"), REST,
    ],
    "core/functions/repetition.py": [PRODUCTS, _gradients("tile repeat roll")],
    "core/functions/rounding.py": [ORDER, _gradients("floor ceil round sign mod")],
    "core/functions/shapes.py": [
        FUNCTIONS,
        _gradients(
            "sum_to broadcast_to reshape transpose swap_axes expand_dims squeeze flatten"
            " concatenate stack split pad flip astype"
        ),
        f"{CORE}/test_functions_power.py {REST}",
    ],
    "core/functions/softmax.py": [FUNCTIONS, _gradients("logsumexp softmax"), REST],
    "core/functions/sparse.py": [
        f"{CORE}/test_functions_sparse.py", _gradients("spmm sddmm sparse_softmax"), REST,
        _on_device("spmm sddmm sparse_softmax"),
    ],
    "core/functions/summation.py": [f"{CORE}/test_functions_power.py", FUNCTIONS],
    "core/functions/truth.py": [ORDER, _gradients("any all isnan isinf isfinite")],
}  # fmt: skip

FAMILIES = {
    "attention": f"{KERNELS}/test_attention.py",
    "batchnorm": f"{KERNELS}/test_batchnorm.py",
    "conv2d": f"{KERNELS}/test_conv2d.py",
    "cross_entropy": f"{KERNELS}/test_cross_entropy.py",
    "descent": f"{KERNELS}/test_descent.py",
    "dropout": f"{KERNELS}/test_dropout.py",
    "embedding": f"{KERNELS}/test_embedding.py",
    "gru": f"{KERNELS}/test_gru.py",
    "lrn": f"{KERNELS}/test_lrn.py",
    "lstm": f"{KERNELS}/test_lstm.py",
    "nade": f"{KERNELS}/test_nade.py",
    "philox": f"{KERNELS}/test_philox.py",
    "pool2d": f"{KERNELS}/test_pool2d.py",
    "reparam": f"{KERNELS}/test_reparam.py",
    "skip_gram": f"{KERNELS}/test_skip_gram.py",
    "som": f"{KERNELS}/test_som.py",
    "spmm": f"{KERNELS}/test_spmm.py",
}
for _family, _own in FAMILIES.items():
    TESTS[f"kernels/{_family}/reference.py"] = [f"{_own} -m 'not slow'", CONTRACT]
    TESTS[f"kernels/{_family}/cpu.py"] = [CONTRACT, f"{_own} -m 'not slow'"]
    for _rung in (ROOT / "kernels" / _family / "rungs").glob("[!_]*.py"):
        TESTS[_rung.relative_to(ROOT).as_posix()] = [CONTRACT, f"{_own} -m 'not slow'"]
TESTS["kernels/recurrent/reference.py"] = [
    f"{FAMILIES['lstm']} -m 'not slow'",
    f"{FAMILIES['gru']} -m 'not slow'",
]
