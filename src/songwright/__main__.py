"""`python -m songwright` is the same program."""

import sys

from songwright.cli.main import main

sys.exit(main())
