"""``python -m tests.ha_checks.planted``: run every check over every mistake and write ``docs/mistakes.md``."""

import tempfile
from pathlib import Path

from tests.ha_checks.planted.checks import run_checks
from tests.ha_checks.planted.mistakes import MISTAKES
from tests.ha_checks.planted.page import PAGE, mistakes_page

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(mistakes_page(MISTAKES, run_checks(MISTAKES, Path(folder))), encoding="utf-8")
