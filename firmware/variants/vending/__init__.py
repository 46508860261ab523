"""A vending machine: a motor for each slot, and perhaps a sensor that sees an item fall."""
