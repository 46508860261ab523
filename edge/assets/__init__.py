"""Run and stop of machines: what loggers saw, what follows from it, and what people say of it.

Here is what the rooms share: values, and the rules by which statements become bands. `answers` is pure and asked at
hub and centre alike; `following` makes and keeps a hub's bands; `defined` is what people say; `history` is what an
older logger wrote down; `routes` their /v1.
"""
