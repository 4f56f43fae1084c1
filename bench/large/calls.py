"""Every pass as a large call."""

from . import images, maps, recurrent, rows, streams, words

CALLS = [*streams.CALLS, *images.CALLS, *rows.CALLS, *recurrent.CALLS, *maps.CALLS, *words.CALLS]
