#include "chain/service/remote_ledger.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "chain/codec/commit_hash.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/runtime/ledger.h"
#include "chain/service/block_budget.h"
#include "chain/yuma/mechanism.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

constexpr int kPageTries = 5;  // what is asked for may change while its pages travel
// Bounds on what a ledger may make its clients hold.
constexpr std::uint64_t kMetagraphBytesMax = 16u << 20;
constexpr std::uint64_t kBlockBytesMax = 256u << 20;  // blocks from before there was a limit
constexpr std::uint64_t kStateBytesMax = 4ull << 30;
constexpr int kAskAgainMs = 50;  // when this key has asked too much in the block that is being made
constexpr int kSlicesMs = 200;   // between two looks at `stop`
constexpr int kSendsMax = 3;     // of one extrinsic that a ledger lost
constexpr int kBlocksMax = 3;    // for which a call that finds the block full waits
constexpr TimeMs kReturnMs =
    30'000;  // that a ledger may be away while something is to be confirmed
constexpr std::uint64_t kSearchMax =
    1'024;  // blocks that are searched for one extrinsic before it is sent again

std::string over_asker_budget() { return "refused: " + std::string(name_of(Overrun::kAskerTime)); }

std::vector<std::uint16_t> uids_of(const protocol::WeightVector& vector) {
  std::vector<std::uint16_t> uids;
  for (const Uid uid : vector.uids) uids.push_back(uid.value);
  return uids;
}

std::vector<std::uint16_t> salt_of(const protocol::WeightVector& vector) {
  ByteReader reader(vector.salt.bytes);
  std::vector<std::uint16_t> salt(vector.salt.bytes.size() / 2);
  for (auto& word : salt) word = reader.read<std::uint16_t>();
  return salt;
}

}  // namespace

Hash commitment_of(const AccountId& hotkey, Netuid netuid, const protocol::WeightVector& vector) {
  return weights_commit_hash(hotkey, mechanism_index(netuid, 0), uids_of(vector), vector.weights,
                             salt_of(vector), 0);
}

RevealWeights reveal_of(Netuid netuid, const protocol::WeightVector& vector) {
  return {netuid, uids_of(vector), vector.weights, salt_of(vector), 0};
}

Result<Bytes> RemoteLedger::ask(Request request) {
  const SteadyClock clock;
  const TimeMs deadline = clock.now_ms() + timeout_ms_;
  request.id = next_request_++;
  MUSTER_TRY_STATUS(transport_->send(server_, wire::encode(request)));
  for (;;) {
    const TimeMs left = deadline - clock.now_ms();
    if (stopped()) return Error{Errc::kCancelled, "stopped while the ledger was asked"};
    if (left <= 0)
      return Error{Errc::kTimeout,
                   "the ledger does not answer; is `muster ledger serve` running at its address?"};
    MUSTER_TRY(auto incoming,
               transport_->receive(static_cast<int>(std::min<TimeMs>(left, kSlicesMs))));
    if (!incoming) continue;
    auto answer = wire::decode<Answer>(incoming->message, "ledger answer");
    if (!answer || answer->id != request.id) continue;
    if (answer->later && answer->error == over_asker_budget() &&
        deadline - clock.now_ms() > kAskAgainMs) {
      ::poll(nullptr, 0, kAskAgainMs);
      request.id = next_request_++;
      MUSTER_TRY_STATUS(transport_->send(server_, wire::encode(request)));
      continue;
    }
    if (!answer->error.empty())
      return Error{answer->later ? Errc::kTooLarge : Errc::kPermission, "ledger: " + answer->error};
    return std::move(answer->body);
  }
}

Result<Bytes> RemoteLedger::ask_in_pages(Request request, std::string_view what,
                                         std::uint64_t bytes_max) {
  for (int attempt = 1;; ++attempt) {
    Bytes bytes;
    request.version = request.first = 0;
    for (;;) {
      const auto page = ask_for<Page>(request, what);
      if (!page && request.first > 0 && page.error().code == Errc::kTooLarge &&
          attempt < kPageTries)
        break;
      if (!page) return page.error();
      if (page->bytes > bytes_max)
        return Error{Errc::kTooLarge, "the ledger's " + std::string(what) + " has " +
                                          std::to_string(page->bytes) + " bytes"};
      if (page->part.empty() && page->bytes > bytes.size())
        return Error{Errc::kMalformed, "the ledger's " + std::string(what) + " has an empty page"};
      bytes.insert(bytes.end(), page->part.begin(), page->part.end());
      if (bytes.size() >= page->bytes) return bytes;
      request.version = page->version;
      request.first = bytes.size();
    }
  }
}

template <class Body>
Result<Body> RemoteLedger::ask_for(Request request, std::string_view what) {
  MUSTER_TRY(const Bytes body, ask(std::move(request)));
  return wire::decode<Body>(body, "ledger's " + std::string(what));
}

