#include "chain/service/ledger_service.h"

#include <algorithm>

#include "chain/service/network_view.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

// A part of a state and what stands around it fit in a message.
constexpr std::size_t kStatePartBytes = limits::kMessageBytesMax / 2;

std::string text_of(const runtime::Submission& submission) {
  if (submission.error) return "refused: " + std::string(name_of(*submission.error));  // a free call that fails
  const auto code = runtime::custom_code_of(submission.refusal);
  return "refused: " + std::string(name_of(submission.refusal)) +
         (code ? " (custom error " + std::to_string(*code) + ")" : "");
}

}  // namespace

Result<std::unique_ptr<LedgerService>> LedgerService::open(const runtime::Genesis& genesis,
                                                           const std::filesystem::path& database) {
  MUSTER_TRY_STATUS(runtime::validate(genesis));
  MUSTER_TRY(auto store, BlockStore::open(database));
  std::unique_ptr<LedgerService> service(new LedgerService(genesis, std::move(store)));
  if (Status replayed = service->store_->replay(
          [&](const runtime::Block& block) { return service->ledger_.apply(block); });
      !replayed)
    return std::move(replayed).error().within(database.string() + ": blocks of another genesis or version, or damaged");
  return service;
}

Status LedgerService::produce_block() {
  state_changed();
  return store_->append(ledger_.produce_block(true));
}

void LedgerService::state_changed() {
  encoded_state_.clear();
  ++state_version_;
}

Bytes LedgerService::handle(ByteSpan bytes) {
  const auto request = wire::decode<Request>(bytes, "ledger request");
  if (!request) return wire::encode(Answer{0, request.error().message, {}});
  auto body = answer(*request);
  if (!body) return wire::encode(Answer{request->id, body.error().message, {}});
  return wire::encode(Answer{request->id, {}, std::move(*body)});
}

Result<Bytes> LedgerService::answer(const Request& request) {
  switch (request.question) {
    case Question::kInfo:
      return wire::encode(InfoAnswer{ledger_.genesis().name, ledger_.genesis_id(), ledger_.head(),
                                     ledger_.block_number(), ledger_.genesis().block_ms,
                                     runtime::kSpecVersion, runtime::kTransactionVersion});
    case Question::kAccount: {
      const auto& accounts = ledger_.state().accounts;
      const auto account = accounts.find(request.account);
      return wire::encode(AccountAnswer{ledger_.nonce_of(request.account),
                                        account == accounts.end() ? 0 : account->second.free_rao});
    }
    case Question::kMetagraph: {
      MUSTER_TRY(const auto view, network_view(ledger_, request.netuid));
      MetagraphAnswer answer{view.block, view.block_hash, view.tempo, view.epoch, {}};
      for (const auto& neuron : view.neurons) answer.neurons.push_back({neuron});
      return wire::encode(answer);
    }
    case Question::kState: return part_of_state(request.number);
    case Question::kBlock: return store_->read(request.number);
    case Question::kSubmit: return submit(request.extrinsic);
  }
  return Error{Errc::kMalformed, "unknown question"};
}

Result<Bytes> LedgerService::submit(ByteSpan extrinsic) {
  const runtime::Submission submission = ledger_.submit(extrinsic);
  if (!submission.applied()) return Error{Errc::kPermission, text_of(submission)};
  state_changed();
  return wire::encode(SubmitAnswer{ledger_.block_number() + 1, submission.hash,
                                   submission.error ? std::string(name_of(*submission.error)) : std::string(),
                                   submission.fee_rao});
}

Result<Bytes> LedgerService::part_of_state(std::uint64_t first) {
  if (encoded_state_.empty()) encoded_state_ = runtime::encode_state(ledger_.state());
  if (first > encoded_state_.size()) return Error{Errc::kInvalidArgument, "a byte behind the state"};
  const ByteSpan part =
      ByteSpan(encoded_state_).subspan(first, std::min(kStatePartBytes, encoded_state_.size() - first));
  return wire::encode(StateAnswer{state_version_, encoded_state_.size(), {part.begin(), part.end()}});
}

}  // namespace muster::chain
