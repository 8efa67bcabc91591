"""Templates: one vector in so many bytes, so that a subject fits on a card.

D dimensions. A template knows its direction and length, not whose it is.
"""

import struct

import numpy as np
import numpy.typing as npt

from twotower.errors import CorruptFileError, InputTypeError, InvalidInputError
from twotower.verification.enrolment import check_vectors
from twotower.verification.numbers import as_number, as_numbers

N_BYTES = 80
_HEAD = struct.Struct("<HBf")  # dimensions, bits of each, the largest magnitude
_BITS = range(1, 9)


def pack_template(vector: npt.ArrayLike, n_bytes: int = N_BYTES) -> bytes:
    """Return `vector` in at most `n_bytes` bytes.

    Parameters
    ----------
    vector : array_like of float, shape [D]
    n_bytes : int
        The default is what the signature verifier of Bromley et al. 1993 had.

    Raises
    ------
    InputTypeError
        If something is no number.
    InvalidInputError
        If the vector is empty, not finite or beyond float32, or one bit a component would need more bytes.

    Notes
    -----
    Seven bytes of header, then b bits a component, the most that fit, up to 8: whole number c stands for
    m (2 c / (2^b - 1) - 1), with m the largest magnitude. The error of a component is at most m / (2^b - 1).

    Examples
    --------
    >>> len(pack_template(np.linspace(-1, 1, 64)))
    71
    """
    values = check_vectors(as_numbers("vector", vector)[None])[0]
    as_number("n_bytes", n_bytes)
    bits = next((b for b in reversed(_BITS) if _HEAD.size + -(-len(values) * b // 8) <= n_bytes), None)
    if bits is None or len(values) > 0xFFFF:
        raise InvalidInputError(
            f"{len(values)} dimensions do not fit into {n_bytes} bytes: give vectors of up to {8 * (n_bytes - _HEAD.size)}, "
            "or more bytes"
        )
    magnitude = float(np.abs(values).max())
    if magnitude > float(np.finfo(np.float32).max):
        raise InvalidInputError(
            f"vector has a component of magnitude {magnitude:g}: a template holds float32, divide it"
        )
    largest = float(np.float32(magnitude))
    levels = 2**bits - 1
    codes = np.rint((values / (largest or 1.0) + 1) / 2 * levels).clip(0, levels).astype(np.uint8)
    planes = np.unpackbits(codes[:, None], axis=1)[:, 8 - bits :]
    return _HEAD.pack(len(values), bits, largest) + np.packbits(planes).tobytes()


def unpack_template(template: bytes) -> npt.NDArray[np.float64]:
    """Return the vector of a template, float64 [D].

    Raises
    ------
    InputTypeError
        If `template` is not bytes.
    CorruptFileError
        If the bytes are no template.
    """
    if not isinstance(template, bytes | bytearray | memoryview):
        raise InputTypeError(f"template is of type {type(template).__name__}: give the bytes of pack_template")
    if len(template) < _HEAD.size:
        raise CorruptFileError(f"a template of {len(template)} bytes: it has {_HEAD.size} or more")
    dims, bits, largest = _HEAD.unpack_from(template)
    if (
        bits not in _BITS
        or dims == 0
        or len(template) != _HEAD.size + -(-dims * bits // 8)
        or not 0 <= largest < np.inf
    ):
        raise CorruptFileError(f"{len(template)} bytes that say {dims} dimensions of {bits} bits are no template")
    planes = np.unpackbits(np.frombuffer(template, np.uint8, offset=_HEAD.size), count=dims * bits).reshape(dims, bits)
    codes = planes @ (1 << np.arange(bits - 1, -1, -1))
    vector: npt.NDArray[np.float64] = largest * (2 * codes / (2**bits - 1) - 1)
    return vector
