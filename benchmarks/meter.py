"""Runs one command and says what it cost: `python -I -S meter.py STDIN STDOUT COMMAND...`.

It prints the exit status, the CPU time of the command and of all that it waited for (microseconds), the wall time
(microseconds) and the peak memory of the largest of these processes (KB). A process of its own does this, since Linux
counts the memory of whoever started a command as the command's: this interpreter is smaller than anything measured.
"""

import os
import sys
import time


def main() -> None:
    """Run the command, its stderr included in what the caller sees."""
    stdin, stdout, *command = sys.argv[1:]
    redirections = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
    ]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=redirections)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    # macOS counts bytes.
    peak = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    print(os.waitstatus_to_exitcode(status), round(cpu * 1e6), round(wall * 1e6), peak)


main()
