#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "admin/message.h"

namespace partywall::admin {

// The handlers of the admin port by path and method. Filled before the server starts, then only
// read. GET handlers also answer HEAD.
class Router {
 public:
  using Handler = std::function<Response(const Request&)>;

  void add(std::string method, std::string path, Handler handler);
  // 404 for an unknown path, 405 with Allow for an unknown method of a known one.
  [[nodiscard]] Response handle(const Request& request) const;

 private:
  std::map<std::string, std::map<std::string, Handler, std::less<>>, std::less<>> paths_;
};

}  // namespace partywall::admin
