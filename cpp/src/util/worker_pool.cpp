#include "util/worker_pool.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace twotower {
namespace {

// What one caller asked for. Lives on the caller's stack: the caller leaves only when nothing refers to it.
struct Job {
  const std::function<void(unsigned)>* body;
  unsigned running = 0;
  std::exception_ptr failure{};
};

struct Ticket {
  Job* job;
  unsigned worker;
};

class Pool {
 public:
  void run(unsigned n, const std::function<void(unsigned)>& body) {
    Job job{&body};
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (unsigned w = 1; w < n; ++w) tickets_.push_back({&job, w});
      grow(n - 1);
    }
    available_.notify_all();
    std::exception_ptr failure;
    try {
      body(0);
    } catch (...) {
      failure = std::current_exception();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    std::erase_if(tickets_, [&](const Ticket& ticket) { return ticket.job == &job; });
    finished_.wait(lock, [&] { return job.running == 0; });
    if (!failure) failure = job.failure;
    if (failure) std::rethrow_exception(failure);
  }

 private:
  // Threads wait for ever, and end with the process. REQUIRES the lock.
  void grow(unsigned wanted) {
    try {
      for (; n_threads_ < wanted; ++n_threads_) std::thread([this] { serve(); }).detach();
    } catch (...) {
      // The system gave fewer than asked: those that run do all the work.
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      available_.wait(lock, [&] { return !tickets_.empty(); });
      const Ticket ticket = tickets_.front();
      tickets_.pop_front();
      ++ticket.job->running;
      lock.unlock();
      std::exception_ptr failure;
      try {
        (*ticket.job->body)(ticket.worker);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      if (failure && !ticket.job->failure) ticket.job->failure = failure;
      if (--ticket.job->running == 0) finished_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable available_;
  std::condition_variable finished_;
  std::deque<Ticket> tickets_;
  unsigned n_threads_ = 0;
};

// Never destroyed: its threads may wait in it until the process ends. A child after fork() has none of them, so it gets
// a pool of its own.
Pool& pool_of_this_process() {
  static std::mutex mutex;
  static Pool* pool = nullptr;
  static pid_t owner = 0;
  const std::lock_guard<std::mutex> lock(mutex);
  if (pool == nullptr || owner != getpid()) {
    pool = new Pool;
    owner = getpid();
  }
  return *pool;
}

}  // namespace

void run_workers(unsigned n, const std::function<void(unsigned)>& body) {
  if (n <= 1) {
    body(0);
  } else {
    pool_of_this_process().run(n, body);
  }
}

}  // namespace twotower
