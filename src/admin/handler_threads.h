#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace partywall::admin {

// Where handlers run that wait for something else: never on the thread of the sessions.
class Executor {
 public:
  virtual ~Executor() = default;
  // False: too many wait already, nothing will be done.
  virtual bool submit(std::move_only_function<void()> work) = 0;
};

// A few threads with one bounded queue. What was accepted is done before the destructor returns.
class HandlerThreads final : public Executor {
 public:
  HandlerThreads(unsigned threads, size_t max_waiting);
  ~HandlerThreads() override;
  HandlerThreads(const HandlerThreads&) = delete;
  HandlerThreads& operator=(const HandlerThreads&) = delete;

  bool submit(std::move_only_function<void()> work) override;

 private:
  void run();

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace partywall::admin
