"""What word vectors are to reach on enwiki_a: the figures of gensim there."""

from ...core.training.recipe import Target


def next_to_gensim(
    protocol: str,
    seeds: int,
    whose: str = "gensim",
    source: str = "gensim 4.4 on the same file",
    note: str = "measured by us; over 3 seeds, one worker: .650 ± .013 and 36.1 ± .9 %",
) -> tuple[Target, ...]:
    """ρ and analogies on enwiki_a, next to the figures of gensim's one training there."""
    return tuple(
        Target(
            f"enwiki_a, {metric}",
            "enwiki_a",
            metric,
            published,
            bound,
            better="higher",
            source=source,
            note=note,
            protocol=protocol,
            seeds=seeds,
            own=True,
        )
        for metric, published, bound in (
            ("rho", f"0.659 ({whose})", 0.659),
            ("analogies", f"35.5 % ({whose})", 35.5),
        )
    )
