"""Tests, which mirror the package, and what they run on."""

import sys
from pathlib import Path

# What the tests are and what gets their parts share tools/versions.py, also where pytest isn't what runs them.
sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
