#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/control/session.h"
#include "tenancy/tenant.h"

// Work that takes more than one step: a row that says how far it is. Whoever leads goes on with it,
// step by step (operation_runner.h); each step is saved before the next begins.
namespace partywall::store {

using OperationId = StrongId<Uuid, struct OperationIdTag>;

enum class OperationStatus : uint8_t { kRunning, kDone, kFailed, kCancelled };

std::string_view to_string(OperationStatus status);
Result<OperationStatus> parse_operation_status(std::string_view text);

struct Operation {
  OperationId id;
  std::string kind;  // "tenant.provision"
  std::optional<TenantId> tenant;
  std::string subject;  // for people: the slug
  OperationStatus status = OperationStatus::kRunning;
  std::string step;               // the machine's own name of what comes next
  JsonValue state{JsonObject()};  // the machine's own; without secrets
  int64_t progress_done = 0;
  int64_t progress_total = 0;
  uint32_t attempts = 0;  // of the current step, that failed
  std::string message;    // why it waits or failed
  std::string actor;
  std::string reason;
  WallTime run_after;  // not before
  WallTime created_at;
  WallTime updated_at;
  uint64_t version = 0;
};

// Adds a running operation; who and why is the change's author. kConflict while another works on
// the same tenant.
Result<> insert_operation(Change& change, const Operation& operation);
// kNotFound
Result<Operation> find_operation(Session& session, OperationId id);
// The newest first, from the first that is older than `before`.
Result<std::vector<Operation>> list_operations(Session& session, std::optional<TenantId> tenant,
                                               std::optional<OperationStatus> status,
                                               std::optional<OperationId> before, uint32_t most);
// Running ones whose time has come, the longest waiting first.
Result<std::vector<Operation>> due_operations(Session& session, uint32_t most);
// How long until the next running one is due; nothing if none is running.
Result<std::optional<Duration>> time_until_due(Session& session);

// Saves what the step made of it: all but id, kind, tenant, subject and who asked for it.
// `wait`: run_after is so much later than now, by the store's clock. kConflict if it is not at
// `operation.version` any more, or not running.
Result<> save_operation(Change& change, const Operation& operation, Duration wait);
// Of a running one, by people: its next step is not begun. What its steps did stays.
Result<> cancel_operation(Change& change, OperationId id);

}  // namespace partywall::store
