"""Becomes the program on its command line, tied to its parent's life. Run by path, with no other import.

`python -IS tied.py PARENT_PID PROGRAM ARGUMENT…`. On Linux the kernel sends SIGTERM to the program once the
thread that started it is gone, also after kill -9 (prctl(2), PR_SET_PDEATHSIG; kept across execve). Other
systems have no such promise: there a program that outlived its parent still holds the lock of its data
folder, and the next start says so.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the promise was made
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
