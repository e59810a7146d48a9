#include "chain/service/followed_ledger.h"

#include "base/file.h"
#include "chain/service/network_view.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

constexpr std::uint64_t kSavedBytesMax = 4ull << 30;
constexpr std::uint64_t kHeadBytesMax = 1024;
constexpr std::uint64_t kBlocksPerSave = 50;     // replayed after a crash
constexpr std::uint64_t kBlocksPerWord = 5'000;  // between two lines about how far it is

}  // namespace

FollowedLedger::FollowedLedger(std::unique_ptr<RemoteLedger> remote,
                               const runtime::Genesis& genesis, std::filesystem::path file,
                               std::function<void(const std::string&)> say)
    : remote_(std::move(remote)),
      genesis_(genesis),
      file_(std::move(file)),
      say_(std::move(say)),
      follower_(genesis, remote_->server()) {}

Result<std::unique_ptr<FollowedLedger>> FollowedLedger::open(
    std::unique_ptr<RemoteLedger> remote, const runtime::Genesis& genesis,
    std::filesystem::path file, std::function<void(const std::string&)> say) {
  std::unique_ptr<FollowedLedger> ledger(
      new FollowedLedger(std::move(remote), genesis, std::move(file), std::move(say)));
  MUSTER_TRY_STATUS(ledger->load());
  return ledger;
}

Status FollowedLedger::load() {
  follower_ = BlockFollower(genesis_, remote_->server());
  saved_block_ = 0;
  if (const auto bytes = read_file(file_, kSavedBytesMax)) {
    auto saved = wire::decode<BlockFollower::Saved>(*bytes, "followed ledger");
    Status restored = saved ? follower_.restore(*saved) : Status(std::move(saved).error());
    if (!restored)
      return Error{
          Errc::kMalformed,
          file_.string() + ": " + restored.error().message +
              "; delete it, and the ledger's blocks are fetched and checked again from the first"};
    saved_block_ = follower_.ledger().block_number();
  } else if (bytes.error().code != Errc::kNotFound) {
    return bytes.error();
  }
  const auto head_bytes = read_file(head_file(), kHeadBytesMax);
  if (!head_bytes && head_bytes.error().code == Errc::kNotFound) return {};
  if (!head_bytes) return head_bytes.error();
  const auto head = wire::decode<protocol::LedgerHead>(*head_bytes, "ledger's head");
  if (head && follower_.head() && head->number < follower_.head()->number)
    return {};  // the disk had no room for a newer one
  const Status taken = head ? follower_.take_head(*head) : Status(head.error());
  if (!taken)
    return Error{Errc::kMalformed, head_file().string() + ": " + taken.error().message +
                                       "; delete it and " + file_.filename().string() +
                                       " when you go on with this ledger"};
  return {};
}

std::filesystem::path FollowedLedger::head_file() const { return file_.string() + ".head"; }

Status FollowedLedger::save() {
  MUSTER_TRY_STATUS(replace_file(file_, wire::encode(follower_.save())));
  saved_block_ = follower_.ledger().block_number();
  return {};
}

Status FollowedLedger::apply_blocks() {
  std::uint64_t said = follower_.ledger().block_number();
  while (!follower_.is_current()) {
    const std::uint64_t done = follower_.ledger().block_number(), last = follower_.head()->number;
    MUSTER_TRY(const auto blocks, remote_->blocks(done + 1));
    for (std::size_t i = 0; i < blocks.size() && !follower_.is_current(); ++i)
      MUSTER_TRY_STATUS(follower_.take_block(blocks[i]));
    if (done - said < kBlocksPerWord) continue;
    said = done;
    say_("checks the ledger's blocks: " + std::to_string(done) + " of " + std::to_string(last));
  }
  return {};
}

Status FollowedLedger::catch_up() {
  MUSTER_TRY(const protocol::LedgerHead head, remote_->head());
  const bool is_new = follower_.head() != head;
  MUSTER_TRY_STATUS(follower_.take_head(head));
  // Without room a rollback behind this head is found out only while the node runs.
  if (is_new)
    if (const Status kept = replace_file(head_file(), wire::encode(head)); !kept)
      say_(kept.error().message);
  if (Status applied = apply_blocks(); !applied) {
    // A block that does not follow leaves a ledger that is of no use.
    if (applied.error().code == Errc::kConflict || applied.error().code == Errc::kMalformed)
      MUSTER_TRY_STATUS(load());
    return applied;
  }
  const bool first = saved_block_ == 0 && !std::filesystem::exists(file_);
  if (first || follower_.ledger().block_number() >= saved_block_ + kBlocksPerSave) {
    // Without room the older file stays, from which the same blocks are applied again.
    if (const Status saved = save(); !saved) say_(saved.error().message);
  }
  return {};
}

Result<protocol::Metagraph> FollowedLedger::metagraph() {
  MUSTER_TRY_STATUS(catch_up());
  return network_view(follower_.ledger(), remote_->netuid());
}

Result<protocol::LedgerView> FollowedLedger::members_at(std::optional<std::uint64_t> block) {
  if (!block || *block > follower_.ledger().block_number()) MUSTER_TRY_STATUS(catch_up());
  return follower_.members_at(remote_->netuid(), block);
}

Status FollowedLedger::compare(const protocol::LedgerHead& other) {
  if (!protocol::is_signed_by(other, remote_->server()))
    return Error{Errc::kBadSignature,
                 "a head that the ledger's key did not sign: " + protocol::describe(other)};
  return follower_.compare(other);
}

}  // namespace muster::chain
