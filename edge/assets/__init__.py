"""Run and stop of machines: what loggers saw, what follows from it, and what people say of it."""
