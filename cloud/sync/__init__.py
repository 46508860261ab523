"""What hubs and the centre say to each other: sessions, ledgers, readings, states, and the inbox."""
