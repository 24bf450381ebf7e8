#include "cache/clients/client_register.h"

#include <algorithm>
#include <utility>

namespace partywall::cache {

ClientRegister::ClientRegister(unsigned workers) {
  for (unsigned i = 0; i < workers; ++i) parts_.push_back(std::make_unique<Part>());
}

void ClientRegister::set_deliver(unsigned worker, Deliver deliver) {
  const std::lock_guard lock(parts_[worker]->mutex);
  parts_[worker]->deliver = std::move(deliver);
}

void ClientRegister::enter(const ClientRecord& record) {
  Part& part = part_of(record.id);
  const std::lock_guard lock(part.mutex);
  part.clients[record.id] = record;
}

void ClientRegister::leave(uint64_t id) {
  Part& part = part_of(id);
  const std::lock_guard lock(part.mutex);
  part.clients.erase(id);
}

void ClientRegister::set_blocked(uint64_t id, bool blocked) {
  Part& part = part_of(id);
  const std::lock_guard lock(part.mutex);
  const auto found = part.clients.find(id);
  if (found != part.clients.end()) found->second.blocked = blocked;
}

std::vector<ClientRecord> ClientRegister::of(TenantId tenant) const {
  std::vector<ClientRecord> found;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    for (const auto& [id, record] : part->clients) {
      if (record.tenant == tenant) found.push_back(record);
    }
  }
  std::ranges::sort(found, {}, &ClientRecord::id);
  return found;
}

std::optional<ClientRecord> ClientRegister::find(TenantId tenant, uint64_t id) const {
  const Part& part = part_of(id);
  const std::lock_guard lock(part.mutex);
  const auto found = part.clients.find(id);
  if (found == part.clients.end() || found->second.tenant != tenant) return std::nullopt;
  return found->second;
}

void ClientRegister::order(uint64_t id, ClientOrder order, std::string key) const {
  Deliver deliver;
  {
    const Part& part = part_of(id);
    const std::lock_guard lock(part.mutex);
    deliver = part.deliver;
  }
  if (deliver) deliver(id, order, std::move(key));
}

}  // namespace partywall::cache
