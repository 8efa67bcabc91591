"""Errors that twotower raises.

Every class is both a `TwoTowerError` and the built-in class that a caller would expect. A message says what was wrong, what
came, what is allowed, and what to do next. `twotower::Error` of the C++ core maps onto these classes one to one.
"""


class TwoTowerError(Exception):
    """Root of all errors of the package."""


class InvalidInputError(TwoTowerError, ValueError):
    """A value is outside what the function allows."""


class InputTypeError(TwoTowerError, TypeError):
    """A value has a type or dtype that the function does not take."""


class DataFormatError(InvalidInputError):
    """A row of a data file is malformed. The message names file, line and field."""


class FileError(TwoTowerError, OSError):
    """A file could not be opened, read or written."""


class CorruptFileError(TwoTowerError, OSError):
    """A file was read but is damaged, foreign or of an unknown version."""


class HubUnavailableError(TwoTowerError, OSError):
    """A data set or model hub was asked for by id and cannot be reached."""


class BackendError(TwoTowerError, RuntimeError):
    """The asked instruction set or device is not there."""


class MissingExtraError(TwoTowerError, ImportError):
    """Libraries of an extra of this package are not installed. The message names the extra."""


class TrainingError(TwoTowerError, RuntimeError):
    """Training cannot go on (a loss or gradient that is not finite)."""


class VersionWarning(UserWarning):
    """Something saved was made with another version of a part on which its results depend."""


class TunedSplitWarning(UserWarning):
    """Something is about to be reported on the judgements on which it was tuned."""
