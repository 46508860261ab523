"""Putting MicroPython and an app on a board over USB: esptool and mpremote as programs of their own."""
