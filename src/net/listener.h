#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "net/stream.h"
#include "net/worker.h"

namespace partywall::net {

// Accepts connections on one worker. Each worker has a listener of its own on the same address
// (SO_REUSEPORT), so that the kernel spreads the connections; a unix socket is shared instead. When
// file descriptors run out it pauses for 100 ms instead of spinning.
class Listener {
 public:
  using OnAccept = std::function<void(std::unique_ptr<Stream>)>;

  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // On the worker's thread.
  void start(OnAccept on_accept);
  void close();

  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

// A listening address of all workers: bind it on the main thread (so that errors come before
// anything starts), then start one listener on each worker.
struct BoundListeners {
  Endpoint endpoint;  // with the port the kernel chose, where 0 was asked for
  std::vector<std::unique_ptr<Listener>> listeners;  // one per worker, same order
};

Result<BoundListeners> bind_listeners(WorkerGroup& workers, const Endpoint& endpoint);

}  // namespace partywall::net
