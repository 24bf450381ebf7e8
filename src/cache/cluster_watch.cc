#include "cache/cluster_watch.h"

#include <algorithm>

#include "base/log.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {

std::string ClusterWatch::opening() const {
  const CacheBackend& backend = route().backend();
  return make_request({"AUTH", backend.door_user, backend.door_password.reveal()});
}

std::string ClusterWatch::question() const { return make_request({"CLUSTER", "NODES"}); }

// Those of the configuration, and those that they have named.
std::vector<Endpoint> ClusterWatch::servers() const {
  std::vector<Endpoint> all = route().instance().endpoints;
  for (const Endpoint& node : route().slots().nodes()) {
    if (std::ranges::find(all, node) == all.end()) all.push_back(node);
  }
  return all;
}

ClusterWatch::Taken ClusterWatch::take(const ReplyTree& reply) {
  if (reply.type == '+') return Taken::kOther;  // AUTH
  auto slots = reply.type == '$' ? SlotMap::parse(reply.text, server()) : std::nullopt;
  if (!slots || slots->nodes().empty()) {
    log_warning("a node of a Redis Cluster does not tell the cache door where the slots are",
                {{"route", route().name()},
                 {"node", server().to_string()},
                 {"reason", reply.is_error() ? reply.text : "it is not in a cluster"}});
    return Taken::kUnusable;
  }
  route().set_slots(*std::move(slots));
  return Taken::kAnswer;
}

}  // namespace partywall::cache
