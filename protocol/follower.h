// Follower: the part of a round that miners and validators have in common: following the
// coordinator.
//
// Takes the coordinator's signed messages in any order, any number of times, and keeps those of the
// coming round until they can be used. Two different versions of what may exist once are a proof
// against the coordinator; one that has lost its own gets them back. Sans-I/O. Thread safety: none;
// one owner.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "protocol/chain_head.h"
#include "protocol/checkpoint.h"
#include "protocol/round_record.h"

namespace muster::protocol {

class Follower {
 public:
  // `role`: only a miner takes miners' forms.
  Follower(const ProtocolParams& params, const Hash& run_id, Role role);

  // Files a message of the coordinator. Errors: what is wrong with it; it is then ignored.
  [[nodiscard]] Status take(ByteSpan bytes);

  [[nodiscard]] const ChainHead& head() const { return head_; }
  [[nodiscard]] const std::optional<Signed<RoundOpen>>& open() const { return open_; }
  [[nodiscard]] const std::optional<Signed<CommitsClosed>>& commits_closed() const {
    return commits_closed_;
  }
  [[nodiscard]] const std::optional<Signed<RevealsClosed>>& reveals_closed() const {
    return reveals_closed_;
  }
  [[nodiscard]] const std::optional<Signed<Manifest>>& manifest() const { return manifest_; }
  // The run's end, when the coordinator has said that it is reached.
  [[nodiscard]] const std::optional<Finished>& finished() const { return finished_; }
  // The coordinator has sent something of a later round: this node must ask for what it missed.
  [[nodiscard]] bool is_behind() const { return is_behind_; }
  // The latest phase of the coming round that its messages have shown.
  [[nodiscard]] Phase seen() const;
  [[nodiscard]] bool has_receipt(ReceiptFor what, const Hash& subject) const {
    return receipts_.contains({what, subject});
  }
  [[nodiscard]] const std::vector<Bytes>& receipts() const { return receipt_bytes_; }
  // Two signed, different messages of the coordinator where one may exist.
  [[nodiscard]] const std::optional<Evidence>& fork() const { return fork_; }

  // RoundOpen, closes and receipts filed since the last call, for the node's journal: what the
  // coordinator has signed must outlive a restart, of the node or of a coordinator that lost its
  // folder, and receipts prove what it left out.
  [[nodiscard]] std::vector<Bytes> take_news() { return std::exchange(news_, {}); }
  // The phase that a coordinator which started again is in, once: it asks for what was sent in this
  // round.
  [[nodiscard]] std::optional<Phase> take_resume() { return std::exchange(resume_, {}); }
  // A restarted node's record that its saved state lacks.
  void set_aside(ByteSpan record) { set_aside_.emplace_back(record.begin(), record.end()); }
  // When all records were read: files what was set aside. What is news before is in the journal and
  // in the state.
  void file_what_was_set_aside();
  // What the coordinator signed of the coming round beyond `phase`, in order.
  [[nodiscard]] std::vector<Bytes> signed_after(Phase phase) const;

  // Why the coordinator refused this node's Ready, once.
  [[nodiscard]] std::optional<std::string> take_refusal() { return std::exchange(refusal_, {}); }
  // The newest offer of a checkpoint of a later round, once.
  [[nodiscard]] std::optional<CheckpointOffer> take_offer() { return std::exchange(offer_, {}); }

  // Moves to the next round. REQUIRES: open() and manifest().
  void advance();
  // Goes on from another head; what was filed for the old one is dropped.
  void adopt(ChainHead head);

 private:
  template <class Message>
  Status keep(std::optional<Signed<Message>>& slot, const wire::Envelope& envelope, ByteSpan bytes);
  Status keep_offer(const wire::Envelope& envelope);
  Status check_fit();
  void clear_round();

  ProtocolParams params_;
  Role role_;
  ChainHead head_;
  std::optional<Signed<RoundOpen>> open_;
  std::optional<Signed<CommitsClosed>> commits_closed_;
  std::optional<Signed<RevealsClosed>> reveals_closed_;
  std::optional<Signed<Manifest>> manifest_;
  std::set<std::pair<ReceiptFor, Hash>> receipts_;
  std::vector<Bytes> receipt_bytes_;
  std::optional<Evidence> fork_;
  bool is_behind_ = false;
  std::vector<Bytes> news_;
  std::vector<Bytes> set_aside_;
  std::optional<Phase> resume_;
  std::optional<std::string> refusal_;
  std::optional<CheckpointOffer> offer_;
  std::optional<Finished> finished_;
};

}  // namespace muster::protocol
