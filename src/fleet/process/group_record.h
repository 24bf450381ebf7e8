#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fleet/process/process_identity.h"
#include "fleet/provider.h"

// What the process provider writes down about a group, so that it finds its instances again after
// it was restarted. One line a fact, words separated by one space.
namespace partywall::fleet {

struct InstanceRecord {
  uint32_t ordinal = 0;  // of the id "<group>-<ordinal>"
  uint16_t port = 0;
  std::string spec_digest{};
  ProcessIdentity process{};

  bool operator==(const InstanceRecord&) const = default;
};

struct GroupRecord {
  GroupName group;
  FencingNumber leader;
  std::vector<InstanceRecord> instances{};

  bool operator==(const GroupRecord&) const = default;
};

[[nodiscard]] std::string write_group_record(const GroupRecord& record);
// Strict: what does not look exactly as written is refused.
Result<GroupRecord> parse_group_record(std::string_view text);

}  // namespace partywall::fleet
