#include "support/memory_stream.h"

#include <algorithm>

namespace partywall::test {
namespace {

// One direction of a connection.
struct Pipe {
  std::string bytes;
  bool ended = false;   // the writer has finished
  bool broken = false;  // one side has closed both directions
  net::EventLink readable;
  net::EventLink writable;
};

struct Connection {
  MemoryNetworkSettings settings;
  Pipe forward;
  Pipe backward;
};

class MemoryStream final : public net::Stream {
 public:
  MemoryStream(std::shared_ptr<Connection> connection, Pipe& in, Pipe& out, Endpoint peer)
      : connection_(std::move(connection)),
        in_(in),
        out_(out),
        peer_{.endpoint = std::move(peer)} {}

  ~MemoryStream() override {
    disarm();
    close();
  }

  net::IoResult read(std::span<char> into) override {
    if (closed_) return {net::IoStatus::kError};
    const size_t count =
        std::min({into.size(), in_.bytes.size(), connection_->settings.most_per_read});
    if ((count > 0 || in_.ended) && struck()) return {net::IoStatus::kError};
    if (count == 0 && !into.empty()) {
      if (in_.ended) return {net::IoStatus::kEnd};
      return {in_.broken ? net::IoStatus::kError : net::IoStatus::kWouldBlock};
    }
    std::copy_n(in_.bytes.begin(), count, into.begin());
    in_.bytes.erase(0, count);
    in_.writable.fire();
    return {net::IoStatus::kOk, count};
  }

  net::IoResult write(std::string_view bytes) override {
    if (closed_ || out_.ended || out_.broken) return {net::IoStatus::kError};
    const MemoryNetworkSettings& settings = connection_->settings;
    const size_t room =
        settings.capacity_bytes - std::min(settings.capacity_bytes, out_.bytes.size());
    const size_t count = std::min({bytes.size(), room, settings.most_per_write});
    if (count == 0 && !bytes.empty()) return {net::IoStatus::kWouldBlock};
    if (struck()) return {net::IoStatus::kError};
    out_.bytes += bytes.substr(0, count);
    out_.readable.fire();
    return {net::IoStatus::kOk, count};
  }

  void arm_read(net::Event& event) override {
    if (closed_ || in_.ended || in_.broken || !in_.bytes.empty()) return event.set();
    in_.readable.arm(event);
  }

  void arm_write(net::Event& event) override {
    if (closed_ || out_.broken || out_.bytes.size() < connection_->settings.capacity_bytes)
      return event.set();
    out_.writable.arm(event);
  }

  void disarm() override {
    in_.readable.disarm();
    out_.writable.disarm();
  }

  void leave() override { disarm(); }
  void join(net::Loop&) override {}

  void shutdown_write() override {
    out_.ended = true;
    out_.readable.fire();
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    in_.broken = true;
    out_.broken = !out_.ended;
    for (Pipe* pipe : {&in_, &out_}) {
      pipe->readable.fire();
      pipe->writable.fire();
    }
  }

  [[nodiscard]] const net::Peer& peer() const override { return peer_; }

 private:
  // Does the operation fail? Then the connection is broken for both ends.
  bool struck() {
    MemoryNetworkFaults* faults = connection_->settings.faults;
    if (!faults || !faults->strikes()) return false;
    for (Pipe* pipe : {&in_, &out_}) {
      pipe->bytes.clear();
      pipe->ended = false;
      pipe->broken = true;
      pipe->readable.fire();
      pipe->writable.fire();
    }
    return true;
  }

  std::shared_ptr<Connection> connection_;
  Pipe& in_;
  Pipe& out_;
  net::Peer peer_;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<net::Stream>, std::unique_ptr<net::Stream>> make_stream_pair(
    MemoryNetworkSettings settings, Endpoint first_address, Endpoint second_address) {
  auto connection = std::make_shared<Connection>();
  connection->settings = settings;
  return {std::make_unique<MemoryStream>(connection, connection->backward, connection->forward,
                                         std::move(second_address)),
          std::make_unique<MemoryStream>(connection, connection->forward, connection->backward,
                                         std::move(first_address))};
}

}  // namespace partywall::test
