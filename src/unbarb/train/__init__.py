"""Training: recipes, plans, and one file per objective."""

import logging

# On every import bitsandbytes asks for a package that nothing here needs.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
