"""Runs a module or script and ends the process when the parent is gone; needs nothing but the standard library.

Usage: watched_child.py -m MODULE [ARGUMENT …]  or  watched_child.py SCRIPT [ARGUMENT …]
"""

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path


def end_with_the_parent(pipe: int) -> None:
    """Wait until the parent's end of the pipe closes, then ask this process to stop, and insist."""
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)


def main() -> None:
    # The program must not find the pipe as its standard input, so it is moved out of the way.
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=end_with_the_parent, args=(pipe,), daemon=True).start()
    # This file's folder must not be importable from the program.
    sys.path[0] = str(Path.cwd())
    if sys.argv[1] == "-m":
        module = sys.argv[2]
        sys.argv = [module, *sys.argv[3:]]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        script = sys.argv[1]
        sys.argv = sys.argv[1:]
        sys.path[0] = str(Path(script).resolve().parent)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
