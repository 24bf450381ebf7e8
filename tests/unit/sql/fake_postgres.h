#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/messages.h"

namespace partywall::sql::testing {

// What `enter` takes: the tenant, and what nobody else can make (a fuzzer neither).
std::string make_fake_token(std::string_view tenant);
std::optional<std::string> check_fake_token(const std::string& token);

// As much of a PostgreSQL backend as the protocol needs: transaction status, skipping to Sync after
// an error, prepared statements, portals, the tenant register. Each statement's answer is one row
// with the tenant in the register, or error 55000 when that is empty. A few texts do other things:
//   fail            error 22012
//   copy in / copy out / copy notes …
//   insert …        "INSERT 0 n" for n rows of parameters
//   set <name>      ParameterStatus (name, "changed") and the tag SET
//   many            three rows
//   sleep           no answer before cancel()
//   discard sequences, discard all, deallocate …, begin, commit, rollback: as in PostgreSQL
class FakePostgres {
 public:
  // Takes bytes of the door, returns the answer.
  std::string receive(std::string_view bytes);

  // Stops a sleeping statement; otherwise nothing. Returns the answer.
  std::string cancel();
  // A sleeping statement ends well.
  std::string wake_up();

  // Every message that came, and how they were cut into sends.
  [[nodiscard]] const std::vector<Message>& received() const { return received_; }
  void forget_received() { received_.clear(); }
  // Another backend: only what was received and what is to fail is kept.
  void start_again();
  [[nodiscard]] const std::string& register_value() const { return register_; }
  [[nodiscard]] char status() const { return status_; }

  // Fails what comes as the n-th message from now on (0: the next one); end: closes instead.
  void fail_message(size_t n) { fail_at_ = received_count_ + n; }
  void fail_no_message() { fail_at_.reset(); }
  bool enter_fails = false;
  // Of the tables that the door asks about before a COPY; empty: row-level security does not apply.
  std::vector<std::string> protected_columns;
  std::string inserted;              // the text of each INSERT and its values
  std::string insert_error_context;  // not empty: they fail with this
  // The tenant's name if the token is right.
  std::function<std::optional<std::string>(const std::string&)> check_token = check_fake_token;

 private:
  void take(const Message& message);
  void on_query(const std::string& text);
  bool run(const std::string& text);  // false: it failed
  void fail(std::string_view sqlstate, std::string_view context = {});
  void insert(const std::string& text);
  void ready();

  std::string in_;
  std::deque<Message> pending_;
  std::string out_;
  std::vector<Message> received_;
  size_t received_count_ = 0;
  std::optional<size_t> fail_at_;
  std::string register_;
  char status_ = 'I';
  bool skipping_ = false;
  bool in_copy_ = false;
  bool is_asleep_ = false;
  bool copy_by_query_ = false;
  std::map<std::string, std::string> statements_;
  std::map<std::string, std::string> portals_;
  std::string bound_values_;  // by the last Bind
};

}  // namespace partywall::sql::testing
