"""Files of CUDA C as people have them, not written for this package."""

import numpy as np
import pytest

from glassgrad.kernels import KernelError, Source
from glassgrad.kernels.source import Text
from tests.kernels.emulating import needs_compiler

BODY = "{\n  if (threadIdx.x < n) y[n - 1] = 2;\n}"
WITHOUT_LINKAGE = {
    "as nvcc takes it": "#include <cuda_runtime.h>\n__global__ void k(float* y, size_t n) BODY",
    "with bounds": "__global__ void __launch_bounds__(64)\nk(float* y, uint64_t n) BODY",
    "in a block": 'extern "C" {\n  __global__ void k(float* y, unsigned long long n) BODY\n}',
    "after a list": "#include <cstdint>\n  __global__ void k(float* y, size_t n) BODY",
    "on two lines": 'extern "C"\n__global__ void k(float* y, size_t n) BODY',
}


@needs_compiler
@pytest.mark.parametrize("name", WITHOUT_LINKAGE)
def test_a_kernel_may_be_written_without_its_linkage(tmp_path, name):
    """The line of a finding stays that of the file."""
    path = tmp_path / "plain.cu"
    path.write_text(WITHOUT_LINKAGE[name].replace("BODY", BODY))
    y = np.zeros(4, "float32")
    source = Source(path)
    source.launch("k", 1, 4, y, 4)
    assert y.tolist() == [0, 0, 0, 2]
    number = path.read_text().splitlines().index("  if (threadIdx.x < n) y[n - 1] = 2;") + 1
    with pytest.raises(KernelError, match=f"plain.cu:{number}: out of bounds"):
        source.launch("k", 1, 4, y, 5)


def test_a_file_that_has_the_linkage_is_left_as_it_is(tmp_path):
    path = tmp_path / "ours.cu"
    path.write_text('// __global__\nextern "C" __global__ void k(float* y) {}\n')
    assert Text(path).flat == f'#line 1 "{path}"\n{path.read_text()}'


def test_every_name_of_an_integer_has_its_type(tmp_path):
    path = tmp_path / "types.cu"
    path.write_text(
        "__global__ void k(const int32_t* a, uint32_t* b, int64_t* c, uint64_t* d, size_t n) {}"
    )
    found = [p.type for p in Text(path).signature("k").parameters]
    assert found == ["int", "unsigned", "long long", "unsigned long long", "unsigned long long"]
