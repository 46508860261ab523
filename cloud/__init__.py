"""The central service: gathers what the hubs send, and lets head office read and command them."""
