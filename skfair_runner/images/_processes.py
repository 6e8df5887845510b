"""Processes that decode images, for as long as a training needs them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_reader: Any = None


def _begin(reader) -> None:
    """What each process starts with: readers of its own, and deaf to Ctrl-C."""
    global _reader
    # The interrupt reaches the process that trains, which then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reader = reader
    reader.prepare()


def _decode(rows: np.ndarray) -> np.ndarray:
    return np.stack([_reader.read(int(row)) for row in rows])


class DecodingProcesses:
    """Processes that live while somebody holds them open.

    They are started afresh instead of being forked, so that they share no open file
    with the process that trains, and may be used beside threads and CUDA.

    Parameters
    ----------
    reader : object
        ``read(row)`` gives the pixels of one image; ``prepare()`` comes before.

    n_workers : int
        Number of processes.
    """

    def __init__(self, reader, n_workers: int):
        self.reader, self.n_workers = reader, n_workers
        self._forget()

    def _forget(self) -> None:
        self._lock, self._users = threading.Lock(), 0
        self._executor: Any = None

    def __getstate__(self):
        # Another process starts its own.
        return {"reader": self.reader, "n_workers": self.n_workers}

    def __setstate__(self, state):
        vars(self).update(state)
        self._forget()

    @property
    def running(self) -> bool:
        """Whether there are processes now."""
        return self._executor is not None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep the processes while the block runs; the last one out ends them."""
        from joblib.externals.loky import ProcessPoolExecutor

        with self._lock:
            self._users += 1
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    self.n_workers, initializer=_begin, initargs=(self.reader,)
                )
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                executor = self._executor
                if not self._users:
                    self._executor = None
            if not self._users:
                executor.shutdown(wait=True, kill_workers=True)

    def fill(self, pixels: np.ndarray, rows: np.ndarray) -> None:
        """Decode some images.

        Parameters
        ----------
        pixels : ndarray of shape (n_rows, ...)
            Receives them.

        rows : ndarray of int
            Which.
        """
        parts = [
            rows[k :: self.n_workers] for k in range(min(self.n_workers, len(rows)))
        ]
        for k, part in enumerate(self._executor.map(_decode, parts)):
            pixels[k :: self.n_workers] = part
