// Blob transfer: content-addressed blobs in frames, with credit, resume and a hash check at the
// end.
//
// Pure cores: messages and times in, messages out. An upload needs a permit for its exact size and
// is told what is wanted next, so it resumes where an earlier one broke off; a download asks for a
// stretch of frames at a time (its credit), and a server sends stretches peer by peer. Neither side
// queues more than kTransferCreditFrames frames for a transfer. docs/wire.md has the byte forms.
// Thread safety: none; one owner.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "base/sign.h"
#include "wire/blob_store.h"
#include "wire/peer_budget.h"

namespace muster::wire {

struct Outgoing {
  PublicKey to;
  Bytes message;
};

// The serving side: downloads from two stores, uploads into one of them.
class BlobServer {
 public:
  struct Limits {
    Rate gets{limits::kBlobGetsPerSecond, limits::kBlobGetsBurst};  // of one peer; beyond, it waits
    Rate served_bytes{limits::kBlobServedBytesPerSecond,
                      limits::kBlobServedBytesBurst};  // to one peer
    std::size_t stretches_max =
        4;  // that one peer has asked for and not got; beyond, the oldest is forgotten
    unsigned frames_per_turn = 4;  // until the next peer has its turn
  };
  struct Uploaded {
    PublicKey from;
    Hash id;
  };
  struct Response {
    std::vector<Outgoing> messages;
    std::optional<Uploaded> uploaded;  // once for each permit
    std::string refused;               // why the message was not served; empty when it was
    std::string no_room;               // an upload waits for the disk; once until it has gone on
  };

  // Gets look into both stores; uploads go into `uploads`.
  BlobServer(const BlobStore& served, BlobStore& uploads, const Limits& limits)
      : served_(served), uploads_(uploads), limits_(limits) {}

  [[nodiscard]] Response on_message(const PublicKey& from, ByteSpan message, TimeMs now);

  // `from` may upload the blob `id`, which has `bytes` bytes (at least 1), until the round ends. An
  // offer that came before is answered now; a blob that `uploads` has already counts as uploaded.
  [[nodiscard]] Response permit(const PublicKey& from, const Hash& id, std::uint64_t bytes);
  // All permits end; unfinished uploads are dropped and their senders told. Offers without a permit
  // stay.
  [[nodiscard]] Response end_round();

  // What to send next to whose turn it is; nothing when nothing is due at `now`. Say what became of
  // it by sent() or not_sent() before the next call.
  [[nodiscard]] std::optional<Outgoing> next_frame(TimeMs now);
  void sent(TimeMs now);
  // Its queue is full: try again after a while. Or the peer has gone: it will ask again.
  void not_sent(bool gone, TimeMs now);
  // When next_frame may have something; nothing when nobody waits for anything.
  [[nodiscard]] std::optional<TimeMs> next_due() const;

 private:
  struct Permit {
    std::uint64_t bytes = 0;
    std::uint64_t promised = 0;  // up to where the peer has credit; 0: it has not begun
    bool done = false;
    bool waits_for_room = false;
  };
  struct Offer {
    Hash id;
    std::uint64_t total = 0;
  };
  struct Stretch {
    Hash id;
    std::uint64_t offset = 0;
    std::uint32_t frames = 0;
  };
  struct Reader {
    TokenBucket gets, bytes;
    std::deque<Stretch> stretches;
    TimeMs due = 0;
  };
  struct Pending {
    std::size_t bytes = 0;
    bool ends_stretch = false;
  };

  Response queue_get(const PublicKey& from, const Stretch& stretch, TimeMs now);
  Response take_offer(const PublicKey& from, const Offer& offer);
  Response begin_upload(const PublicKey& from, const Hash& id, Permit& permit, std::uint64_t total);
  Response take_frame(const PublicKey& from, const Hash& id, std::uint64_t offset, ByteSpan bytes);
  Response finish_upload(const PublicKey& from, const Hash& id, Permit& permit);
  Response uploaded(const PublicKey& from, const Hash& id, Permit& permit);
  Response wait_for_room(const PublicKey& from, const Hash& id, Permit& permit, const Error& error);
  Outgoing want(const PublicKey& from, const Hash& id, Permit& permit);
  Permit* find_permit(const PublicKey& from, const Hash& id);
  [[nodiscard]] const BlobStore& store_of(const Hash& id) const;
  void forget_idle_readers(TimeMs now);

  const BlobStore& served_;
  BlobStore& uploads_;
  Limits limits_;
  std::map<PublicKey, std::map<Hash, Permit>> permits_;
  std::map<PublicKey, Offer> offers_;  // without a permit; the newest of each peer
  std::map<PublicKey, Reader> readers_;
  std::deque<PublicKey> turns_;  // who has asked for something, whose turn it is first
  unsigned turn_frames_ = 0;     // that have been sent in this turn
  std::optional<Pending> pending_;
};

// The connecting side: what this node fetches and uploads.
class BlobClient {
 public:
  using Verify = std::function<Result<Hash>(ByteSpan)>;  // the id of a whole blob's bytes
  struct Fetched {
    Hash id;
    Bytes blob;
  };
  struct Response {
    std::vector<Bytes> messages;
    std::optional<Fetched> fetched;
    std::optional<Hash> delivered;  // an upload that the server has, durably
    std::optional<Hash> failed;     // a transfer that has ended without: ask again, or offer again
    std::string problem;            // what the server did wrong or could not do
  };

  explicit BlobClient(Verify verify) : verify_(std::move(verify)) {}

  // Asks for a blob of at most `bytes_max` bytes, or asks again from where the download stands.
  [[nodiscard]] std::vector<Bytes> fetch(const Hash& id, std::uint64_t bytes_max);
  // Offers a blob, or offers it again. It is kept until delivered, refused or forgotten.
  [[nodiscard]] std::vector<Bytes> upload(const Hash& id, Bytes blob);
  [[nodiscard]] std::vector<Bytes> upload_again(const Hash& id);
  // Releases what is kept of it.
  void forget(const Hash& id);
  [[nodiscard]] Response on_message(ByteSpan message, TimeMs now);
  // Goes on with what the server asked to wait with.
  [[nodiscard]] std::vector<Bytes> on_tick(TimeMs now);
  // When on_tick has something to do; nothing when it has not.
  [[nodiscard]] std::optional<TimeMs> next_tick() const;
  // Bytes of blobs that are kept, of uploads and downloads.
  [[nodiscard]] std::uint64_t bytes_kept() const;

 private:
  struct Download {
    Bytes bytes;
    std::uint64_t bytes_max = 0;
    std::optional<std::uint64_t> total;
    std::uint64_t asked = 0;  // bytes that have been asked for
    std::optional<TimeMs> again_at;
  };
  struct Upload {
    Bytes blob;
    std::optional<TimeMs> again_at;
  };
  static Bytes ask(const Hash& id, Download& download);
  static Bytes offer(const Hash& id, const Upload& upload);
  Response take_frame(const Hash& id, std::uint64_t offset, std::uint64_t total, ByteSpan bytes);
  Response send_stretch(const Hash& id, std::uint64_t offset, std::uint32_t frames);
  Response give_up_download(const Hash& id, const std::string& why);
  Verify verify_;
  std::map<Hash, Download> downloads_;
  std::map<Hash, Upload> uploads_;
};

}  // namespace muster::wire
