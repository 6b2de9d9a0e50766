"""`python -m open_monitor`."""

import sys

from .job import main

sys.exit(main())
