"""Runs one program and ends it with whoever started it: ``python guard.py PROGRAM ARGUMENT...``.

The starter holds the other end of standard input. When that closes, because the starter closed it or died in whatever
way, the program is killed. Killed and not asked to end: what it holds is thrown away with it, and a polite end of an
API server takes up to a minute.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the program to its end, or to the starter's."""
    # An interrupt from the terminal is the starter's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def end_with_starter() -> None:
        while os.read(0, 4096):
            pass
        program.kill()

    threading.Thread(target=end_with_starter, daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main())
