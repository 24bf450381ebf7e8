#pragma once

#include <string>

namespace partywall::cli {

// `partywall control -f FILE`: the admin API, and the operations of the leading instance, until it
// is told to end. It brings the schema of the control store up to date first.
int run_control(const std::string& control_file);

struct AdminTokenRequest {
  std::string control_file{};
  std::string name = "bootstrap";
  std::string role = "owner";
};

// `partywall bootstrap-token -f FILE`: the first admin token, written straight into the store.
// Prints it.
int create_first_token(const AdminTokenRequest& request);

}  // namespace partywall::cli
