#include "chain/service.h"

#include <chrono>

#include "chain/block_store.h"
#include "wire/codec.h"

namespace muster::chain {
namespace {

enum class RequestKind : std::uint8_t { kGenesis, kMetagraph, kAccount, kSubmit };
constexpr std::uint8_t enum_count(RequestKind) { return 4; }

struct Request {
  std::uint64_t id = 0;  // comes back in the answer
  RequestKind kind = RequestKind::kGenesis;
  PublicKey hotkey;                    // kAccount
  std::optional<Extrinsic> extrinsic;  // kSubmit
  template <class Archive>
  void serialize(Archive& archive) { archive(id, kind, hotkey, extrinsic); }
};

struct Answer {
  std::uint64_t id = 0;
  std::string error;  // empty: the request was served
  Hash hash;          // genesis or block
  std::uint64_t block = 0;
  std::uint32_t tempo = 0;
  std::uint32_t nonce = 0;
  std::uint64_t balance = 0;
  Bytes neurons;      // kMetagraph
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, error, hash, block, tempo, nonce, balance, neurons);
  }
};

struct NeuronRecord {
  protocol::Neuron n;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(n.uid, n.hotkey, n.role, n.stake, n.registered_block, n.last_update, n.incentive,
            n.earned);
  }
};

}  // namespace

Result<std::unique_ptr<BlockStore>> BlockStore::open(const std::filesystem::path& path) {
  MUSTER_TRY(store::Database database,
             store::Database::open(
                 path, 1, "CREATE TABLE blocks(number INTEGER PRIMARY KEY, block BLOB NOT NULL)"));
  return std::unique_ptr<BlockStore>(new BlockStore(std::move(database)));
}

Status BlockStore::append(const Block& block) {
  MUSTER_TRY(store::Statement insert,
             database_.prepare("INSERT INTO blocks(number, block) VALUES(?, ?)"));
  insert.bind(1, static_cast<std::int64_t>(block.number)).bind(2, wire::encode(block));
  MUSTER_TRY([[maybe_unused]] const bool row, insert.step());
  return {};
}

Status BlockStore::replay(const std::function<Status(const Block&)>& visit) const {
  MUSTER_TRY(store::Statement select, database_.prepare("SELECT block FROM blocks ORDER BY number"));
  for (;;) {
    MUSTER_TRY(const bool row, select.step());
    if (!row) return {};
    MUSTER_TRY(const Block block, wire::decode<Block>(select.blob(0), "block"));
    MUSTER_TRY_STATUS(visit(block));
  }
}

LedgerService::LedgerService(const Genesis& genesis, std::unique_ptr<BlockStore> store)
    : ledger_(genesis), store_(std::move(store)) {}
LedgerService::~LedgerService() = default;

Result<std::unique_ptr<LedgerService>> LedgerService::open(const Genesis& genesis,
                                                           const std::filesystem::path& database) {
  MUSTER_TRY_STATUS(validate(genesis));
  MUSTER_TRY(auto store, BlockStore::open(database));
  std::unique_ptr<LedgerService> service(new LedgerService(genesis, std::move(store)));
  MUSTER_TRY_STATUS(service->store_->replay(
      [&](const Block& block) { return service->ledger_.apply(block); }));
  return service;
}

Status LedgerService::produce_block() { return store_->append(ledger_.produce_block()); }

Bytes LedgerService::handle(ByteSpan bytes) {
  Answer answer;
  const auto request = wire::decode<Request>(bytes, "ledger request");
  if (!request) {
    answer.error = request.error().message;
    return wire::encode(answer);
  }
  answer.id = request->id;
  switch (request->kind) {
    case RequestKind::kGenesis: answer.hash = ledger_.genesis_id(); break;
    case RequestKind::kMetagraph: {
      const auto metagraph = ledger_.metagraph();
      answer.block = metagraph.block;
      answer.hash = metagraph.block_hash;
      answer.tempo = metagraph.tempo;
      std::vector<NeuronRecord> records;
      for (const auto& neuron : metagraph.neurons) records.push_back({neuron});
      answer.neurons = wire::encode(records);
      break;
    }
    case RequestKind::kAccount:
      answer.nonce = ledger_.nonce_of(request->hotkey);
      answer.balance = ledger_.balance_of(request->hotkey);
      break;
    case RequestKind::kSubmit:
      if (!request->extrinsic) {
        answer.error = "a submission without an extrinsic";
      } else if (const Refusal refusal = ledger_.submit(*request->extrinsic);
                 refusal != Refusal::kNone) {
        answer.error = std::string(name_of(refusal));
      }
      break;
  }
  return wire::encode(answer);
}

