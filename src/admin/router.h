#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/message.h"

namespace partywall::admin {

enum class RunOn {
  kAdminThread,     // what never blocks
  kHandlerThreads,  // what waits for the control store
};

inline constexpr size_t kUsualBodyBytes = 1 << 20;

// The handlers of the admin port by method and path. Filled before the server starts, then only
// read. GET handlers also answer HEAD.
class Router {
 public:
  using Handler = std::function<Response(const Request&)>;

  struct Route {
    std::string method;
    std::string pattern;  // "/v1/tenants/{tenant}/contexts": a parameter is one whole segment
    Handler handler;
    RunOn run_on = RunOn::kAdminThread;
    size_t max_body_bytes = kUsualBodyBytes;
    // Asked before a large body is read, so that not everybody can send one. A response: refused.
    std::function<std::optional<Response>(const Request&)> admit{};
  };

  void add(Route route);
  void add(std::string method, std::string pattern, Handler handler) {
    add({.method = std::move(method),
         .pattern = std::move(pattern),
         .handler = std::move(handler)});
  }

  // The route of the request, whose parameters are filled in; or why there is none: 404 for an
  // unknown path, 405 with Allow for an unknown method of a known one. Segments are compared as
  // written and decoded afterwards: "%2F" is part of a name.
  struct Match {
    const Route* route = nullptr;
    std::optional<Response> refusal{};
  };
  [[nodiscard]] Match match(Request& request) const;

  // match() and the handler in one.
  [[nodiscard]] Response handle(Request& request) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
  };
  std::vector<Entry> entries_;
};

// The segment with its %XX decoded; nullopt if they are wrong, or it holds control characters.
std::optional<std::string> decode_segment(std::string_view segment);

}  // namespace partywall::admin
