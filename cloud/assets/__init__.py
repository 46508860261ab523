"""Run and stop of machines at all sites: made here from their readings, by the same rules as at their hubs."""
