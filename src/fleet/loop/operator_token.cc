#include "fleet/loop/operator_token.h"

#include <array>

#include "base/hex.h"
#include "base/private_file.h"

namespace partywall::fleet {
namespace {

std::string path_in(const std::string& directory) { return directory + "/operator.token"; }

}  // namespace

Result<Secret> read_operator_token(const std::string& directory) {
  auto text = read_private_file(path_in(directory));
  if (!text) return std::unexpected(text.error());
  while (text->ends_with('\n')) text->pop_back();
  return Secret(*std::move(text));
}

Result<Secret> open_operator_token(const std::string& directory, Random& random) {
  auto known = read_operator_token(directory);
  if (known || known.error().kind != ErrorKind::kNotFound) return known;
  if (auto made = make_private_directory(directory); !made) return std::unexpected(made.error());
  std::array<uint8_t, 32> bytes{};
  random.fill(bytes);
  const std::string token =
      to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  if (auto written = write_private_file(path_in(directory), token + "\n"); !written) {
    return std::unexpected(written.error());
  }
  return Secret(token);
}

}  // namespace partywall::fleet
