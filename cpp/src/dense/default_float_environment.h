// Arithmetic as IEEE 754 defines it, for as long as this object lives.
#pragma once

#include <cfenv>

namespace twotower {

/// Sets this thread to round to nearest and to keep denormals, and restores what it was. A host may have set "flush
/// denormals to zero" (PyTorch offers it), under which the scores of tiny vectors would differ.
class DefaultFloatEnvironment {
 public:
  DefaultFloatEnvironment() noexcept {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultFloatEnvironment() { std::fesetenv(&before_); }
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
  std::fenv_t before_;
};

}  // namespace twotower
