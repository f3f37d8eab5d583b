"""Become the broker: ask the kernel to end us with our parent, then replace ourselves by Java.

Run as a file by `python -I -S`, so it costs 15 ms and imports nothing of ours. A program of its own
rather than a preexec_fn, because code between fork and exec can deadlock where threads run.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program, *arguments = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):  # it died before the kernel knew of our wish
        sys.exit("the parent process is gone")
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
