// Maps the errors of the core onto python/twotower/errors.py, and Ctrl-C onto the core's interrupt poll.
#include <pybind11/pybind11.h>

#include <string_view>

#include "bindings.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower::bindings {
namespace {

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("twotower.errors").attr(name);
  // A message may quote a path or a damaged file, and those may hold any bytes.
  const std::string_view text = error.what();
  const auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "backslashreplace"));
  py::set_error(type, message);
}

// Python runs signal handlers on its main thread only; on any other thread PyErr_CheckSignals returns 0 at once.
bool poll_python_signals() {
  const GilAcquire gil;
  return PyErr_CheckSignals() != 0;
}

}  // namespace

void bind_errors(py::module_&) {
  set_interrupt_poll(&poll_python_signals);
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Interrupted&) {
      // The signal handler has already set the pending exception (KeyboardInterrupt).
      if (PyErr_Occurred() == nullptr) PyErr_SetNone(PyExc_KeyboardInterrupt);
    } catch (const InvalidInput& error) {
      raise("InvalidInputError", error);
    } catch (const FileFailure& error) {
      raise("FileError", error);
    } catch (const CorruptFile& error) {
      raise("CorruptFileError", error);
    } catch (const BackendUnavailable& error) {
      raise("BackendError", error);
    } catch (const Error& error) {
      raise("TwoTowerError", error);
    }
  });
}

}  // namespace twotower::bindings
