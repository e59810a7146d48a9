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

// Serves a store's blobs and takes uploads.
class BlobServerEndpoint {
 public:
  using OnUploaded = std::function<void(const PublicKey& from, const Hash& id)>;
  BlobServerEndpoint(std::unique_ptr<Transport> transport, BlobStore& store,
                     const BlobServer::Limits& limits, OnUploaded on_uploaded);
  ~BlobServerEndpoint();

 private:
  void run();
  std::unique_ptr<Transport> transport_;
  BlobServer server_;
  OnUploaded on_uploaded_;
  std::atomic<bool> stopping_{false};
  Mailbox<int> stop_;
  std::thread thread_;  // last
};

// Fetches and uploads. Lost messages are made up for by asking again.
class BlobClientEndpoint {
 public:
  struct Handlers {
    std::function<void(const Hash& id, Bytes blob)> fetched;
    std::function<void(const Hash& id)> delivered;
    std::function<void(const std::string& problem)> problem;
  };
  BlobClientEndpoint(std::unique_ptr<Transport> transport, const PublicKey& server,
                     BlobClient client, Handlers handlers);
  ~BlobClientEndpoint();

  void fetch(const Hash& id) { commands_.push({Command::Kind::kFetch, id, {}}); }
  void upload(const Hash& id, Bytes blob) {
    commands_.push({Command::Kind::kUpload, id, std::move(blob)});
  }
  void upload_again(const Hash& id) { commands_.push({Command::Kind::kUploadAgain, id, {}}); }

  // Bytes of blob frames sent and received so far.
  [[nodiscard]] std::uint64_t bytes_up() const { return bytes_up_; }
  [[nodiscard]] std::uint64_t bytes_down() const { return bytes_down_; }

 private:
  struct Command {
    enum class Kind { kFetch, kUpload, kUploadAgain, kStop } kind;
    Hash id;
    Bytes blob;
  };
  void run();
  void send_all(const std::vector<Bytes>& messages);
  std::unique_ptr<Transport> transport_;
  PublicKey server_;
  BlobClient client_;
  Handlers handlers_;
  std::atomic<std::uint64_t> bytes_up_{0}, bytes_down_{0};
  Mailbox<Command> commands_;
  std::thread thread_;  // last
};

}  // namespace muster::wire