Result<InfoAnswer> RemoteLedger::info() {
  return ask_for<InfoAnswer>({.question = Question::kInfo}, "description");
}

Result<AccountAnswer> RemoteLedger::account(const PublicKey& account) {
  return ask_for<AccountAnswer>({.question = Question::kAccount, .account = account}, "account");
}

Result<Bytes> RemoteLedger::block(std::uint64_t number) {
  return ask_in_pages({.question = Question::kBlock, .number = number}, "block", kBlockBytesMax);
}

Result<std::vector<Bytes>> RemoteLedger::blocks(std::uint64_t number) {
  MUSTER_TRY(auto answer,
             ask_for<BlocksAnswer>({.question = Question::kBlocks, .number = number}, "blocks"));
  if (!answer.blocks.empty()) return std::move(answer.blocks);
  MUSTER_TRY(Bytes alone, block(number));
  return std::vector<Bytes>{std::move(alone)};
}

Result<protocol::LedgerHead> RemoteLedger::head() {
  MUSTER_TRY(const InfoAnswer about, info());
  return about.head;
}

Result<runtime::State> RemoteLedger::state() {
  MUSTER_TRY(const Bytes bytes,
             ask_in_pages({.question = Question::kState}, "state", kStateBytesMax));
  return runtime::decode_state(bytes);
}

// ---- changes

Result<SubmitAnswer> RemoteLedger::send_bytes(const Bytes& extrinsic) {
  auto answer =
      ask_for<SubmitAnswer>({.question = Question::kSubmit, .extrinsic = extrinsic}, "receipt");
  if (!answer && answer.error().code == Errc::kTimeout)
    return Error{
        Errc::kTimeout,
        "the ledger was sent the call and does not answer; `muster ledger wallet show` says by "
        "the nonce whether it took it"};
  if (answer && !answer->call_error.empty())
    return Error{Errc::kConflict, "ledger: " + answer->call_error};
  return answer;
}

Result<RemoteLedger::Sent> RemoteLedger::send(const RuntimeCall& call) {
  MUSTER_TRY(const InfoAnswer about, info());
  MUSTER_TRY(const AccountAnswer own, account(key_.public_key()));
  const SigningContext context{about.spec_version, about.transaction_version, about.head.genesis,
                               about.head.genesis};
  const Bytes extrinsic = encode_extrinsic(sign_call(call, key_, own.nonce, context));
  auto receipt = send_bytes(extrinsic);
  for (int blocks = 0; blocks < kBlocksMax && !receipt && receipt.error().code == Errc::kTooLarge;
       ++blocks) {
    MUSTER_TRY_STATUS(pause(static_cast<int>(about.block_ms)));
    receipt = send_bytes(extrinsic);
  }
  if (!receipt) return std::move(receipt).error();
  return Sent{std::move(receipt).value(), extrinsic};
}

Status RemoteLedger::pause(int milliseconds) const {
  for (int left = milliseconds; left > 0; left -= kSlicesMs) {
    if (stopped()) return Error{Errc::kCancelled, "stopped before the ledger's block closed"};
    ::poll(nullptr, 0, std::min(left, kSlicesMs));
  }
  return {};
}

