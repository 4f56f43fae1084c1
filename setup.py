"""Packaging: the folder X/ of this repository is the package ``glassgrad.X``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
ROOMS = ("core", "kernels", "models", "bench")
# of bench/ only what `glassgrad bench` and `make gpu` run: these two write a checkout's notes
CHECKOUT = ["bench.emulator", "bench.predictions"]

packages, package_dir = [], {}
for room in ("glassgrad", *ROOMS):
    inside = (f"{room}.{sub}" for sub in find_packages(str(HERE / room)))
    for folder in [room, *(name for name in inside if name not in CHECKOUT)]:
        name = folder if room == "glassgrad" else f"glassgrad.{folder}"
        packages.append(name)
        package_dir[name] = folder.replace(".", "/")

setup(
    name="glassgrad",
    version="0.1.0",
    description="A glass-box deep-learning laboratory: autodiff, kernels and models, all in sight",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=packages,
    package_dir=package_dir,
    package_data={
        "": ["*.cu", "*.cuh", "*.h", "*.cpp", "*.json", "*.html", "*.css", "*.js", "py.typed"],
        "glassgrad.core.data": ["shipped/*", "shipped/*/*"],
    },
    install_requires=[
        "numpy>=2.0",
        "numba>=0.62",  # the first whose LLVM has pointers without a type only (kernels/llvm.py)
        "scipy>=1.11",
        "scikit-learn>=1.4",
        "threadpoolctl>=3",
        "matplotlib>=3.8",
        "rich>=13",
        "safetensors>=0.4.3",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x>=13"],
        "cuda13": ["cupy-cuda13x>=13"],
        "mpi": ["mpi4py>=4.1", "mpich"],  # several processes or machines; any MPI library will do
        "nvrtc": ["nvidia-cuda-nvrtc"],  # what NVIDIA's compiler says, without a GPU
        "test": [
            "mypy==2.4.*",  # what it says of the annotations changes from version to version
            "mpi4py>=4.1",
            "mpich",
            "nvidia-cuda-nvrtc",
            "pytest>=8",
            "pytest-xdist>=3.5",
            "ruff==0.17.*",  # a newer one formats otherwise
            "setuptools>=70.1",  # the first that builds a wheel by itself, without the network
        ],
        # the one PyTorch that the stored comparisons were made with; never needed to run anything
        "peers": ["torch==2.13.0", "jax>=0.4.30", "minisom>=2.3", "gensim>=4.3"],
    },
    entry_points={"console_scripts": ["glassgrad = glassgrad.cli:main"]},
)
