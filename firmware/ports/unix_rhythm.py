"""Machines that run and stop by themselves, for a logger without a board: the same at the same time of day."""

CYCLE_S = 97  # of the first machine; each further one takes longer
LONGER_S = 41
RUNS_PERCENT = (62, 95, 88, 71, 97, 90, 35, 99)  # of its cycles, in turn, so that no two in a row are alike


def runs(number: int, at_s: int) -> bool:
    """Whether machine `number` (1, 2 ...) runs at that time, in seconds."""
    cycle_s = CYCLE_S + LONGER_S * number
    cycle, within_s = divmod(at_s, cycle_s)
    return within_s * 100 < cycle_s * RUNS_PERCENT[(cycle + 3 * number) % len(RUNS_PERCENT)]