Result<std::uint64_t> RemoteLedger::wait_for_block(std::uint64_t number) {
  const SteadyClock clock;
  TimeMs heard = clock.now_ms();
  for (;;) {
    const auto about = info();
    if (about) {
      heard = clock.now_ms();
      if (about->head.number >= number) return about->head.number;
      MUSTER_TRY_STATUS(pause(static_cast<int>(std::clamp(about->block_ms / 4, 10u, 1'000u))));
      continue;
    }
    if (about.error().code == Errc::kCancelled) return about.error();
    if (about.error().code == Errc::kTooLarge) heard = clock.now_ms();
    if (clock.now_ms() - heard > kReturnMs)
      return Error{Errc::kTimeout,
                   "the ledger took the call and does not answer any more; whether block " +
                       std::to_string(number) + " holds it, `muster ledger block " +
                       std::to_string(number) + "` says when it is back"};
    MUSTER_TRY_STATUS(pause(kSlicesMs));
  }
}

Result<bool> RemoteLedger::holds(std::uint64_t number, const Hash& extrinsic) {
  MUSTER_TRY(const Bytes bytes, block(number));
  MUSTER_TRY(const runtime::Block content, runtime::decode_block(bytes));
  return std::ranges::any_of(content.extrinsics,
                             [&](const Bytes& one) { return extrinsic_hash(one) == extrinsic; });
}

Result<std::optional<std::uint64_t>> RemoteLedger::find(const Hash& extrinsic, std::uint64_t first,
                                                        std::uint64_t last) {
  for (std::uint64_t number = first; number <= std::min(last, first + kSearchMax - 1); ++number) {
    MUSTER_TRY(const bool found, holds(number, extrinsic));
    if (found) return std::optional(number);
  }
  return std::optional<std::uint64_t>();
}

Result<SubmitAnswer> RemoteLedger::confirm(const Sent& sent) {
  SubmitAnswer receipt = sent.receipt;
  const Hash hash = extrinsic_hash(sent.extrinsic);
  std::uint64_t first = receipt.block;  // that has not been searched
  std::string refusal;
  for (int sends = 1;; ++sends) {
    MUSTER_TRY(const std::uint64_t last, wait_for_block(receipt.block));
    const auto found = find(hash, first, last);
    if (!found && found.error().code == Errc::kTimeout && sends <= kSendsMax)
      continue;  // it is away again
    if (!found) return found.error();
    if (*found) {
      receipt.block = **found;
      return receipt;
    }
    if (sends > kSendsMax || !refusal.empty()) break;
    first = receipt.block = last + 1;
    auto again = send_bytes(sent.extrinsic);
    if (again) {
      receipt.block = again->block;
      receipt.fee_rao = again->fee_rao;
    } else if (again.error().code == Errc::kPermission) {
      // Its nonce is used: by another call, or by this one in a block that is yet to close.
      refusal = again.error().message;
    } else if (again.error().code != Errc::kTooLarge) {
      return std::move(again).error();
    }
  }
  return Error{
      Errc::kConflict,
      "the ledger lost it: block " + std::to_string(sent.receipt.block) +
          " does not hold the call (the ledger was restarted before that block was durable)" +
          (refusal.empty() ? "" : ", and sent again it is refused (" + refusal + ")") +
          "; submit again"};
}

Result<SubmitAnswer> RemoteLedger::submit(const RuntimeCall& call) {
  MUSTER_TRY(const Sent sent, send(call));
  return confirm(sent);
}

// ---- a network's nodes

Result<Hash> RemoteLedger::genesis_hash() {
  MUSTER_TRY(const InfoAnswer about, info());
  return about.head.genesis;
}

Result<protocol::Metagraph> RemoteLedger::metagraph() {
  MUSTER_TRY(const Bytes bytes, ask_in_pages({.question = Question::kMetagraph, .netuid = netuid_},
                                             "metagraph", kMetagraphBytesMax));
  MUSTER_TRY(const auto answer, wire::decode<MetagraphAnswer>(bytes, "ledger's metagraph"));
  protocol::Metagraph metagraph{answer.block,
                                answer.block_hash,
                                answer.tempo,
                                answer.epoch,
                                answer.next_epoch_block,
                                answer.registration_rao,
                                answer.stake_min,
                                {}};
  for (const auto& neuron : answer.neurons) metagraph.neurons.push_back(neuron.n);
  return metagraph;
}

Result<std::optional<RemoteLedger::Sent>> RemoteLedger::send_registration() {
  MUSTER_TRY(const auto known, metagraph());
  const bool has_uid = std::ranges::find(known.neurons, key_.public_key(),
                                         &protocol::Neuron::hotkey) != known.neurons.end();
  if (has_uid) return std::optional<Sent>();
  MUSTER_TRY(auto registered, send(BurnedRegister{netuid_, key_.public_key()}));
  return std::optional(std::move(registered));
}

Status RemoteLedger::register_neuron() {
  MUSTER_TRY(const auto sent, send_registration());
  if (sent) MUSTER_TRY_STATUS(confirm(*sent));
  return {};
}

Status RemoteLedger::register_within(std::uint64_t rao) {
  MUSTER_TRY([[maybe_unused]] const auto registered,
             submit(RegisterLimit{netuid_, key_.public_key(), rao}));
  return {};
}

Status RemoteLedger::add_stake(std::uint64_t rao) {
  MUSTER_TRY([[maybe_unused]] const auto staked, submit(AddStake{key_.public_key(), netuid_, rao}));
  return {};
}

Status RemoteLedger::commit_weights(const protocol::WeightVector& vector) {
  MUSTER_TRY([[maybe_unused]] const auto committed,
             submit(CommitWeights{netuid_, commitment_of(key_.public_key(), netuid_, vector)}));
  return {};
}

Status RemoteLedger::reveal_weights(const protocol::WeightVector& vector) {
  MUSTER_TRY([[maybe_unused]] const auto revealed, submit(reveal_of(netuid_, vector)));
  return {};
}

Status RemoteLedger::set_commitment(ByteSpan bytes) {
  if (bytes.size() > CommitmentData::kRawBytesMax)
    return Error{Errc::kTooLarge, "a commitment of " + std::to_string(bytes.size()) + " bytes"};
  MUSTER_TRY([[maybe_unused]] const auto set,
             submit(SetCommitment{netuid_, {CommitmentData::raw(bytes)}}));
  return {};
}

}  // namespace muster::chain
