#pragma once

#include <string>

namespace partywall {

// How to reach a server over TLS. The files are in PEM form.
struct TlsClientSettings {
  std::string ca_file;           // empty: the system's authorities
  std::string server_name;       // verified against the certificate and sent as SNI; empty: no
                                 // verification of the name
  std::string certificate_file;  // of the client, the chain with the leaf first; empty: none
  std::string private_key_file;  // of the client's certificate

  bool operator==(const TlsClientSettings&) const = default;
};

}  // namespace partywall
