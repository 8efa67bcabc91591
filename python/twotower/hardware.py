"""What this machine and this build offer: instruction sets, CUDA devices, threads."""

from dataclasses import dataclass

from twotower import _core


@dataclass(frozen=True)
class Backend:
    """What the C++ core runs on.

    Attributes
    ----------
    isa : str
        Instruction set in use: "scalar", "avx2" or "avx512". The environment variable ``TWOTOWER_ISA`` forces one.
    isas : tuple of str
        All that this machine can run.
    threads : int
        Hardware threads; what ``threads=0`` means.
    cuda_compiled : bool
        Whether this build contains CUDA code.
    cuda_devices : tuple of str
        Names of the CUDA devices found; empty without a driver or a device.
    """

    isa: str
    isas: tuple[str, ...]
    threads: int
    cuda_compiled: bool
    cuda_devices: tuple[str, ...]


def backend() -> Backend:
    """Tell which instruction set, threads and devices the core uses.

    Raises
    ------
    BackendError
        If ``TWOTOWER_ISA`` names an instruction set that is unknown or not runnable here.

    Examples
    --------
    >>> import twotower as tt
    >>> tt.backend().isa in tt.backend().isas
    True
    """
    return Backend(
        isa=_core.isa_name(),
        isas=tuple(_core.isa_names()),
        threads=max(1, _core.hardware_threads()),
        cuda_compiled=_core.cuda_compiled(),
        cuda_devices=tuple(_core.cuda_device_names()),
    )
