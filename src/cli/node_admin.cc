#include "cli/node_admin.h"

namespace partywall::cli {

Result<std::string> node_admin_url(const std::string& given, const store::NodeSettings& node) {
  if (!given.empty()) return "http://" + given;
  const auto& admin = node.listen.admin;
  if (!admin) {
    return fail(ErrorKind::kInvalid,
                "the platform file has no `listen.admin`; say where with --admin");
  }
  return fmt::format("{}://{}", admin->tls ? "https" : "http", admin->endpoint.to_string());
}

}  // namespace partywall::cli
