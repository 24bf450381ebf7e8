#include "store/platform_sections.h"

namespace partywall::store {
namespace {

void read_pem_path(YamlMap& map, FileLoader& files, std::string_view key, std::string& path,
                   std::string_view help) {
  if (auto file = read_pem_file(map, files, key, Need::kOptional, help))
    path = std::move(file->path);
}

}  // namespace

TlsClientSettings read_client_tls(YamlMap& map, FileLoader& files) {
  TlsClientSettings tls;
  read_pem_path(map, files, "ca", tls.ca_file,
                "certificate authorities in PEM form; absent: the system's");
  map.optional("server_name", tls.server_name,
               "name that the servers' certificates must have; absent: any name");
  read_pem_path(map, files, "certificate", tls.certificate_file,
                "certificate chain of the node, where the servers want one");
  if (auto file = read_pem_file(map, files, "private_key", Need::kOptional,
                                "the certificate's private key")) {
    warn_if_exposed(map, "private_key", *file);
    tls.private_key_file = std::move(file->path);
  }
  if (map.has("certificate")) map.require("private_key");
  if (map.has("private_key")) map.require("certificate");
  return tls;
}

}  // namespace partywall::store
