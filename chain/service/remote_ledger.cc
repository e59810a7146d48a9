#include "chain/service/remote_ledger.h"

#include <algorithm>
#include <chrono>
#include <tuple>

#include "chain/codec/commit_hash.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/service/network_view.h"
#include "chain/yuma/mechanism.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

constexpr int kStateTries = 5;  // blocks may close while its parts travel

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
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(timeout_ms_);
  request.id = next_request_++;
  MUSTER_TRY_STATUS(transport_->send(server_, wire::encode(request)));
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0)
      return Error{Errc::kTimeout, "the ledger does not answer; is `muster ledger serve` running at its address?"};
    MUSTER_TRY(auto incoming, transport_->receive(static_cast<int>(left.count())));
    if (!incoming) continue;
    auto answer = wire::decode<Answer>(incoming->message, "ledger answer");
    if (!answer || answer->id != request.id) continue;
    if (!answer->error.empty()) return Error{Errc::kPermission, "ledger: " + answer->error};
    return std::move(answer->body);
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
  return ask({.question = Question::kBlock, .number = number});
}

Result<runtime::State> RemoteLedger::state() {
  for (int attempt = 0; attempt < kStateTries; ++attempt) {
    Bytes bytes;
    std::uint64_t version = 0, size = 0;
    do {
      MUSTER_TRY(const StateAnswer answer,
                 ask_for<StateAnswer>({.question = Question::kState, .number = bytes.size()}, "state"));
      if (bytes.empty()) std::tie(version, size) = std::pair(answer.version, answer.bytes);
      if (answer.part.empty() || answer.version != version) break;
      bytes.insert(bytes.end(), answer.part.begin(), answer.part.end());
    } while (bytes.size() < size);
    if (bytes.size() == size) return runtime::decode_state(bytes);
  }
  return Error{Errc::kConflict, "the ledger's state changes faster than it travels; ask again"};
}

Result<SubmitAnswer> RemoteLedger::submit(const RuntimeCall& call) {
  MUSTER_TRY(const InfoAnswer about, info());
  MUSTER_TRY(const AccountAnswer own, account(key_.public_key()));
  const SigningContext context{about.spec_version, about.transaction_version, about.genesis, about.genesis};
  const Bytes extrinsic = encode_extrinsic(sign_call(call, key_, own.nonce, context));
  MUSTER_TRY(const SubmitAnswer answer,
             ask_for<SubmitAnswer>({.question = Question::kSubmit, .extrinsic = extrinsic}, "receipt"));
  if (!answer.call_error.empty()) return Error{Errc::kPermission, "ledger: " + answer.call_error};
  return answer;
}

Result<Hash> RemoteLedger::genesis_hash() {
  MUSTER_TRY(const InfoAnswer about, info());
  return about.genesis;
}

Result<protocol::Metagraph> RemoteLedger::metagraph() {
  MUSTER_TRY(const auto answer, ask_for<MetagraphAnswer>({.question = Question::kMetagraph, .netuid = netuid_},
                                                         "metagraph"));
  protocol::Metagraph metagraph{answer.block, answer.block_hash, answer.tempo, answer.epoch, {}};
  for (const auto& neuron : answer.neurons) metagraph.neurons.push_back(neuron.n);
  return metagraph;
}

Status RemoteLedger::register_neuron(Role role) {
  MUSTER_TRY(const auto known, metagraph());
  const auto own = std::find_if(known.neurons.begin(), known.neurons.end(),
                                [&](const auto& neuron) { return neuron.hotkey == key_.public_key(); });
  if (own == known.neurons.end()) {
    MUSTER_TRY([[maybe_unused]] const auto registered, submit(BurnedRegister{netuid_, key_.public_key()}));
  }
  if (role != Role::kValidator || (own != known.neurons.end() && own->role == role)) return {};
  MUSTER_TRY([[maybe_unused]] const auto declared, submit(SetCommitment{netuid_, {validator_commitment()}}));
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

}  // namespace muster::chain
