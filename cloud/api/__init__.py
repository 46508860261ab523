"""The aiohttp application of the centre: live feeds, status, metrics."""
