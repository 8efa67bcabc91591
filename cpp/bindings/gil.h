// The global interpreter lock, let go of for a scope and taken again. Knows no room.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

namespace twotower::bindings {

/// Runs `take`, which takes the lock. While the interpreter shuts down, Python ends any thread that asks for the lock
/// by unwinding its stack (pthread_exit), which destructors and pybind11's own handlers would turn into an abort of the
/// process. Such a thread (a daemon thread of the user) waits here for the end of the process instead.
template <class Take>
auto take_gil(Take take) noexcept {
  try {
    return take();
  } catch (...) {  // nothing else is thrown from there; the handler must never be left
    for (;;) ::pause();
  }
}

/// Lets other Python threads run while it lives. REQUIRES the lock to be held by this thread.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() {
    take_gil([this] { PyEval_RestoreThread(state_); });
  }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

/// Holds the lock while it lives, on a thread of Python's that has let go of it.
class GilAcquire {
 public:
  GilAcquire() : state_(take_gil(PyGILState_Ensure)) {}
  ~GilAcquire() { PyGILState_Release(state_); }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;

 private:
  PyGILState_STATE state_;
};

}  // namespace twotower::bindings
