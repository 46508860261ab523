"""What the board runs after boot.py."""

from ports.esp32 import main

main()
