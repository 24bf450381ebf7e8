#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sql/console/console_command.h"
#include "sql/wire/message.h"

namespace partywall::sql {

// What carrying out a command has given.
struct ConsoleAnswer {
  std::optional<SqlError> error;  // instead of the rest
  ConsoleRows rows;               // of SHOW
};

// One operator's session on the console, sans-I/O: PostgreSQL's simple and extended protocol, as
// far as a console needs it. Commands have no parameters, and values go out as text.
class ConsoleFsm {
 public:
  explicit ConsoleFsm(ConsoleRights rights) : rights_(rights) {}

  // Takes what it can from the front of `input`, appends what is to be sent. Stops where a command
  // is wanted: carry it out, answer(), and call again.
  void receive(std::string_view& input, std::string& out);
  [[nodiscard]] const std::optional<ConsoleCommand>& wanted() const { return wanted_; }
  void answer(const ConsoleAnswer& answer, std::string& out);
  // The client has said good-bye, or broken the protocol: send what is in `out`, then close.
  [[nodiscard]] bool is_finished() const { return is_finished_; }

  static constexpr size_t kMaxStatements = 16;  // prepared at once

 private:
  void take_message(char type, std::string_view body, std::string& out);
  void on_query(std::string_view body, std::string& out);
  void on_parse(std::string_view body, std::string& out);
  void on_bind(std::string_view body, std::string& out);
  void on_describe(std::string_view body, std::string& out);
  void on_execute(std::string_view body, std::string& out);
  void on_close(std::string_view body, std::string& out);
  void run(const ConsoleCommand& command, std::string& out);
  void end_query(std::string& out);
  void fail(const SqlError& error, std::string& out);
  void break_off(std::string_view why, std::string& out);

  const ConsoleRights rights_;
  std::map<std::string, ConsoleCommand, std::less<>> statements_;
  std::map<std::string, ConsoleCommand, std::less<>> portals_;
  std::optional<ConsoleCommand> wanted_;
  bool is_simple_ = false;  // the command under way came by Query
  bool skips_to_sync_ = false;
  bool is_finished_ = false;
};

}  // namespace partywall::sql
