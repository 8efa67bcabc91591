"""The CUDA searcher with its kernels run on the host, and arrays that claim to be on a device but lie on the host."""

import ctypes

import numpy as np

from twotower import _core
from twotower.index.cuda_flat import CudaFlatIndex


def searcher(index, **how):
    """The kernels over the rows of a FlatIndex; `how`: capacity, window_docs, groups, backward."""
    stored = index._stored
    return _core.CudaSearcher.emulated(stored.rows, stored.scales, index.storage, index.metric, **how)


def cuda_index(index, **how):
    what = (len(index), index.dim, index.storage, index.metric)
    return CudaFlatIndex(searcher(index, **how), what, 0, index.doc_ids)


class OnDevice:
    """A NumPy array behind ``__cuda_array_interface__``."""

    def __init__(self, array, **changed):
        self.array = array
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, True),
            "strides": None if array.flags.c_contiguous else array.strides,
            "version": 3,
            **changed,
        }


def to_numpy(array):
    """Read a DeviceArray whose memory is the host's."""
    interface = array.__cuda_array_interface__
    dtype = np.dtype(interface["typestr"])
    n = int(np.prod(interface["shape"])) * dtype.itemsize
    return np.frombuffer(ctypes.string_at(interface["data"][0], n), dtype).reshape(interface["shape"])
