#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/profile.h"
#include "fetch/client.h"

namespace partywall::cli {

// What the API answered, whatever it was.
struct ApiAnswer {
  int status = 0;
  JsonValue body;    // null: there was none, or it is no single JSON document
  std::string text;  // as received
  std::string etag;
};

// A failure with the exit code that it ends the command with.
struct CliError {
  int exit_code = 1;
  std::string message;
};
template <class T = void>
using CliResult = std::expected<T, CliError>;

int print_and_exit(const CliError& error);

// The admin API with the chosen context. One call after the other.
class ApiClient {
 public:
  static CliResult<ApiClient> open(const ProfileChoice& choice, std::string reason);

  // Anything but a success is a failure, with what the API said for people.
  CliResult<ApiAnswer> get(const std::string& path);
  CliResult<ApiAnswer> send(std::string method, const std::string& path,
                            const std::optional<JsonValue>& body = {}, std::string if_match = {});
  // All items of a list, page after page.
  CliResult<JsonArray> list(const std::string& path);

 private:
  ApiClient(Profile profile, std::string reason)
      : profile_(std::move(profile)),
        reason_(std::move(reason)),
        fetch_(std::make_unique<fetch::Client>()) {}
  CliResult<ApiAnswer> call(fetch::Request request);

  Profile profile_;
  std::string reason_;
  std::unique_ptr<fetch::Client> fetch_;
};

// One segment of a path, percent-encoded.
std::string encode_segment(std::string_view text);

}  // namespace partywall::cli
