#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "cache/handshake.h"
#include "cache/prefix/reply_stripper.h"
#include "cache/redirection.h"
#include "cache/reply_sink.h"
#include "cache/resp/reply_scanner.h"
#include "cache/ring_queue.h"
#include "cache/sent_requests.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

class UpstreamFsm;

inline constexpr const char* kForeignKey =
    "Redis sent what is not a reply, or a key of another tenant";

// What a connection tells about its server, and where it finds other ones. It must not close the
// connection from within these calls.
class ServerEvents {
 public:
  virtual ~ServerEvents() = default;
  // The server is not the primary (any more).
  virtual void not_primary() = 0;
  // A node of the cluster says that it does not have the tenant's slot. What it says may come from
  // a script of the tenant's: it is a reason to ask, and no more.
  virtual void slot_moved() = 0;
  // Redis has refused one of the logins.
  virtual void login_refused(const Endpoint& server, const std::string& problem) = 0;
  // A connection of the same tenant to another node of the cluster; nullptr: there is none, or no
  // node of the cluster is there.
  virtual std::shared_ptr<UpstreamFsm> connection_to(const Endpoint& node) = 0;
};

// What becomes of a request that the node of a cluster refuses because another one has its keys.
enum class Redirects : uint8_t {
  kNone,    // no cluster
  kFollow,  // it is sent to the other node
  kReport,  // the client is told to try again: the request belongs to a transaction or a WATCH
};

// One connection to Redis that belongs to one tenant for life. Sessions put requests in, replies go
// back to them in order. Its one invariant: the n-th reply goes to whoever sent the n-th request,
// or to nobody; as soon as that is in doubt the connection ends.
//
// In a cluster it keeps the requests until they are answered. One that is redirected has not been
// carried out: it goes to the other node, and the replies behind it wait until its own has come.
class UpstreamFsm final : public UpstreamIo, private ReplySink {
 public:
  struct Place {
    Endpoint server;
    Redirects redirects = Redirects::kNone;
    std::weak_ptr<ServerEvents> events;
    std::string key_prefix;  // of the tenant's keys in prefix mode, empty in database mode
  };

  UpstreamFsm(Handshake handshake, Place place)
      : handshake_(std::move(handshake)), place_(std::move(place)), stripper_(place_.key_prefix) {}
  ~UpstreamFsm() override;

  // --- For sessions. Only while usable().
  // `requests` holds `count` of them, whole ones, whose keys have the prefix already. The replies
  // to all of them have the shape.
  void send(ReplySink& sink, std::string_view requests, uint32_t count, ReplyShape shape = {});
  void send_for(ReplyUse use, ReplySink& sink, std::string_view request);
  // Whatever the answer is.
  void send_for_nobody(std::string_view request);
  // More of the last request that was sent.
  void append(std::string_view bytes) {
    output_.append(bytes);
    wake();
  }
  // Hands the text to the sink when everything sent so far has been answered. Something must be
  // outstanding.
  void answer_in_turn(ReplySink& sink, std::string text);
  // The sink goes away: what still comes for it is read and dropped.
  void abandon(const ReplySink& sink);
  // Ends the connection now; nobody gets anything more.
  void close();
  // Takes no more requests, and ends when all have been answered.
  void finish();

  [[nodiscard]] bool usable() const { return !closing_ && !finishing_; }
  // Is part of a reply with this sink whose rest is still to come?
  [[nodiscard]] bool delivers_to(const ReplySink& sink) const;
  // Bytes that Redis has not taken yet.
  [[nodiscard]] size_t backlog() const { return output_.size(); }
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  // The type byte of the last whole reply, 0 before the first.
  [[nodiscard]] char last_reply_type() const { return last_reply_type_; }
  [[nodiscard]] const ServerFacts& facts() const { return handshake_.facts(); }
  [[nodiscard]] const Endpoint& server() const { return place_.server; }
  [[nodiscard]] const std::string& key_prefix() const { return place_.key_prefix; }

  // --- For the shell.
  void turn() override;
  [[nodiscard]] std::string_view output() const override;
  void sent(size_t bytes) override;
  [[nodiscard]] bool wants_input() const override;
  void receive(std::string_view bytes) override;
  void lost() override;
  [[nodiscard]] bool must_close() const override { return closing_ || (finishing_ && idle()); }
  [[nodiscard]] bool ready() const override {
    return handshake_.status() == Handshake::Status::kDone;
  }

 private:
  // Requests of one session in a row, or a text that waits for its turn.
  struct Run {
    ReplySink* sink = nullptr;
    uint32_t count = 0;
    ReplyUse use = ReplyUse::kPass;
    bool redirected = false;  // by another connection, which looks at further redirections itself
    std::unique_ptr<std::string> text;
    ReplyShape shape;
  };

  // The front request, while another node has it.
  struct Elsewhere {
    std::shared_ptr<UpstreamFsm> upstream;
    uint32_t hops = 0;
    bool answered_in_part = false;
    std::optional<Redirection> again;  // it was redirected once more; turn() follows
  };

  // upstream_fsm.cc
  void push(Run run, std::string_view requests);
  void process(std::string_view bytes);
  [[nodiscard]] bool begins_error(std::string_view bytes) const;
  // Has part of a reply been passed on whose rest is still to come?
  [[nodiscard]] bool passes_reply() const {
    return (scanner_.inside_reply() && !collecting_) || stripper_.inside_reply();
  }
  size_t pass_replies(std::string_view bytes);
  size_t strip_reply(std::string_view bytes);
  size_t collect_reply(std::string_view bytes);
  void deliver_texts();
  void hand_over(std::string_view reply);
  void pop_front_request();
  void tell_drained();
  void fail(std::string why);

  // upstream_redirects.cc: requests that another node must answer
  [[nodiscard]] bool handle_error(std::string_view reply);
  void follow(const Redirection& redirection, uint32_t hops);
  void send_redirected(ReplyUse use, ReplySink& sink, std::string_view request,
                       Redirection::Kind kind);
  void end_elsewhere();
  // --- ReplySink, for the answer of the other node.
  void pass(std::string_view bytes, uint32_t completed) override;
  void use(ReplyUse use, std::string_view reply, const ServerFacts& facts) override;
  void answer(std::string_view text) override;
  void lost(uint32_t unanswered, LostReplies how) override;
  [[nodiscard]] bool congested() const override;

  Handshake handshake_;
  Place place_;
  ByteBuffer output_;
  RingQueue<Run> pending_;
  ReplyScanner scanner_;
  ReplyStripper stripper_;
  std::string stripped_;
  std::string collected_;
  SentRequests sent_requests_;  // in a cluster
  std::optional<Elsewhere> elsewhere_;
  std::string kept_input_;  // that arrived behind a redirection
  char last_reply_type_ = 0;
  bool collecting_ = false;  // an error, to be looked at before it is passed on
  bool closing_ = false;
  bool finishing_ = false;
};

}  // namespace partywall::cache
