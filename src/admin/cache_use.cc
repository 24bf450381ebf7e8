#include "admin/cache_use.h"

#include <fmt/format.h>

namespace partywall::admin {

void add_cache_handlers(Router& router, const cache::Door& door) {
  router.add("GET", "/cache/tenants/{tenant}", [&door](const Request& request) {
    const std::string& slug = request.parameters.front();
    const auto use = door.use_of(slug);
    if (!use)
      return problem(404, "No such tenant", fmt::format("this node knows no tenant '{}'", slug));
    return Response{.body = to_json(*use) + "\n"};
  });
}

}  // namespace partywall::admin
