"""The paths of devices with our firmware on the network: signed requests, a long-poll, readings, pairing."""
