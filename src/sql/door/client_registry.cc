#include "sql/door/client_registry.h"

namespace partywall::sql {

CancelRequest ClientRegistry::add(ConnectedClient& client) {
  uint32_t id = 0;
  do {
    last_ = (last_ + 1) & ((1U << kClientBits) - 1);
    id = (worker_index_ << kClientBits) | last_;
  } while (id == 0 || entries_.contains(id));
  const auto secret = static_cast<uint32_t>(random_.next_u64());
  entries_[id] = {secret, &client};
  return {id, secret};
}

void ClientRegistry::remove(const CancelRequest& key) { entries_.erase(key.pid); }

void ClientRegistry::cancel(const CancelRequest& key) {
  const auto found = entries_.find(key.pid);
  if (found != entries_.end() && found->second.secret == key.secret)
    found->second.client->cancel_statement();
}

ConnectedClient* ClientRegistry::find(uint32_t id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.client;
}

void ClientRegistry::for_each(
    const std::function<void(uint32_t id, ConnectedClient&)>& visit) const {
  for (const auto& [id, entry] : entries_) visit(id, *entry.client);
}

}  // namespace partywall::sql
