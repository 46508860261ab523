"""Sensors, digital inputs and switches."""
