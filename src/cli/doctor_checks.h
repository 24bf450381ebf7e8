#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

// What `partywall doctor` makes of what it saw; pure.
namespace partywall::cli {

enum class Health { kGood, kWarning, kBad };

struct Finding {
  Health health = Health::kGood;
  std::string what;    // "cell main: PostgreSQL 15.4"
  std::string advice;  // what to do; empty if nothing is to be done
};
using Findings = std::vector<Finding>;

// What a cell's database says of itself.
struct DatabaseFacts {
  int server_version = 0;  // 150004 for 15.4
  Duration clock_ahead{};  // of ours
  uint32_t slot_roles_wanted = 0;
  uint32_t slot_roles = 0;
  std::vector<std::string> unsafe_roles;        // slot roles that bypass row-level security
  std::vector<std::string> unprotected_tables;  // with a tenant column, without forced RLS
  uint32_t tables = 0;                          // with a tenant column
  uint32_t max_connections = 0;
};

Findings judge_database(const std::string& cell, const DatabaseFacts& facts);
Finding judge_open_files(uint64_t limit, uint64_t wanted);
// `left`: until it ends; nothing: it cannot be read.
Finding judge_certificate(const std::string& file, std::optional<Duration> left);

// Is anything bad?
bool is_sick(const Findings& findings);
// A line each, with the advice below.
std::string print_findings(const Findings& findings);

}  // namespace partywall::cli
