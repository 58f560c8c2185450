# SPDX-License-Identifier: Apache-2.0
"""What a shim costs: time of the processor, memory, and reads of Ironic."""

import re
import time
from pathlib import Path

import psutil
from functional.support import LogTail

from bm_shim.sandbox import Shim

#: The first page of a list of nodes; neither the next ones nor the question about rights.
_LIST_OF_NODES = re.compile(r"GET /v1/nodes\?(?!\S*(?:marker|project)=)")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Workers:
    """The worker processes of a shim."""

    def __init__(self, shim: Shim) -> None:
        self._processes = psutil.Process(shim.pid).children()

    def cpu_seconds(self) -> float:
        """Return what they have used so far, together."""
        return sum(_cpu_seconds(process.pid) for process in self._processes)

    def forget_peak(self) -> None:
        """Begin to look for the peak of their memory anew."""
        for process in self._processes:
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    def peak_mib(self) -> float:
        """Return the most that one of them has held in memory since then."""
        return max(_peak_kib(process.pid) for process in self._processes) / 1024


def _cpu_seconds(pid: int) -> float:
    # The clock of a process as clock_getcpuclockid(3) has it; others count in hundredths.
    return time.clock_gettime(~pid << 3 | 2)


def _peak_kib(pid: int) -> int:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def list_reads(log: LogTail) -> int:
    """Return how many lists of nodes Ironic was asked for, as its log has it."""
    return len(_LIST_OF_NODES.findall(log.text()))
