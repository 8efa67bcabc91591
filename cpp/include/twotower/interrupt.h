// How a long call of the core learns that its caller wants to stop.
//
// The core knows no Python: a host installs one poll function, and long loops call check_interrupt() between blocks of
// work. The poll runs at most every 50 ms per thread.
#pragma once

namespace twotower {

/// Returns true when the caller wants to stop. Called without any lock held; must be safe on every thread.
using InterruptPoll = bool (*)();

/// Installs the poll function (nullptr: never interrupted). Not thread-safe: call once, at start-up.
void set_interrupt_poll(InterruptPoll poll) noexcept;

/// Polls if 50 ms have passed since this thread's last poll. THROWS Interrupted.
void check_interrupt();

}  // namespace twotower
