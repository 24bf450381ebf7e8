#include "admin/router.h"

#include <utility>

#include <fmt/format.h>

namespace partywall::admin {

void Router::add(std::string method, std::string path, Handler handler) {
  paths_[std::move(path)][std::move(method)] = std::move(handler);
}

Response Router::handle(const Request& request) const {
  const auto path = paths_.find(request.path);
  if (path == paths_.end()) {
    return problem(404, "Not Found",
                   fmt::format("The admin port has nothing at {}.", request.path));
  }
  const auto& methods = path->second;
  const auto method =
      methods.find(request.method == "HEAD" ? std::string_view("GET") : request.method);
  if (method != methods.end()) return method->second(request);

  std::string allow;
  for (const auto& [name, handler] : methods) allow += (allow.empty() ? "" : ", ") + name;
  Response response =
      problem(405, "Method Not Allowed", fmt::format("Use {} on {}.", allow, request.path));
  response.allow = std::move(allow);
  return response;
}

}  // namespace partywall::admin
