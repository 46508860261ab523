"""What the board runs after boot.py.

While modules are loaded the garbage is taken out early: what stays then lies close together, and the heap keeps
large gaps. Loaded in between garbage, the largest variants would not fit.
"""

import gc

gc.threshold(16 * 1024)

from outpost_boot import main  # noqa: E402

main()
