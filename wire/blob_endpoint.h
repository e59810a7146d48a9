// Blob endpoints: blob transfer on a thread of its own over a transport of its own.
//
// Thread safety: all members; callbacks come on the endpoint's thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/mailbox.h"
#include "wire/blob_transfer.h"
#include "wire/transport.h"

namespace muster::wire {

// Serves the blobs of two stores and takes permitted uploads into one of them.
class BlobServerEndpoint {
 public:
  struct Handlers {
    // `id` is in the store of uploads, whole; once for each permit.
    std::function<void(const PublicKey& from, const Hash& id)> uploaded;
    // An upload waits because the store has no room; once until it has gone on.
    std::function<void(const std::string& problem)> no_room = [](const std::string&) {};
  };
  // Both stores must outlive the endpoint; they may be one.
  BlobServerEndpoint(std::unique_ptr<Transport> transport, const BlobStore& served,
                     BlobStore& uploads, const BlobServer::Limits& limits, Handlers handlers);
  ~BlobServerEndpoint();

  // As BlobServer's; they take effect in the order of the calls.
  void permit(const PublicKey& from, const Hash& id, std::uint64_t bytes) {
    commands_.push({Command::Kind::kPermit, from, id, bytes});
  }
  void end_round() { commands_.push({Command::Kind::kEndRound, {}, {}, 0}); }

 private:
  struct Command {
    enum class Kind { kPermit, kEndRound, kStop } kind;
    PublicKey from;
    Hash id;
    std::uint64_t bytes = 0;
  };
  void run();
  void carry_out(const BlobServer::Response& response);
  void serve_turn();
  std::unique_ptr<Transport> transport_;
  BlobServer server_;
  Handlers handlers_;
  SteadyClock clock_;
  Mailbox<Command> commands_;
  std::thread thread_;  // last
};

// Fetches and uploads. Lost messages are made up for by asking again.
class BlobClientEndpoint {
 public:
  struct Handlers {
    std::function<void(const Hash& id, Bytes blob)> fetched;
    std::function<void(const Hash& id)> delivered;
    std::function<void(const std::string& problem)> problem;
    // A transfer that ended without success: fetch or upload once more when it is still wanted.
    std::function<void(const Hash& id)> failed = [](const Hash&) {};
  };
  BlobClientEndpoint(std::unique_ptr<Transport> transport, const PublicKey& server,
                     BlobClient client, Handlers handlers);
  ~BlobClientEndpoint();

  // The blob has at most `bytes_max` bytes if it is what it should be.
  void fetch(const Hash& id, std::uint64_t bytes_max) {
    commands_.push({Command::Kind::kFetch, id, {}, bytes_max});
  }
  void upload(const Hash& id, Bytes blob) {
    commands_.push({Command::Kind::kUpload, id, std::move(blob), 0});
  }
  void upload_again(const Hash& id) { commands_.push({Command::Kind::kUploadAgain, id, {}, 0}); }
  // Ends the transfer, if there is one, and releases its memory.
  void forget(const Hash& id) { commands_.push({Command::Kind::kForget, id, {}, 0}); }

  // Bytes of blob frames sent and received so far.
  [[nodiscard]] std::uint64_t bytes_up() const { return bytes_up_; }
  [[nodiscard]] std::uint64_t bytes_down() const { return bytes_down_; }

 private:
  struct Command {
    enum class Kind { kFetch, kUpload, kUploadAgain, kForget, kStop } kind;
    Hash id;
    Bytes blob;
    std::uint64_t bytes_max = 0;
  };
  void run();
  void carry_out(Command command);
  void send_all(const std::vector<Bytes>& messages);
  std::unique_ptr<Transport> transport_;
  PublicKey server_;
  BlobClient client_;
  Handlers handlers_;
  SteadyClock clock_;
  std::atomic<std::uint64_t> bytes_up_{0}, bytes_down_{0};
  Mailbox<Command> commands_;
  std::thread thread_;  // last
};

}  // namespace muster::wire
