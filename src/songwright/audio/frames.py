"""Short frames through a matrix: how polyphase filters run quickly in numpy.

The products are kept so small that the linear algebra library stays in the calling thread: its own threads would
fight those that make stems, and cost several times what they save.
"""

import numpy as np
from numpy.typing import NDArray

_ROWS = 32
"""Rows a product; 32 rows by 224 by 32 stay under the size at which OpenBLAS starts threads (2**18 multiplications)."""


def frame_products(channels: NDArray[np.float32], matrix: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Returns every frame of every channel times a matrix.

    Args:
        channels: (channels, samples).
        matrix: (frame, outputs).
        step: samples from frame to frame.

    Returns:
        (channels, frames, outputs), only whole frames.
    """
    view = np.lib.stride_tricks.sliding_window_view(channels, len(matrix), axis=1)[:, ::step]
    num_channels, num_frames = view.shape[:2]
    count = num_channels * num_frames
    rows = np.zeros((-(-count // _ROWS) * _ROWS, len(matrix)), np.float32)
    rows[:count].reshape(view.shape)[...] = view
    products = rows.reshape(-1, _ROWS, len(matrix)) @ matrix
    return products.reshape(-1, matrix.shape[1])[:count].reshape(num_channels, num_frames, -1)
