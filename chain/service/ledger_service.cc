#include "chain/service/ledger_service.h"

#include <algorithm>

#include "chain/runtime/call_cost.h"
#include "chain/runtime/dispatch.h"
#include "chain/service/network_view.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

// A page and what stands around it fit into a message.
constexpr std::size_t kPageBytes = limits::kMessageBytesMax / 2;
constexpr std::size_t kStatesKept = 2;

// What an answer takes of its asker's time. A page of 1 MiB is read, copied and encrypted.
std::uint64_t cost_ns_of(const Request& request) {
  switch (request.question) {
    case Question::kInfo:
    case Question::kAccount:
      return 20'000;
    case Question::kMetagraph:
      return 500'000;
    case Question::kState:
    case Question::kBlock:
    case Question::kBlocks:
      return 2'000'000;
    case Question::kSubmit:
      return runtime::kSignatureCostNs;
  }
  return 0;  // `answer` refuses it
}

std::string text_of(const runtime::Submission& submission) {
  if (submission.error)
    return "refused: " + std::string(name_of(*submission.error));  // a free call that fails
  const auto code = runtime::custom_code_of(submission.refusal);
  return "refused: " + std::string(name_of(submission.refusal)) +
         (code ? " (custom error " + std::to_string(*code) + ")" : "");
}

// kTooLarge: it may be asked again later.
Error over_budget(Overrun overrun) {
  return {Errc::kTooLarge, "refused: " + std::string(name_of(overrun))};
}
Error outdated() {
  return {Errc::kTooLarge, "it changed in between; ask again from the first page"};
}

// Whether the signer is who sent it, and for now: an old extrinsic of somebody else's is nobody's
// fault but the asker's.
bool is_of_its_signer(runtime::Refusal refusal) {
  return refusal == runtime::Refusal::kNone || refusal > runtime::Refusal::kFuture;
}

Result<Bytes> page_of(std::uint64_t version, ByteSpan whole, std::uint64_t first) {
  if (first > whole.size()) return Error{Errc::kInvalidArgument, "a byte behind the end"};
  const ByteSpan part = whole.subspan(first, std::min(kPageBytes, whole.size() - first));
  return wire::encode(Page{version, whole.size(), {part.begin(), part.end()}});
}

}  // namespace

Result<std::unique_ptr<LedgerService>> LedgerService::open(const runtime::Genesis& genesis,
                                                           const std::filesystem::path& database,
                                                           const SigningKey& key,
                                                           std::optional<PublicKey> coordinator) {
  MUSTER_TRY_STATUS(runtime::validate(genesis));
  MUSTER_TRY(auto store, BlockStore::open(database));
  std::unique_ptr<LedgerService> service(
      new LedgerService(genesis, std::move(store), key, coordinator));
  if (Status replayed = service->store_->replay(
          [&](const runtime::Block& block) { return service->ledger_.apply(block); });
      !replayed)
    return std::move(replayed).error().within(database.string() +
                                              ": blocks of another genesis or version, or damaged");
  service->sign_head();
  return service;
}

// REQUIRES: the last closed block is durable. What is signed must never be taken back.
void LedgerService::sign_head() {
  head_ = protocol::sign_head(key_, ledger_.genesis_id(), ledger_.block_number(), ledger_.head());
}

Status LedgerService::produce_block() {
  if (!unstored_) {
    unstored_ = ledger_.produce_block(true);
    budget_.begin_block();
    ++changes_;
  }
  MUSTER_TRY_STATUS(store_->append(*unstored_));
  unstored_.reset();
  sign_head();
  return {};
}

Bytes LedgerService::handle(const PublicKey& from, ByteSpan bytes) {
  const auto request = wire::decode<Request>(bytes, "ledger request");
  if (!request) return wire::encode(Answer{0, request.error().message, false, {}});
  auto body = answer(from, *request);
  if (!body)
    return wire::encode(
        Answer{request->id, body.error().message, body.error().code == Errc::kTooLarge, {}});
  return wire::encode(Answer{request->id, {}, false, std::move(*body)});
}

AskerKind LedgerService::kind_of(const PublicKey& asker) const {
  if (asker == coordinator_) return AskerKind::kNeuron;
  const runtime::State& state = ledger_.state();
  for (const auto& [netuid, subnet] : state.subnets)
    if (subnet.neurons.uid_of(asker)) return AskerKind::kNeuron;
  const auto account = state.accounts.find(asker);
  const bool has_balance = account != state.accounts.end() && account->second.free_rao > 0;
  return has_balance ? AskerKind::kAccount : AskerKind::kStranger;
}

