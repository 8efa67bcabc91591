// Errors that the core throws. Each class maps one to one onto a class of python/twotower/errors.py.
//
// A message says what was wrong, what came, what is allowed, and the next step. The core never aborts, exits or prints.
#pragma once

#include <stdexcept>
#include <string>

namespace twotower {

/// Root of all errors of the core.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An argument is outside what the function allows. Python: InvalidInputError (a ValueError).
class InvalidInput : public Error {
 public:
  using Error::Error;
};

/// A file could not be opened, read or written. Python: FileError (an OSError).
class FileFailure : public Error {
 public:
  using Error::Error;
};

/// A file was read but is damaged, foreign or of an unknown version. Python: CorruptFileError (an OSError).
class CorruptFile : public Error {
 public:
  using Error::Error;
};

/// The asked instruction set or device is not there. Python: BackendError (a RuntimeError).
class BackendUnavailable : public Error {
 public:
  using Error::Error;
};

/// The caller asked to stop (Ctrl-C). Python: the pending KeyboardInterrupt.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace twotower
