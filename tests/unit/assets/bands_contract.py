"""What every place that bands are looked up in has to answer: the same as lists of them do."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from edge.assets.answers.asking import Bands, K, StopRow
from edge.assets.model import Span
from tests.tools import share
from tests.unit.assets.plant import MACHINES, NOW, T0, Plant

ALL = [asset for asset, *_ in MACHINES]
ROUNDS = share(4, 60)
PAGE = 30
LONG_US = 4 * 86_400 * 1_000_000


async def answers_alike(bands: Bands[K], plant: Plant, key_of: Callable[[str], K]) -> None:
    """Ask both the same by chance; times are often those of bands."""
    chance = random.Random(7)
    times = [band.at_us for known in plant.bands.by_asset.values() for band in known] + [T0, NOW]

    def moment() -> int:
        return chance.choice(times) + chance.choice([-1, 0, 0, 1])

    for _ in range(ROUNDS):
        some = chance.sample(ALL, chance.randint(1, len(ALL)))
        first, second = sorted((moment(), moment()))
        keys, span = [key_of(asset) for asset in some], (first, second)
        asked = sorted({moment() for _ in range(5)})
        expected = await plant.bands.edges(some, asked)
        found = await bands.edges(keys, asked)
        assert dict(found) == {(key_of(asset), at_us): band for (asset, at_us), band in expected.items()}
        cuts = sorted(moment() for _ in range(4))
        spans = [span, *itertools.pairwise(cuts), (cuts[0], cuts[-1])]
        for these in (spans, spans[:1], [(cuts[1], cuts[1] + LONG_US)]):
            ended, expected_ends = await bands.ends(keys, these), await plant.bands.ends(some, these)
            assert {(asset, each): ended.get((key_of(asset), each), (0, 0)) for asset, each in expected_ends} == (
                expected_ends
            )
        limit = chance.choice([1, 3, 1000])
        between = await plant.bands.between(some[0], span, limit)
        assert await bands.between(keys[0], span, limit) == between
        await _stops_alike(bands, plant, key_of, some, span)


async def _stops_alike(
    bands: Bands[K], plant: Plant, key_of: Callable[[str], K], some: list[str], span: Span
) -> None:
    """All pages of stops; of one that goes on only that it does, for how long is asked of its last band."""
    expected = await plant.bands.stops(some, span, None, 10_000)
    found: list[StopRow[K]] = []
    while True:
        before = (found[-1].began_us, found[-1].key) if found else None
        page = await bands.stops([key_of(asset) for asset in some], span, before, PAGE)
        found += page
        if len(page) < PAGE:
            break
    assert [(row.key, row.began_us, row.ended_us, row.seen) for row in found] == [
        (key_of(row.key), row.began_us, row.ended_us, row.seen) for row in expected
    ]
    over = [(row.began_us, row.stopped_us) for row in found if row.ended_us is not None]
    assert over == [(row.began_us, row.stopped_us) for row in expected if row.ended_us is not None]