// ---- client

Result<Bytes> RemoteLedger::ask(ByteSpan request) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(timeout_ms_);
  MUSTER_TRY_STATUS(transport_->send(server_, request));
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
                                                                            steady_clock::now());
    if (left.count() <= 0) {
      return Error{Errc::kTimeout,
                   "the ledger does not answer; is `muster ledger serve` running at its address?"};
    }
    MUSTER_TRY(auto incoming, transport_->receive(static_cast<int>(left.count())));
    if (!incoming) continue;
    const auto answer = wire::decode<Answer>(incoming->message, "ledger answer");
    if (!answer || answer->id != next_request_) continue;
    ++next_request_;
    if (!answer->error.empty()) return Error{Errc::kPermission, "ledger: " + answer->error};
    return std::move(incoming->message);
  }
}

namespace {

Result<Answer> read_answer(Result<Bytes> bytes) {
  MUSTER_TRY(const Bytes content, std::move(bytes));
  return wire::decode<Answer>(content, "ledger answer");
}

Bytes request_bytes(std::uint64_t id, RequestKind kind, const PublicKey& hotkey = {},
                    std::optional<Extrinsic> extrinsic = {}) {
  return wire::encode(Request{id, kind, hotkey, std::move(extrinsic)});
}

}  // namespace

Result<Hash> RemoteLedger::genesis_hash() {
  MUSTER_TRY(const Answer answer,
             read_answer(ask(request_bytes(next_request_, RequestKind::kGenesis))));
  return answer.hash;
}

Result<protocol::Metagraph> RemoteLedger::metagraph() {
  MUSTER_TRY(const Answer answer,
             read_answer(ask(request_bytes(next_request_, RequestKind::kMetagraph))));
  MUSTER_TRY(const auto records,
             wire::decode<std::vector<NeuronRecord>>(answer.neurons, "metagraph"));
  protocol::Metagraph metagraph{answer.block, answer.hash, answer.tempo, {}};
  for (const auto& record : records) metagraph.neurons.push_back(record.n);
  return metagraph;
}

Result<std::uint64_t> RemoteLedger::balance() {
  MUSTER_TRY(const Answer answer, read_answer(ask(request_bytes(
                                      next_request_, RequestKind::kAccount, key_.public_key()))));
  return answer.balance;
}

Status RemoteLedger::submit(const Call& call) {
  MUSTER_TRY(const Hash genesis, genesis_hash());
  MUSTER_TRY(const Answer account, read_answer(ask(request_bytes(
                                       next_request_, RequestKind::kAccount, key_.public_key()))));
  const Extrinsic extrinsic = sign_extrinsic(genesis, account.nonce, call, key_);
  MUSTER_TRY([[maybe_unused]] const Answer answer,
             read_answer(ask(request_bytes(next_request_, RequestKind::kSubmit, {}, extrinsic))));
  return {};
}

Status RemoteLedger::register_neuron(Role role) {
  Call call;
  call.kind = CallKind::kRegister;
  call.role = role;
  return submit(call);
}
Status RemoteLedger::add_stake(std::uint64_t rao) {
  Call call;
  call.kind = CallKind::kAddStake;
  call.amount = rao;
  return submit(call);
}
Status RemoteLedger::commit_weights(const Hash& commitment) {
  Call call;
  call.kind = CallKind::kCommitWeights;
  call.hash = commitment;
  return submit(call);
}
Status RemoteLedger::reveal_weights(const std::vector<Uid>& uids,
                                    const std::vector<std::uint16_t>& weights, const Hash& salt) {
  Call call;
  call.kind = CallKind::kRevealWeights;
  call.uids = uids;
  call.weights = weights;
  call.hash = salt;
  return submit(call);
}

}  // namespace muster::chain
