#pragma once

namespace partywall::sql {

// What is counted per tenant: the table of its metric families is in door_metrics.cc.
enum class SqlMeter {
  kStatements,
  kTransactions,
  kErrors,
  kTimeouts,
  kRefusals,         // statements that got no server connection
  kSlow,             // logged as slow, or would have been
  kOverBudget,       // transactions begun by a tenant that had used up max_cpu_seconds
  kBudgetRefusals,   // and those refused, because it had used twice that
  kBusyNanoseconds,  // of server connections, from the first message of a section to ReadyForQuery
  kWaitNanoseconds,  // for server connections
  kCount,
};

}  // namespace partywall::sql
