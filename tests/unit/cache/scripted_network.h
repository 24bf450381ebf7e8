#pragma once

#include <deque>
#include <memory>
#include <string>

#include "cache/upstream_network.h"

namespace partywall::cache {

// Connections whose other end the test plays by hand.
class ScriptedNetwork final : public UpstreamNetwork {
 public:
  struct Connection {
    std::shared_ptr<UpstreamIo> upstream;
    Endpoint endpoint;

    // What has been written since the last time.
    std::string take() {
      std::string out(upstream->output());
      upstream->sent(out.size());
      return out;
    }
    void say(std::string_view bytes) {
      upstream->receive(bytes);
      upstream->turn();
    }
    // As if it came byte by byte.
    void say_slowly(std::string_view bytes) {
      for (const char byte : bytes) say({&byte, 1});
    }
  };

  void open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint,
            const std::optional<TlsClientSettings>&) override {
    opened.push_back({std::move(upstream), endpoint});
    if (refuse) opened.back().upstream->lost();
  }

  std::deque<Connection> opened;  // references to the elements stay
  bool refuse = false;
};

}  // namespace partywall::cache
