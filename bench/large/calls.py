"""Every pass as a large call."""

from . import images, maps, recurrent, rows, sparse, streams, words

CALLS = [
    *(
        call
        for kind in (streams, images, rows, recurrent, maps, words, sparse)
        for call in kind.CALLS
    )
]