InfoAnswer LedgerService::info() const {
  return {ledger_.genesis().name, head_, ledger_.genesis().block_ms, runtime::kSpecVersion,
          runtime::kTransactionVersion};
}

AccountAnswer LedgerService::account(const PublicKey& key) const {
  const runtime::State& state = ledger_.state();
  const auto account = state.accounts.find(key);
  return {ledger_.nonce_of(key), account == state.accounts.end() ? 0 : account->second.free_rao};
}

Result<Bytes> LedgerService::answer(const PublicKey& from, const Request& request) {
  if (const Overrun overrun = budget_.charge_asker(kind_of(from), from, cost_ns_of(request));
      overrun != Overrun::kNone)
    return over_budget(overrun);
  switch (request.question) {
    case Question::kInfo:
      return wire::encode(info());
    case Question::kAccount:
      return wire::encode(account(request.account));
    case Question::kMetagraph:
      return metagraph_page(request);
    case Question::kState:
      return state_page(request);
    case Question::kBlock: {
      MUSTER_TRY(const Bytes block, store_->read(request.number));
      return page_of(request.number, block, request.first);
    }
    case Question::kBlocks:
      return blocks_from(request.number);
    case Question::kSubmit:
      return submit(request.extrinsic);
  }
  return Error{Errc::kMalformed, "unknown question"};
}

Result<Bytes> LedgerService::blocks_from(std::uint64_t number) const {
  BlocksAnswer answer;
  std::size_t bytes = 0;
  for (; number <= head_.number; ++number) {
    MUSTER_TRY(Bytes block, store_->read(number));
    bytes += block.size() + sizeof(std::uint32_t);  // its count on the wire
    if (bytes > kPageBytes) break;
    answer.blocks.push_back(std::move(block));
  }
  return wire::encode(answer);
}

Result<Bytes> LedgerService::submit(ByteSpan extrinsic) {
  if (unstored_)
    return Error{
        Errc::kTooLarge,
        "refused: the ledger's disk is full; it takes calls again when its last block is durable"};
  if (extrinsic.size() > kExtrinsicBytesMax)
    return Error{Errc::kMalformed, "refused: " + std::string(name_of(Overrun::kExtrinsicTooLarge))};
  const auto content = decode_extrinsic(extrinsic);
  if (!content)
    return Error{Errc::kMalformed,
                 "refused: " + std::string(name_of(runtime::Refusal::kMalformed))};
  const BlockBudget::Cost cost{extrinsic.size(),
                               runtime::call_cost_ns(ledger_.state(), content->call),
                               runtime::is_free(content->call)};
  if (const Overrun overrun = budget_.check(content->signer, cost); overrun != Overrun::kNone)
    return over_budget(overrun);
  const runtime::Submission submission = ledger_.submit(extrinsic);
  if (is_of_its_signer(submission.refusal))
    budget_.charge_signer(content->signer, cost, submission.applied());
  if (!submission.applied()) return Error{Errc::kPermission, text_of(submission)};
  ++changes_;
  return wire::encode(
      SubmitAnswer{ledger_.block_number() + 1, submission.hash,
                   submission.error ? std::string(name_of(*submission.error)) : std::string(),
                   submission.fee_rao});
}

Result<Bytes> LedgerService::metagraph_page(const Request& request) const {
  if (request.version != 0 && request.version != changes_) return outdated();
  MUSTER_TRY(const auto view, network_view(ledger_, request.netuid));
  MetagraphAnswer answer{view.block,
                         view.block_hash,
                         view.tempo,
                         view.epoch,
                         view.next_epoch_block,
                         view.registration_rao,
                         view.stake_min,
                         {}};
  for (const auto& neuron : view.neurons) answer.neurons.push_back({neuron});
  return page_of(changes_, wire::encode(answer), request.first);
}

Result<Bytes> LedgerService::state_page(const Request& request) {
  const std::uint64_t newest = ledger_.state().block;
  if (request.version == 0 && (states_.empty() || states_.back().version != newest)) {
    states_.push_back({newest, runtime::encode_state(ledger_.state())});
    if (states_.size() > kStatesKept) states_.pop_front();
  }
  const std::uint64_t version = request.version == 0 ? newest : request.version;
  const auto found = std::ranges::find(states_, version, &Whole::version);
  if (found == states_.end()) return outdated();
  return page_of(version, found->bytes, request.first);
}

}  // namespace muster::chain
