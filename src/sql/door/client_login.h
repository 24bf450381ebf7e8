#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/drain.h"
#include "net/loop.h"
#include "net/tls.h"
#include "sql/client/client_login_fsm.h"
#include "sql/door/settings.h"

namespace partywall::sql {

// A client that has proved who it is, on its way to the worker that will serve it.
struct AdmittedClient {
  std::unique_ptr<net::Stream> stream;
  Admission admission;
  StartupRequest request;
  std::string unread;  // what it has sent already
};

// Moves the bytes of a login, up to the login time-out or until the door closes.
class ClientLogin {
 public:
  // `tls`: nullptr where the door has no certificate.
  ClientLogin(net::Loop& loop, std::unique_ptr<net::Stream> stream, net::TlsContext* tls,
              const DoorSettings& settings, std::function<LoginAuthority()> authority,
              Random& random);

  // kAdmitted, kCancel, or kClose for everything else: then the client has been told.
  net::Task<ClientLoginFsm::Action> run();

  AdmittedClient take();
  [[nodiscard]] const CancelRequest& cancel_request() const { return fsm_.cancel_request(); }

 private:
  net::Task<Result<>> start_tls(std::string words);
  [[nodiscard]] Duration time_left() const;

  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  net::TlsContext* tls_;
  MonotonicTime deadline_;
  ClientLoginFsm fsm_;
  std::string unread_;
};

}  // namespace partywall::sql
